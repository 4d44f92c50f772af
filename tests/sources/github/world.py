"""One organization as GitHub would tell of it: repositories, rules, requests, deployments."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cdk_soc2.boundary import Boundary
from cdk_soc2.evidence.seal import Outcome
from cdk_soc2.sources.github.client import Client, PlainToken
from cdk_soc2.sources.github.collect import Wanted, collect
from tests.evidence.memory import MemoryStore
from tests.sources.github.schema import made
from tests.sources.github.server import Error, Hub, serving

NOW = datetime(2026, 11, 23, 1, 0, 0, tzinfo=UTC)
KEYED = {
    "/check-runs": "check_runs",
    "/actions/runs": "workflow_runs",
    "/environments": "environments",
}


def ago(**kwargs: float) -> str:
    return f"{NOW - timedelta(**kwargs):%Y-%m-%dT%H:%M:%SZ}"


def sha(name: str) -> str:
    return name.encode().hex().ljust(40, "0")[:40]


def user(login: str, type: str = "User") -> dict[str, Any]:
    return made("simple-user", login=login, type=type)


def commit(
    name: str, *parents: str, by: str = "ada", at: str = "", committer: str = ""
) -> dict[str, Any]:
    at = at or ago(days=2)
    who = {"name": by, "email": "a@example.com", "date": at}
    git = made("commit")["commit"] | {"author": who, "committer": who, "message": name}
    return made(
        "commit", sha=sha(name), commit=git, author=user(by), committer=user(committer or by),
        parents=[{"sha": sha(p), "url": "https://example.com/x"} for p in parents],
    )  # fmt: skip


def pull(
    number: int, merged_as: str, head: str, *, by: str | None = "ada", at: str = "", base: str = "main",
    repo: str = "acme/shop", bot: bool = False,
) -> dict[str, Any]:  # fmt: skip
    at = at or ago(days=2)
    simple = made("pull-request-simple")
    place = made("repository", full_name=repo, name=repo.split("/")[1])
    return simple | {
        "number": number,
        "state": "closed",
        "user": user(by, "Bot" if bot else "User") if by else None,
        "merged_at": at,
        "closed_at": at,
        "updated_at": at,
        "merge_commit_sha": sha(merged_as),
        "head": simple["head"] | {"sha": sha(head), "ref": f"b{number}"},
        "base": simple["base"] | {"ref": base, "repo": place},
    }


def review(
    by: str, head: str, state: str = "APPROVED", at: str = "", type: str = "User"
) -> dict[str, Any]:
    return made(
        "pull-request-review", user=user(by, type), state=state, commit_id=sha(head),
        submitted_at=at or ago(days=2, hours=1),
    )  # fmt: skip


def collaborator(login: str, push: bool = True) -> dict[str, Any]:
    rights = {"pull": True, "triage": push, "push": push, "maintain": False, "admin": False}
    return made(
        "collaborator", login=login, permissions=rights, role_name="write" if push else "read"
    )


def deployment(
    number: int, commit: str, at: str = "", environment: str = "production", **more: Any
) -> dict[str, Any]:
    at = at or ago(days=1)
    return made(
        "deployment", id=number, sha=sha(commit), environment=environment, created_at=at,
        updated_at=at, creator=user("github-actions[bot]", "Bot"), **more,
    )  # fmt: skip


def status(state: str, at: str = "", run: int = 0) -> dict[str, Any]:
    address = f"https://github.example/acme/shop/actions/runs/{run}/job/1" if run else ""
    return made("deployment-status", state=state, created_at=at or ago(days=1), log_url=address)


def workflow_run(number: int, commit: str, start: str, **more: Any) -> dict[str, Any]:
    return made(
        "workflow-run", id=number, head_sha=sha(commit), head_branch="main", event="push",
        created_at=start, run_started_at=start, updated_at=start, status="completed",
        conclusion="success", **more,
    )  # fmt: skip


def classic(**changed: Any) -> dict[str, Any]:
    """Classic protection as it should be, with what is *changed*; ``None`` removes a field."""
    whole: dict[str, Any] = {
        "url": "https://example.com/x",
        "required_pull_request_reviews": {
            "dismiss_stale_reviews": True,
            "require_code_owner_reviews": False,
            "require_last_push_approval": True,
            "required_approving_review_count": 1,
        },
        "required_status_checks": {"strict": True, "contexts": ["ci"], "checks": []},
        "enforce_admins": {"url": "https://example.com/x", "enabled": True},
        "allow_force_pushes": {"enabled": False},
        "allow_deletions": {"enabled": False},
    } | changed
    return {k: v for k, v in whole.items() if v is not None}


CHECK_RULE = {
    "type": "required_status_checks",
    "parameters": {
        "required_status_checks": [{"context": "ci"}],
        "strict_required_status_checks_policy": True,
    },
}


def review_rule(count: int = 1) -> dict[str, Any]:
    return {
        "type": "pull_request",
        "parameters": {
            "required_approving_review_count": count,
            "dismiss_stale_reviews_on_push": True,
            "require_code_owner_review": False,
            "require_last_push_approval": True,
            "required_review_thread_resolution": False,
        },
    }


RULES = (review_rule(), CHECK_RULE, {"type": "non_fast_forward"}, {"type": "deletion"})


def rules(
    *given: Mapping[str, Any], number: int = 7, source: str = "acme/shop"
) -> list[dict[str, Any]]:
    """The rules in effect, as a ruleset of *source* brings them; all that are needed, if none."""
    kind = "Repository" if "/" in source else "Organization"
    origin = {"ruleset_source_type": kind, "ruleset_source": source, "ruleset_id": number}
    return [{**rule, **origin} for rule in given or RULES]


def ruleset(number: int = 7, source: str = "acme/shop", **changed: Any) -> dict[str, Any]:
    """The ruleset itself, as somebody with write access sees it; ``None`` removes a field."""
    whole: dict[str, Any] = {
        "id": number,
        "name": "main",
        "target": "branch",
        "source_type": "Repository" if "/" in source else "Organization",
        "source": source,
        "enforcement": "active",
        "bypass_actors": [],
        "updated_at": ago(days=40),
    } | changed
    return {k: v for k, v in whole.items() if v is not None}


NOT_PROTECTED = Error(404, "Branch not protected")
NOT_SEEN = Error(403, "Resource not accessible by integration")


@dataclass
class World:
    """The organization acme. Its one repository, shop, is protected, scanned, and quiet."""

    answers: dict[str, Any] = field(default_factory=dict[str, Any])
    names: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.answers |= {
            "/user": {"login": "auditor"},
            "/orgs/acme": self.organization,
            "/orgs/acme/repos": lambda query: [self.listed(n) for n in self.names],
            "/orgs/acme/members": [user("ada"), user("bob")],
            "/orgs/acme/outside_collaborators": [],
        }
        self.repository("shop")

    def organization(self, query: Mapping[str, str]) -> dict[str, Any]:
        return made(
            "organization-full", login="acme", two_factor_requirement_enabled=True,
            public_repos=0, owned_private_repos=len(self.names),
        )  # fmt: skip

    def listed(self, name: str) -> dict[str, Any]:
        return self.answers[f"/repos/acme/{name}"]

    def repository(self, name: str, **changed: Any) -> None:
        """Add one that is good in every way."""
        full = f"/repos/acme/{name}"
        self.names.append(name)
        whole = made("full-repository", full_name=f"acme/{name}", name=name, default_branch="main",
                     archived=False, size=10, private=True)  # fmt: skip
        self.answers |= {
            full: whole | changed,
            f"{full}/branches/main/protection": classic(),
            f"{full}/rules/branches/main": [],
            f"{full}/commits": [commit("old", at=ago(days=300))],
            f"{full}/pulls": [],
            f"{full}/collaborators": [collaborator("ada"), collaborator("bob")],
            f"{full}/deployments": [],
            f"{full}/environments": [],
            f"{full}/actions/runs": [],
            f"{full}/keys": [],
            f"{full}/dependabot/alerts": [],
            f"{full}/secret-scanning/alerts": [],
            f"{full}/code-scanning/alerts": [],
            f"{full}/code-scanning/analyses": [analysis()],
            f"{full}/rulesets/rule-suites": [],
        }

    def merged(self, number: int, repo: str = "shop", **given: Any) -> None:
        """Merge a request that bob approved, as a squashed commit on the default branch."""
        full, head, name = f"/repos/acme/{repo}", f"h{number}", f"m{number}"
        at = given.pop("at", ago(days=2))
        commits = self.answers[f"{full}/commits"]
        parent = commits[0]["sha"]
        new = commit(name, at=at)
        new["parents"] = [{"sha": parent, "url": "https://example.com/x"}]
        commits.insert(0, new)
        self.answers[f"{full}/pulls"].insert(
            0, pull(number, name, head, repo=f"acme/{repo}", at=at, **given)
        )
        self.answers |= {
            f"{full}/pulls/{number}/reviews": [review("bob", head)],
            f"{full}/pulls/{number}/commits": [commit(head)],
            f"{full}/commits/{sha(head)}/check-runs": [
                made("check-run", status="completed", conclusion="success", head_sha=sha(head))
            ],
            f"{full}/commits/{sha(name)}/pulls": [pull(number, name, head, repo=f"acme/{repo}")],
        }

    def hub(self, **given: Any) -> Hub:
        return Hub(self.answers, KEYED, **given)


def analysis(tool: str = "Trivy", at: str = "", **changed: Any) -> dict[str, Any]:
    whole = made("code-scanning-analysis", ref="refs/heads/main", created_at=at or ago(days=1),
                 error="", tool={"name": tool, "version": "0.72.0", "guid": None})  # fmt: skip
    return whole | changed


@dataclass
class Clock:
    """Time that passes only when somebody waits."""

    now: datetime = NOW
    waited: list[float] = field(default_factory=list[float])

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += timedelta(seconds=seconds)


def run(
    hub: Hub,
    *,
    store: MemoryStore | None = None,
    boundary: Boundary | None = None,
    clock: Clock | None = None,
    said: list[str] | None = None,
    signer: Any = None,
    unchanged: Any = None,
    **wanted: Any,
) -> Outcome:
    """One run against *hub*; its answers must agree with GitHub's own description."""
    clock = clock or Clock()
    with serving(hub) as address:
        client = Client(
            PlainToken("t0ken"), address, say=(said if said is not None else []).append,
            clock=clock, sleep=clock.sleep, unchanged=unchanged,
        )  # fmt: skip
        outcome = collect(
            Wanted("acme", **wanted), boundary or Boundary(), client, store or MemoryStore(),
            signer, collector={"version": "0"}, clock=clock,
        )  # fmt: skip
    assert not hub.wrong, "\n".join(hub.wrong)
    return outcome


def check(outcome: Outcome, id: str) -> dict[str, Any]:
    return next(c["checks"][id] for c in outcome.status["controls"].values() if id in c["checks"])


def verdicts(outcome: Outcome) -> dict[str, str]:
    return {
        id: str(found["status"])
        for control in outcome.status["controls"].values()
        for id, found in control["checks"].items()
    }


def kept(store: MemoryStore, name: str) -> Any:
    """The last run's file of that name."""
    [*_, key] = sorted(v.key for v in store.versions() if v.key.endswith(name))
    return json.loads(store.get(key))


def lines(store: MemoryStore) -> Iterable[dict[str, Any]]:
    for v in store.versions():
        if v.key.endswith(".ndjson"):
            yield from (json.loads(line) for line in store.get(v.key).splitlines())
