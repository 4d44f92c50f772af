"""Control 14: what reached production through GitHub, and whether another person approved it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from cdk_soc2.evidence.verify import verify
from tests.evidence.memory import MemoryStore
from tests.evidence.vault import key
from tests.sources.github.schema import made
from tests.sources.github.server import Error
from tests.sources.github.world import (
    NOT_SEEN,
    NOW,
    Clock,
    World,
    ago,
    check,
    collaborator,
    commit,
    deployment,
    kept,
    pull,
    review,
    run,
    sha,
    status,
    workflow_run,
)

SHOP = "/repos/acme/shop"
Edit = Callable[[World], Any]


def reviews(*given: dict[str, Any]) -> Edit:
    return lambda world: world.answers.update({f"{SHOP}/pulls/1/reviews": list(given)})


def wrote(*given: dict[str, Any]) -> Edit:
    return lambda world: world.answers.update({f"{SHOP}/pulls/1/commits": list(given)})


def put(path: str, answer: Any) -> Edit:
    return lambda world: world.answers.update({f"{SHOP}{path}": answer})


def drop_review(world: World) -> None:
    world.answers[f"{SHOP}/pulls/1/reviews"] = []


def by(author: str | None, bot: bool = False) -> Edit:
    """The request is *author*'s."""
    return put("/pulls", [pull(1, "m1", "h1", by=author, bot=bot)])


def pushed(name: str, at: str = "", **given: Any) -> Edit:
    """Push to the default branch, around any request."""

    def edit(world: World) -> None:
        commits = world.answers[f"{SHOP}/commits"]
        new = commit(name, at=at, **given)
        new["parents"] = [{"sha": commits[0]["sha"], "url": "https://example.com/x"}]
        commits.insert(0, new)
        world.answers[f"{SHOP}/commits/{sha(name)}/pulls"] = []

    return edit


def rebased(world: World) -> None:
    """The request came as two commits, of which GitHub names the last."""
    first = commit("m0", "old")
    last = commit("m1", "m0")
    world.answers[f"{SHOP}/commits"] = [last, first, commit("old", at=ago(days=300))]
    world.answers[f"{SHOP}/commits/{sha('m0')}/pulls"] = [pull(1, "m1", "h1")]


def merge_commit(world: World) -> None:
    """The request came as a merge commit, beside the branch's own."""
    world.answers[f"{SHOP}/commits"] = [
        commit("m1", "old", "h1"), commit("h1", "old"), commit("old", at=ago(days=300)),
    ]  # fmt: skip


def deployed(*states: dict[str, Any], **given: Any) -> Edit:
    def edit(world: World) -> None:
        world.answers[f"{SHOP}/deployments"] = [deployment(5, **({"commit": "m1"} | given))]
        world.answers[f"{SHOP}/deployments/5/statuses"] = list(states)

    return edit


OLD_PULL = pull(90, "ancient", "h90", at=ago(days=200))
BY_MALLORY = commit("h1", by="mallory", committer="mallory")
RESOLVED = "APPROVED"
# name: (what differs from one squashed request of ada's that bob approved, verdict, what is said)
CASES: dict[str, tuple[list[Edit], str, str]] = {
    "approved": ([], "PASS", "approved by bob"),
    "nobody reviewed": ([reviews()], "FAIL", "nobody approved it"),
    "commented": ([reviews(review("bob", "h1", "COMMENTED"))], "FAIL", "nobody approved"),
    "changes requested": ([reviews(review("bob", "h1", "CHANGES_REQUESTED"))], "FAIL", "nobody"),
    "dismissed": ([reviews(review("bob", "h1", "DISMISSED"))], "FAIL", "nobody approved"),
    "approved, then changes requested": (
        [reviews(review("bob", "h1", at=ago(days=2, hours=3)),
                 review("bob", "h1", "CHANGES_REQUESTED", at=ago(days=2, hours=1)))], "FAIL", "nobody",
    ),
    "changes requested, then approved, then commented": (
        [reviews(review("bob", "h1", "CHANGES_REQUESTED", at=ago(days=2, hours=3)),
                 review("bob", "h1", at=ago(days=2, hours=2)),
                 review("bob", "h1", "COMMENTED", at=ago(days=2, hours=1)))], "PASS", "bob",
    ),
    "approved by its author": ([reviews(review("ada", "h1"))], "FAIL", "by its author alone: ada"),
    "approved by a bot": (
        [reviews(review("merge[bot]", "h1", type="Bot"))], "FAIL", "approved by no person",
    ),
    "approved before the last push": ([reviews(review("bob", "h0"))], "FAIL", "pushed to after that"),
    "approved after it was merged": (
        [reviews(review("bob", "h1", at=ago(days=1)))], "FAIL", "nobody approved it",
    ),
    "approved without write access": (
        [put("/collaborators", [collaborator("ada"), collaborator("bob", push=False)])], "FAIL",
        "approved without write access: bob",
    ),
    "approved by somebody from outside": (
        [put("/collaborators", [collaborator("ada")])], "FAIL", "without write access",
    ),
    "approved by who wrote it": (
        [wrote(commit("h1", by="bob"))], "FAIL", "approved by who wrote part of it: bob",
    ),
    "approved by who committed it": (
        [wrote(commit("h1", by="ada", committer="bob"))], "FAIL", "wrote part of it",
    ),
    "approved by two, of whom one wrote": (
        [wrote(commit("h1", by="bob")), put("/collaborators", [collaborator("bob"), collaborator("eve")]),
         reviews(review("bob", "h1"), review("eve", "h1"))], "PASS", "approved by eve",
    ),
    "a bot's request, approved": ([by("dependabot[bot]", bot=True)], "PASS", "approved by bob"),
    "the author is gone": ([by(None)], "UNKNOWN", "not known any more"),
    "reviews denied": ([put("/pulls/1/reviews", NOT_SEEN)], "UNKNOWN", "pull_requests:read"),
    "writers denied": ([put("/collaborators", NOT_SEEN)], "UNKNOWN", "metadata:read"),
    "its commits denied": ([put("/pulls/1/commits", NOT_SEEN)], "UNKNOWN", "pull_requests:read"),
    "more commits than are listed": (
        [wrote(*(commit(f"c{n}") for n in range(250)))], "UNKNOWN", "250 of its commits",
    ),
    "checks denied": ([put(f"/commits/{sha('h1')}/check-runs", NOT_SEEN)], "PASS", "bob"),
    "history denied": ([put("/commits", NOT_SEEN)], "UNKNOWN", "contents:read"),
    "a push whose requests are denied": (
        [pushed("p1"), put(f"/commits/{sha('p1')}/pulls", NOT_SEEN)], "UNKNOWN", "pull_requests:read",
    ),
    "a push under a commit whose parent is not listed": (
        [pushed("p1"), put("/commits", [commit("m1", "lost"), commit("p1", "lost")])], "FAIL", "push by ada",
    ),
    "a commit that descends from itself": ([put("/commits", [commit("m1", "m1")])], "UNKNOWN", "itself"),
    "requests denied": ([put("/pulls", NOT_SEEN)], "UNKNOWN", "pull_requests:read"),
    "runs denied": ([put("/actions/runs", NOT_SEEN)], "UNKNOWN", "actions:read"),
    "deployments denied": ([put("/deployments", Error(404, "Not Found"))], "UNKNOWN", "deployments"),
    "rule suites denied": ([put("/rulesets/rule-suites", NOT_SEEN)], "PASS", "bob"),
    "rebased": ([rebased], "PASS", "approved by bob"),
    "with a merge commit": ([merge_commit], "PASS", "1 of 1 production changes"),
    "a direct push": ([pushed("p1")], "FAIL", "push by ada"),
    "a bot's direct push": ([pushed("p1", by="bot[bot]")], "FAIL", "push by bot[bot]"),
    "a push that says it is old": ([pushed("p1", at=ago(days=900)), pushed("p2")], "FAIL", "2 of 3"),
    "a push that says it is of tomorrow": ([pushed("p1", at=ago(days=-3))], "FAIL", "push by ada"),
    "merged elsewhere, then pushed": (
        [put("/pulls", [pull(1, "m1", "h1", base="develop")])], "FAIL", "pushed without a request",
    ),
    "merged when the branch had another name": (
        [put("/pulls", [pull(1, "m1", "h1", base="master")])], "PASS", "approved by bob",
    ),
    "a bypass": (
        [put("/rulesets/rule-suites", [{"id": 3, "actor_name": "ada", "result": "bypass",
          "pushed_at": ago(days=2), "after_sha": sha("m1")}])], "FAIL", "rules were bypassed",
    ),
    "deployed": ([deployed(status("success", run=77))], "PASS", "2 of 2"),
    "deployed elsewhere": ([deployed(commit="zz", environment="staging")], "PASS", "1 of 1"),
    "deployed, by GitHub's flag": (
        [deployed(status("success"), commit="zz", environment="live", production_environment=True),
         put(f"/commits/{sha('zz')}/pulls", [])], "FAIL", "comes from no request",
    ),
    "deployed, waiting": ([deployed(status("queued"), commit="zz")], "PASS", "1 of 1"),
    "deployed, failed": (
        [deployed(status("failure"), commit="zz"), put(f"/commits/{sha('zz')}/pulls", [])], "FAIL",
        "deployment by",
    ),
    "deployed an old one again": (
        [deployed(status("success"), commit="ancient"),
         put(f"/commits/{sha('ancient')}/pulls", [OLD_PULL]),
         put("/pulls/90/reviews", [review("bob", "h90", at=ago(days=201))]),
         put("/pulls/90/commits", [commit("h90")])], "PASS", "acme/shop#90, approved by bob",
    ),
    "deployed before it was approved": (
        [deployed(status("success", at=ago(days=3)), commit="h1", at=ago(days=3))], "FAIL",
        "after it was made",
    ),
    "deployed a push": (
        [pushed("p1"), deployed(status("success"), commit="p1")], "FAIL", "2 of 3",
    ),
    "statuses denied": (
        [deployed(), put("/deployments/5/statuses", NOT_SEEN)], "UNKNOWN", "deployments:read",
    ),
}  # fmt: skip


def world(*edits: Edit) -> World:
    made_up = World()
    made_up.merged(1)
    made_up.answers[f"{SHOP}/commits"] = list(made_up.answers[f"{SHOP}/commits"])
    for edit in edits:
        edit(made_up)
    known = made_up.answers[f"{SHOP}/commits"]
    if isinstance(known, list):

        def listed(query: Any) -> Any:
            return known if query.get("sha") in ("main", "develop") else Error(404, "Not Found")

        made_up.answers[f"{SHOP}/commits"] = listed
    return made_up


@pytest.mark.parametrize("name", CASES)
def test_change_log(name: str) -> None:
    edits, expected, said = CASES[name]
    verdict = check(run(world(*edits).hub()), "change_log")
    assert (verdict["status"], said in verdict["detail"]) == (expected, True), verdict["detail"]


def test_the_population_and_what_is_unmatched_are_tables_of_the_run() -> None:
    store = MemoryStore()
    outcome = run(world(pushed("p1")).hub(), store=store, signer=key("a"))
    names = set(outcome.status["files"])
    assert {"answers/changes.csv", "answers/changes-unmatched.csv", "answers/changes.json"} <= names

    def table(name: str) -> list[dict[str, str]]:
        [path] = [v.key for v in store.versions() if v.key.endswith(name)]
        return list(csv.DictReader(io.StringIO(store.get(path).decode(), newline="")))

    assert [r["approved"] for r in table("changes.csv")] == ["yes", "no"]
    assert [r["id"] for r in table("changes-unmatched.csv")] == [sha("p1")]
    assert table("changes.csv")[0]["checks"] == "1 success"
    assert verify(store, keys={"github-acme": key("a").keyid}, now=NOW + timedelta(days=1)).ok


def test_the_next_run_goes_on_where_the_last_one_was() -> None:
    store, clock = MemoryStore(), Clock()
    made_up = World()
    made_up.merged(1)
    run(made_up.hub(), store=store, clock=clock)
    clock.now += timedelta(days=1)
    assert check(run(made_up.hub(), store=store, clock=clock), "change_log")["population"] == 0
    made_up.merged(2, at=f"{clock.now:%Y-%m-%dT%H:%M:%SZ}")
    pushed("backdated", at=ago(days=4000))(made_up)
    clock.now += timedelta(days=1)
    verdict = check(run(made_up.hub(), store=store, clock=clock), "change_log")
    assert verdict["population"] == 2 and verdict["status"] == "FAIL"
    assert verdict["observations"][0]["subject"] == f"acme/shop {sha('backdated')}"
    assert kept(store, "changes.json")["changes"][1]["request"]["id"] == "acme/shop#2"


def test_a_history_that_was_rewritten_is_an_exception() -> None:
    store, clock = MemoryStore(), Clock()
    made_up = World()
    made_up.merged(1)
    run(made_up.hub(), store=store, clock=clock)
    made_up.answers[f"{SHOP}/commits"] = [commit("old", at=ago(days=300))]
    clock.now += timedelta(days=1)
    verdict = check(run(made_up.hub(), store=store, clock=clock), "change_log")
    assert verdict["status"] == "FAIL" and f"rewritten after {sha('m1')}" in verdict["detail"]


def test_what_could_not_be_seen_is_looked_at_again() -> None:
    store, clock = MemoryStore(), Clock()
    made_up = world()
    good = made_up.answers[f"{SHOP}/pulls/1/reviews"]
    made_up.answers[f"{SHOP}/pulls/1/reviews"] = NOT_SEEN
    assert check(run(made_up.hub(), store=store, clock=clock), "change_log")["status"] == "UNKNOWN"
    made_up.answers[f"{SHOP}/pulls/1/reviews"] = good
    clock.now += timedelta(days=1)
    verdict = check(run(made_up.hub(), store=store, clock=clock), "change_log")
    assert (verdict["status"], verdict["population"]) == ("PASS", 1)


def test_a_window_of_ones_own_leaves_no_trace_for_the_next_run() -> None:
    store, clock = MemoryStore(), Clock()
    made_up = world()
    outcome = run(
        made_up.hub(), store=store, clock=clock,
        start=NOW - timedelta(days=20), end=NOW - timedelta(days=10),
    )  # fmt: skip
    assert check(outcome, "change_log")["status"] == "NOT_APPLICABLE"
    assert outcome.status["collector"]["github"]["seen_to"] == {}
    assert check(run(made_up.hub(), store=store, clock=clock), "change_log")["population"] == 1


def test_1200_runs_a_day_are_sliced_and_add_up() -> None:
    made_up = World()
    every = [workflow_run(n, "m1", ago(seconds=72 * n)) for n in range(3600)]

    def listed(query: Any) -> Any:
        start, _, end = query["created"].partition("..")
        return [r for r in every if start <= r["created_at"] <= end]

    made_up.answers[f"{SHOP}/actions/runs"] = listed
    hub = made_up.hub()
    assert check(run(hub), "change_log")["status"] == "NOT_APPLICABLE"
    asked = [a for a in hub.asked if "/actions/runs" in a]
    assert len(asked) < 36 * 1.2 + 31  # full pages, and a look at every day


def test_runs_that_are_not_all_listed_are_unknown() -> None:
    made_up = World()
    every = [workflow_run(n, "m1", ago(days=1)) for n in range(1200)]  # all in one second
    made_up.answers[f"{SHOP}/actions/runs"] = lambda query: [
        r for r in every if query["created"][:20] <= r["created_at"] <= query["created"][22:]
    ]
    verdict = check(run(made_up.hub()), "change_log")
    assert verdict["status"] == "UNKNOWN" and "counts 1200 workflow runs" in verdict["detail"]


def test_runs_that_do_not_add_up_are_unknown() -> None:
    made_up = World()
    short = {"total_count": 3, "workflow_runs": [workflow_run(1, "m1", ago(days=1))]}
    made_up.answers[f"{SHOP}/actions/runs"] = short
    verdict = check(run(made_up.hub()), "change_log")
    assert verdict["status"] == "UNKNOWN" and "counts 3 workflow runs" in verdict["detail"]


@pytest.mark.parametrize("count", [300, pytest.param(3000, marks=pytest.mark.judge)])
def test_many_requests_are_paged(count: int) -> None:
    made_up = World()
    for n in range(count):
        made_up.merged(n, at=ago(days=2, seconds=count - n))
        made_up.answers[f"{SHOP}/pulls/{n}/reviews"] = [
            review("bob", f"h{n}", at=ago(days=2, hours=2))
        ]
    hub = made_up.hub()
    verdict = check(run(hub), "change_log")
    assert (verdict["status"], verdict["population"]) == ("PASS", count)
    assert len(hub.asked) <= 1.02 * (3 * count + count / 50 + 31)


@pytest.mark.parametrize(
    "repositories", [10, pytest.param(200, marks=pytest.mark.judge)], ids=["10", "200"]
)
def test_requests_are_few_and_go_out_together(repositories: int) -> None:
    made_up = World()
    made_up.names.clear()
    for r in range(repositories):
        made_up.repository(f"r{r:03}")
        for n in range(50):
            made_up.merged(n, f"r{r:03}")
    hub = made_up.hub(seconds=0.002)
    assert check(run(hub), "change_log")["population"] == repositories * 50
    of_a_request = 3  # reviews, commits, checks
    of_a_repository = 14  # one page of each list that is asked for
    least = repositories * (50 * of_a_request + of_a_repository) + 6
    assert len(hub.asked) <= 1.2 * least
    assert len(hub.asked) == len(set(hub.asked)), "asked twice"
    assert hub.most > 8


def test_what_an_auditor_asks_for_is_kept_and_what_is_not_seen_is_said() -> None:
    made_up, store = World(), MemoryStore()
    made_up.answers |= {
        f"{SHOP}/keys": [{"id": 1, "title": "ci", "read_only": False, "added_by": "ada"}],
        f"{SHOP}/environments": [made("environment", name="production", protection_rules=[])],
        f"{SHOP}/dependabot/alerts": NOT_SEEN,
    }
    run(made_up.hub(), store=store)
    access = kept(store, "access.json")
    assert [m["login"] for m in access["members"]] == ["ada", "bob"]
    [shop] = access["repositories"].values()
    assert shop["deploy_keys"][0]["read_only"] is False and shop["open_dependabot_alerts"] is None
    assert "vulnerability_alerts:read" in access["not_seen"]["acme/shop: dependabot_alerts"]
