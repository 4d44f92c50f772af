"""Every change of production came from a request that another person approved."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_soc2.context import Context
from cdk_soc2.control import Control, Excluded, Observed, Status
from cdk_soc2.sources.changes import Change, observed
from cdk_soc2.sources.github.change_log import gathered, reconciled
from cdk_soc2.sources.github.window import GitHub, github_check
from cdk_soc2.sources.production import as_document
from cdk_soc2.sources.tables import as_csv, as_json, rows

CHANGE_MANAGEMENT = Control(
    number=14,
    key="change_management",
    name="Change management",
    claim="Every change of production came from a request that another person approved.",
    criteria=("CC8.1", "CC2.1", "CC3.4"),
    handbook="CC8.1",
    reads=(
        "metadata:read",
        "contents:read",
        "pull_requests:read",
        "checks:read",
        "deployments:read",
        "actions:read",
        "administration:write",
    ),
)


@github_check(CHANGE_MANAGEMENT, of="production changes", empty=Status.NOT_APPLICABLE)
def change_log(github: GitHub, context: Context) -> Iterator[Observed | Excluded]:
    """Every merge or push to a default branch, deployment, sync and stack update since the last run
    came from a request that a person with write access, other than its author, approved."""
    found = gathered(github)
    others = github.others()
    changes = [c for c in others if isinstance(c, Change)]
    matched = reconciled(found, changes, context.boundary.deploy_roles)
    unmatched = [m for m in matched if m.approved is not True]
    github.leave("changes.csv", as_csv(rows(matched)))
    github.leave("changes-unmatched.csv", as_csv(rows(unmatched)))
    github.leave("production.json", as_document(found.running))
    github.leave("changes.json", as_json(matched, unseen=[o.subject for o in found.unseen]))
    yield from (o for o in others if not isinstance(o, Change))
    yield from found.unseen
    yield from observed(matched)
