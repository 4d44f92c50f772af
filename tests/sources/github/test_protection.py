"""Control 9: which layers protect a default branch, and who may go around them."""

from __future__ import annotations

from typing import Any

import pytest

from cdk_soc2.boundary import parse
from tests.sources.github.schema import made
from tests.sources.github.server import Error
from tests.sources.github.world import (
    CHECK_RULE,
    NOT_PROTECTED,
    NOT_SEEN,
    RULES,
    World,
    ago,
    check,
    classic,
    review_rule,
    rules,
    ruleset,
    run,
    user,
)

NOT_FOUND = Error(404, "Not Found")
NO_PLAN = Error(403, "Upgrade to GitHub Pro or make this repository public to enable this feature.")
UNSHOWN = ruleset(bypass_actors=None, current_user_can_bypass="never")
TEAM = {"actor_id": 42, "actor_type": "Team", "bypass_mode": "pull_request"}
OWNERS = {"actor_id": None, "actor_type": "OrganizationAdmin", "bypass_mode": "always"}
OFF = {"url": "https://example.com/x", "enabled": False}
WHO = {
    "users": [],
    "teams": [made("team", slug="leads")],
    "apps": [],
}
REVIEWS = classic()["required_pull_request_reviews"]


def org(*given: Any) -> list[dict[str, Any]]:
    return rules(*given, number=9, source="acme")


# name: (classic protection, rules in effect, rulesets by number, verdict, what is said)
CASES: dict[str, tuple[Any, Any, dict[int, Any], str, str]] = {
    "classic only": (classic(), [], {}, "PASS", "classic protection"),
    "ruleset only": (NOT_PROTECTED, rules(), {7: ruleset()}, "PASS", "ruleset 'main' (7)"),
    "of the organization": (NOT_PROTECTED, org(), {9: ruleset(9, "acme")}, "PASS", "of acme"),
    "both": (classic(), rules(), {7: ruleset()}, "PASS", "requires an approving review"),
    "review by one, checks by the other": (
        classic(required_status_checks=None), rules(CHECK_RULE), {7: ruleset()}, "PASS", "ruleset 'main'",
    ),
    "checks by workflows": (
        classic(required_status_checks=None),
        rules({"type": "workflows", "parameters": {"workflows": [{"path": "ci.yml", "repository_id": 1}]}}),
        {7: ruleset()}, "PASS", "requires a status check: ruleset",
    ),
    "two rulesets": (
        NOT_PROTECTED, [*rules(*RULES[:2]), *org(*RULES[2:])],
        {7: ruleset(), 9: ruleset(9, "acme")}, "PASS", "forbids deletion: ruleset 'main' (9) of acme",
    ),
    "unprotected": (NOT_PROTECTED, [], {}, "FAIL", "no layer requires an approving review"),
    "no plan for it": (NO_PLAN, NO_PLAN, {}, "FAIL", "no layer requires a status check"),
    "evaluate mode": (
        NOT_PROTECTED, rules(), {7: ruleset(enforcement="evaluate")}, "FAIL", "no layer requires",
    ),
    "evaluate mode beside classic": (
        classic(), rules(), {7: ruleset(enforcement="evaluate")}, "PASS", "classic protection",
    ),
    "no reviews": (classic(required_pull_request_reviews=None), [], {}, "FAIL", "approving review"),
    "no approvals": (
        classic(required_pull_request_reviews=REVIEWS | {"required_approving_review_count": 0}),
        [], {}, "FAIL", "approving review",
    ),
    "a request without approvals": (
        NOT_PROTECTED, rules(review_rule(0), *RULES[1:]), {7: ruleset()}, "FAIL", "approving review",
    ),
    "no checks": (classic(required_status_checks=None), [], {}, "FAIL", "status check"),
    "checks, none named": (
        classic(required_status_checks={"contexts": [], "checks": []}), [], {}, "FAIL", "status check",
    ),
    "force push": (classic(allow_force_pushes={"enabled": True}), [], {}, "FAIL", "force pushes"),
    "force push, forbidden by a ruleset": (
        classic(allow_force_pushes={"enabled": True}), rules(*RULES[2:]), {7: ruleset()}, "PASS", "",
    ),
    "deletion": (classic(allow_deletions={"enabled": True}), [], {}, "FAIL", "deletion"),
    "a ruleset that lets delete": (
        NOT_PROTECTED, rules(*RULES[:3]), {7: ruleset()}, "FAIL", "forbids deletion",
    ),
    "admins bypass": (classic(enforce_admins=OFF), [], {}, "FAIL", "acme/shop admins"),
    "admins bypass, but not the ruleset": (
        classic(enforce_admins=OFF), rules(), {7: ruleset()}, "PASS", "ruleset 'main'",
    ),
    "a team may skip reviews": (
        classic(required_pull_request_reviews=REVIEWS | {"bypass_pull_request_allowances": WHO}),
        [], {}, "FAIL", "acme/shop team:leads",
    ),
    "a team bypasses, in requests": (
        NOT_PROTECTED, rules(), {7: ruleset(bypass_actors=[TEAM])}, "FAIL", "acme/shop Team:42",
    ),
    "a team bypasses, but not classic": (
        classic(), rules(), {7: ruleset(bypass_actors=[TEAM])}, "PASS", "classic protection",
    ),
    "owners bypass": (
        NOT_PROTECTED, org(), {9: ruleset(9, "acme", bypass_actors=[OWNERS])}, "FAIL",
        "acme OrganizationAdmin",
    ),
    "who collects may bypass": (
        NOT_PROTECTED, rules(),
        {7: ruleset(bypass_actors=None, current_user_can_bypass="pull_requests_only")},
        "FAIL", "whoever collects",
    ),
    "actors not shown": (NOT_PROTECTED, rules(), {7: UNSHOWN}, "UNKNOWN", "not shown to this token"),
    "actors not shown, classic holds": (classic(), rules(), {7: UNSHOWN}, "PASS", "classic"),
    "actors not shown, admins bypass classic": (
        classic(enforce_admins=OFF), rules(), {7: UNSHOWN}, "UNKNOWN", "not shown",
    ),
    "actors not shown, nothing forbids deletion": (
        NOT_PROTECTED, rules(*RULES[:3]), {7: UNSHOWN}, "FAIL", "no layer forbids deletion",
    ),
    "read-only token": (NOT_SEEN, rules(), {7: UNSHOWN}, "UNKNOWN", "administration:read"),
    "read-only token, nothing to see": (NOT_SEEN, [], {}, "UNKNOWN", "answered 403"),
    "protection not found": (NOT_FOUND, [], {}, "UNKNOWN", "answered 404"),
    "protection fails": (Error(500), [], {}, "UNKNOWN", "answered 500"),
    "protection denied, ruleset holds": (NOT_SEEN, rules(), {7: ruleset()}, "PASS", "ruleset"),
    "protection denied, ruleset bypassed": (
        NOT_SEEN, rules(), {7: ruleset(bypass_actors=[TEAM])}, "UNKNOWN", "answered 403",
    ),
    "rules denied, classic holds": (classic(), NOT_SEEN, {}, "PASS", "classic"),
    "rules denied": (NOT_PROTECTED, NOT_SEEN, {}, "UNKNOWN", "metadata:read"),
    "rules denied, admins bypass": (classic(enforce_admins=OFF), NOT_SEEN, {}, "UNKNOWN", "403"),
    "ruleset denied": (NOT_PROTECTED, rules(), {7: NOT_SEEN}, "UNKNOWN", "answered 403"),
    "all denied": (NOT_SEEN, NOT_SEEN, {}, "UNKNOWN", "answered 403"),
}  # fmt: skip
MALFORMED: dict[str, tuple[Any, Any, dict[int, Any]]] = {
    "admins not told": (classic(enforce_admins=None), [], {}),
    "admins null": (classic() | {"enforce_admins": None}, [], {}),
    "reviews without a count": (
        classic(required_pull_request_reviews={"dismiss_stale_reviews": True}), [], {},
    ),
    "force push not told": (classic(allow_force_pushes=None), [], {}),
    "force push is a word": (classic(allow_force_pushes={"enabled": "no"}), [], {}),
    "allowances null": (
        classic(required_pull_request_reviews=REVIEWS | {"bypass_pull_request_allowances": None}), [], {},
    ),
    "empty": ({}, [], {}),
    "a list": ([], [], {}),
    "rules without a ruleset": (NOT_PROTECTED, list(RULES), {}),
    "a rule without a count": (
        NOT_PROTECTED, rules({"type": "pull_request"}, *RULES[1:]), {7: ruleset()},
    ),
    "actors null": (NOT_PROTECTED, rules(), {7: UNSHOWN | {"bypass_actors": None}}),
    "a ruleset of words": (NOT_PROTECTED, rules(), {7: ruleset(enforcement="on")}),
}  # fmt: skip


def world(protection: Any, found: Any, rulesets: dict[int, Any]) -> World:
    made_up = World()
    made_up.answers |= {
        "/repos/acme/shop/branches/main/protection": protection,
        "/repos/acme/shop/rules/branches/main": found,
    }
    for number, detail in rulesets.items():
        owned = isinstance(detail, dict) and detail["source"] == "acme"
        place = "/orgs/acme" if owned else "/repos/acme/shop"
        made_up.answers[f"{place}/rulesets/{number}"] = detail
    return made_up


@pytest.mark.parametrize("name", CASES)
def test_protection(name: str) -> None:
    protection, found, rulesets, expected, said = CASES[name]
    verdict = check(run(world(protection, found, rulesets).hub()), "branch_protection")
    assert verdict["status"] == expected, verdict["detail"]
    assert said in verdict["detail"]
    bad = [o for o in verdict["observations"] if o["status"] in ("FAIL", "UNKNOWN")]
    assert all(o["remedy"] for o in bad)


@pytest.mark.parametrize("name", MALFORMED)
def test_what_cannot_be_read_never_passes_nor_fails(name: str) -> None:
    hub = world(*MALFORMED[name]).hub()
    hub.wrong = _Whatever()
    assert check(run(hub), "branch_protection")["status"] == "UNKNOWN"


class _Whatever(list[str]):
    """These answers disagree with GitHub's description on purpose."""

    def __iadd__(self, other: Any) -> _Whatever:
        return self


LATER = "2027-01-31"
ACCEPTED: dict[str, tuple[str, str, str]] = {
    "accepted": ("acme/shop Team:42", LATER, "PASS"),
    "expired": ("acme/shop Team:42", "2026-11-22", "FAIL"),
    "another team": ("acme/shop Team:43", LATER, "FAIL"),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_bypass_is_accepted_by_name_and_until_a_day(name: str) -> None:
    subject, until, expected = ACCEPTED[name]
    accepted = {"check": "branch_protection", "subject": subject, "reason": "release bot",
                "reviewed_by": "eve", "until": until}  # fmt: skip
    hub = world(NOT_PROTECTED, rules(), {7: ruleset(bypass_actors=[TEAM])}).hub()
    verdict = check(
        run(hub, boundary=parse({"accepted_exceptions": [accepted]})), "branch_protection"
    )
    assert verdict["status"] == expected
    assert [e["subject"] for e in verdict["exclusions"]] == (
        [subject] if name == "accepted" else []
    )


def exported(**changed: Any) -> dict[str, Any]:
    whole = {"schema": "soc2-github-rulesets/v1", "owner": "acme", "exported_at": ago(days=10),
             "exported_by": "eve", "rulesets": [ruleset()]}  # fmt: skip
    return whole | changed


EXPORTS: dict[str, tuple[dict[str, Any], str]] = {
    "good": (exported(), "PASS"),
    "with an actor": (exported(rulesets=[ruleset(bypass_actors=[TEAM])]), "FAIL"),
    "92 days old": (exported(exported_at=ago(days=92)), "PASS"),
    "older": (exported(exported_at=ago(days=92, seconds=1)), "UNKNOWN"),
    "of tomorrow": (exported(exported_at=ago(days=-1)), "UNKNOWN"),
    "changed since": (exported(rulesets=[ruleset(updated_at=ago(days=41))]), "UNKNOWN"),
    "of another ruleset": (exported(rulesets=[ruleset(8)]), "UNKNOWN"),
    "of another repository": (exported(rulesets=[ruleset(source="acme/till")]), "UNKNOWN"),
}


@pytest.mark.parametrize("name", EXPORTS)
def test_an_owners_export_settles_what_is_not_shown(name: str) -> None:
    from cdk_soc2.sources.github.window import Settings

    export, expected = EXPORTS[name]
    hub = world(NOT_PROTECTED, rules(), {7: UNSHOWN}).hub()
    verdict = check(run(hub, settings=Settings(export=export)), "branch_protection")
    assert verdict["status"] == expected, verdict["detail"]


def test_an_archived_and_an_empty_repository_are_left_out_by_name() -> None:
    made_up = World()
    made_up.repository("old", archived=True)
    made_up.repository("new", size=0)
    made_up.answers |= {
        "/repos/acme/new/commits": Error(409, "Git Repository is empty."),
        "/repos/acme/new/branches/main/protection": Error(404, "Branch not found"),
    }
    outcome = run(made_up.hub())
    verdict = check(outcome, "branch_protection")
    assert verdict["status"] == "PASS" and verdict["population"] == 3
    assert {e["subject"]: e["reason"].split(":")[0] for e in verdict["exclusions"]} == {
        "acme/old": "archived",
        "acme/new": "empty",
    }
    assert check(outcome, "change_log")["status"] == "NOT_APPLICABLE"


def test_nothing_but_an_empty_repository_is_not_applicable() -> None:
    made_up = World()
    made_up.answers["/repos/acme/shop/commits"] = Error(409, "Git Repository is empty.")
    made_up.answers["/repos/acme/shop/branches/main/protection"] = Error(404, "Branch not found")
    assert check(run(made_up.hub()), "branch_protection")["status"] == "NOT_APPLICABLE"


def test_a_renamed_default_branch_is_the_one_that_is_judged() -> None:
    made_up = World()
    made_up.answers["/repos/acme/shop"] |= {"default_branch": "release/2"}
    made_up.answers |= {
        "/repos/acme/shop/branches/release/2/protection": NOT_PROTECTED,
        "/repos/acme/shop/rules/branches/release/2": [],
    }
    hub = made_up.hub()
    verdict = check(run(hub), "branch_protection")
    assert verdict["status"] == "FAIL" and "release/2: no layer" in verdict["detail"]


def test_an_organizations_ruleset_is_read_once_and_its_bypass_told_once() -> None:
    made_up = World()
    made_up.repository("till")
    for name in made_up.names:
        made_up.answers |= {
            f"/repos/acme/{name}/branches/main/protection": NOT_PROTECTED,
            f"/repos/acme/{name}/rules/branches/main": org(),
        }
    made_up.answers["/orgs/acme/rulesets/9"] = ruleset(9, "acme", bypass_actors=[OWNERS])
    hub = made_up.hub()
    verdict = check(run(hub), "branch_protection")
    assert [o["subject"] for o in verdict["observations"] if o["status"] == "FAIL"] == [
        "acme OrganizationAdmin"
    ]
    assert sum("/rulesets/9" in asked for asked in hub.asked) == 1


def test_repositories_that_the_token_does_not_see_are_missed() -> None:
    made_up = World()
    counts = made("organization-full", login="acme", public_repos=2, owned_private_repos=3)
    made_up.answers["/orgs/acme"] = counts | {"two_factor_requirement_enabled": True}
    outcome = run(made_up.hub())
    assert check(outcome, "repository_population")["status"] == "UNKNOWN"
    named = run(made_up.hub(), repositories=("shop",))
    assert check(named, "repository_population")["status"] == "NOT_APPLICABLE"


TWO_FACTOR: dict[str, tuple[Any, str, str]] = {
    "required": ({"two_factor_requirement_enabled": True}, "PASS", "is true"),
    "not required": ({"two_factor_requirement_enabled": False}, "FAIL", "without it: mallory"),
    "null": ({"two_factor_requirement_enabled": None}, "UNKNOWN", "not shown"),
    "not told": ({}, "UNKNOWN", "not shown"),
    "denied": (NOT_SEEN, "UNKNOWN", "members:read"),
    "no organization": (NOT_FOUND, "UNKNOWN", "404"),
}


@pytest.mark.parametrize("name", TWO_FACTOR)
def test_two_factor(name: str) -> None:
    answer, expected, said = TWO_FACTOR[name]
    made_up = World()
    made_up.answers["/orgs/acme"] = (
        answer if isinstance(answer, Error) else made("organization-full", login="acme") | answer
    )
    made_up.answers["/orgs/acme/members"] = lambda query: (
        [user("mallory")] if query.get("filter") else [user("ada")]
    )
    verdict = check(run(made_up.hub()), "organization_two_factor")
    assert (verdict["status"], said in verdict["detail"]) == (expected, True), verdict["detail"]
