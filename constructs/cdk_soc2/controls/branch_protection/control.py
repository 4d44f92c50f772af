"""Nothing reaches a default branch without another person's review and a check, for anybody."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_soc2.answers import may
from cdk_soc2.boundary import AcceptedExceptions
from cdk_soc2.context import Context
from cdk_soc2.control import Control, Excluded, Observed, Status
from cdk_soc2.sources.github.protection import is_empty, judged, protection
from cdk_soc2.sources.github.questions import ORGANIZATION
from cdk_soc2.sources.github.window import GitHub, Repository, each_repository, github_check

BRANCH_PROTECTION = Control(
    number=9,
    key="branch_protection",
    name="Branch protection",
    claim="Every change to a default branch needs another person's approval and passing checks, "
    "and nobody may go around that.",
    criteria=("CC8.1", "CC6.8", "CC6.1"),
    handbook="CC8.1",
    reads=(
        "metadata:read",
        "contents:read",
        "administration:read",
        "administration:write",
        "organization_administration:write",
        "members:read",
    ),
)


@github_check(BRANCH_PROTECTION, of="repositories", empty=Status.NOT_APPLICABLE)
def branch_protection(github: GitHub, context: Context) -> Iterator[Observed | Excluded]:
    """Every default branch needs an approving review and a status check, forbids force pushes and
    deletion, by classic protection or rulesets, and nobody may go around what requires it."""
    waivers = AcceptedExceptions(context.boundary, context.now.date())

    def accepted(subject: str) -> bool:
        waiver = waivers.of("branch_protection", subject)
        return waiver is not None and not waiver.expired

    def look(repository: Repository) -> Iterator[Observed | Excluded]:
        if repository.archived:
            yield Excluded(repository.full, "archived: nobody can push to it")
            return
        seen = list(judged(repository, protection(github, repository, context.now), accepted))
        good = all(o.ok is True for o in seen)
        if not (good and repository.size) and is_empty(github, repository):
            yield Excluded(repository.full, "empty: nothing was ever pushed to it")
            return
        yield from seen

    told: set[str] = set()
    for seen in each_repository(github, look):
        if seen.subject not in told:  # whoever bypasses an organization's ruleset is told once
            told.add(seen.subject)
            yield seen


@github_check(BRANCH_PROTECTION, of="owners", empty=Status.NOT_APPLICABLE)
def repository_population(github: GitHub, context: Context) -> Iterator[Observed | Excluded]:
    """The repositories that were looked at are as many as the organization itself counts."""
    if github.names is not None:
        yield Excluded(github.id, f"repositories were named: {', '.join(github.names)}")
        return
    seen = len(github.repositories())
    told = github.read(ORGANIZATION, org=github.id)
    public = may(told, "public_repos", int)
    private = may(told, "owned_private_repos", int)
    if public is None or private is None:
        remedy = "Allow the token to read the organization, or name the repositories with --repos."
        yield Observed(
            None, github.id, f"{seen} repositories seen; its own count is not shown", remedy=remedy
        )
        return
    detail = f"{seen} repositories seen; it counts {public} public and {private} private ones"
    remedy = "Let the token see every repository, or name those in scope with --repos."
    yield Observed(True if seen >= public + private else None, github.id, detail, remedy=remedy)
