"""Runs against an Argo CD on loopback: what is lost is told, what was not seen never passes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import urllib3

from cdk_soc2.boundary import Boundary, parse
from cdk_soc2.control import Control
from cdk_soc2.controls.change_management import CHANGE_MANAGEMENT
from cdk_soc2.evidence.seal import Outcome
from cdk_soc2.evidence.signer import Signer
from cdk_soc2.evidence.verify import verify
from cdk_soc2.sources.argocd.collect import collect
from cdk_soc2.sources.argocd.control import DEPLOYMENTS
from cdk_soc2.sources.argocd.server import BadAddress, base_url
from cdk_soc2.sources.changes import Change, Kind
from cdk_soc2.sources.elsewhere import changes_elsewhere, changes_in
from tests.evidence.memory import MemoryStore
from tests.evidence.vault import key
from tests.sources.argocd_server import (
    SCHEMA,
    START,
    TOKEN,
    FakeArgoCd,
    app,
    breaches,
    error,
    rfc,
    sync,
)

NOW = datetime(2026, 11, 23, 1, 0, 5, tzinfo=UTC)
APPLICATIONS = "/api/v1/applications"
CAN_I = "/api/v1/account/can-i/applications/get/*/*"
TEN = tuple(range(25, 35))


def run(
    server: FakeArgoCd,
    store: MemoryStore,
    *,
    day: int = 0,
    name: str = "prod",
    token: str = TOKEN,
    signer: Signer | None = key("a"),  # noqa: B008  made once, and never changed
    boundary: Boundary | None = None,
    projects: tuple[str, ...] = (),
    waits: list[float] | None = None,
) -> Outcome:
    moments = iter([NOW + timedelta(days=day, seconds=n) for n in range(200)])
    waited = waits if waits is not None else []
    return collect(
        name,
        server.url,
        token,
        store,
        signer,
        boundary=boundary or Boundary(),
        collector={"version": "0", "code_sha256": "0" * 64, "trigger": "test"},
        clock=lambda: next(moments),
        projects=projects,
        sleep=waited.append,
        timeout=urllib3.Timeout(connect=1, read=0.3),
    )


def check(outcome: Outcome) -> dict[str, Any]:
    assert outcome.recorded, outcome.trouble
    return outcome.status["controls"]["change_management"]["checks"]["deployment_history"]


def told(outcome: Outcome) -> str:
    return " | ".join(o["detail"] for o in check(outcome)["observations"])


# The first look: (application, verdict, what is said)
FIRST: dict[str, tuple[dict[str, Any], str, str]] = {
    "all there from the beginning": (app("shop", 0, 1, 2), "PASS", "ids 0 to 2 kept, 3 new"),
    "ten kept, the oldest over 30 days ago": (
        app("shop", *range(5, 15), status__operationState=None),
        "PASS",
        "ids 5 to 14 kept",
    ),
    "ten kept, the oldest lately": (app("shop", *TEN), "UNKNOWN", "what was before was dropped"),
    "a hole": (app("shop", 0, 1, 3), "FAIL", "1 syncs are lost: ids 2"),
    "several holes": (app("shop", 5, 9, 11, 12), "FAIL", "4 syncs are lost: ids 6 to 8, 10"),
    "never synced": (app("shop"), "PASS", "never synced as a whole"),
    "history is null": (app("shop", status__history=None), "PASS", "never synced"),
    "keeps none": (app("shop", spec__revisionHistoryLimit=0), "FAIL", "keeps no history"),
    "succeeded, and not in the history": (
        app(
            "shop",
            status__operationState={
                "phase": "Succeeded",
                "startedAt": rfc(NOW - timedelta(hours=3)),
            },
        ),
        "FAIL",
        "succeeded and is not in the history",
    ),
    "failed, so not in the history": (
        app(
            "shop",
            0,
            status__operationState={"phase": "Failed", "startedAt": rfc(NOW - timedelta(hours=3))},
        ),
        "PASS",
        "last operation Failed",
    ),
    "a dry run": (
        app(
            "shop",
            0,
            status__operationState={
                "phase": "Succeeded",
                "startedAt": rfc(NOW - timedelta(hours=3)),
                "operation": {"sync": {"dryRun": True}},
            },
        ),
        "PASS",
        "id 0 kept",
    ),
    "single resources": (
        app(
            "shop",
            0,
            status__operationState={
                "phase": "Succeeded",
                "startedAt": rfc(NOW - timedelta(hours=3)),
                "operation": {"sync": {"resources": [{"kind": "Deployment", "name": "web"}]}},
            },
        ),
        "UNKNOWN",
        "single resources",
    ),
    "by Argo CD itself": (
        app("shop", status__history=[sync(0, by=None)]),
        "PASS",
        "by Argo CD itself",
    ),
    "several sources": (
        app(
            "shop",
            status__history=[
                {**sync(0), "revision": "", "revisions": ["a" * 40, "b" * 40], "sources": []}
            ],
        ),
        "PASS",
        "(aaaaaaaaaaaa, bbbbbbbbbbbb)",
    ),
}
MALFORMED: dict[str, dict[str, Any]] = {
    "an id is a word": app("shop", status__history=[{**sync(0), "id": "0"}]),
    "an id is missing": app("shop", status__history=[{"deployedAt": rfc(START)}]),
    "an id is negative": app("shop", status__history=[{**sync(0), "id": -7}]),
    "an id stands twice": app("shop", 0, 0),
    "a deployment without a time": app("shop", status__history=[{"id": 0}]),
    "a time that is none": app("shop", status__history=[{**sync(0), "deployedAt": "soon"}]),
    "a history that is no list": app("shop", status__history={"id": 0}),
    "no metadata": {"spec": {}},
}  # fmt: skip


@pytest.mark.parametrize("name", FIRST)
def test_the_first_look(name: str) -> None:
    application, status, said = FIRST[name]
    with FakeArgoCd([application]) as server:
        outcome = run(server, MemoryStore())
    assert (check(outcome)["status"], check(outcome)["population"]) == (status, 1)
    assert said in told(outcome)


@pytest.mark.parametrize("name", MALFORMED)
def test_an_answer_that_is_not_as_promised_is_unknown_and_costs_no_other(name: str) -> None:
    with FakeArgoCd([MALFORMED[name], app("good", 0)]) as server:
        outcome = run(server, MemoryStore())
    assert [o["status"] for o in check(outcome)["observations"]] == ["UNKNOWN", "PASS"]


@pytest.mark.parametrize("name", FIRST)
def test_the_fixtures_are_as_argo_cd_describes_them(name: str) -> None:
    assert breaches(FIRST[name][0], SCHEMA["v1alpha1Application"]) == []


def test_the_description_has_teeth() -> None:
    wrong = app("shop", status__history=[{**sync(0), "id": "0", "who": "ada"}])
    assert breaches(wrong, SCHEMA["v1alpha1Application"]) == [
        "$.status.history[0].who is not described",
        "$.status.history[0].id: '0' is no integer",
    ]


# A day later: (before, after, verdict, what is said)
App = dict[str, Any]
AGAIN = NOW + timedelta(hours=20)
LATER: dict[str, tuple[list[App], list[App], str, str]] = {
    "nothing new": ([app("shop", 0, 1)], [app("shop", 0, 1)], "PASS", "none new"),
    "two more": ([app("shop", 0, 1)], [app("shop", 0, 1, 2, 3)], "PASS", "2 new, the last at"),
    "ten more": ([app("shop", *TEN)], [app("shop", *range(35, 45))], "PASS", "10 new"),
    "eleven more": (
        [app("shop", *TEN)],
        [app("shop", *range(36, 46))],
        "FAIL",
        "1 syncs are lost: ids 35 are neither in the history (ids 36 to 45) nor collected before",
    ),
    "a hole that was collected before": (
        [app("shop", 0, 1, 2)],
        [app("shop", 0, 2, 3)],
        "PASS",
        "1 new",
    ),
    "cut": ([app("shop", 0, 1, 2)], [app("shop", 0, 1)], "FAIL", "ends with id 1, and id 2 was"),
    "emptied": ([app("shop", 0)], [app("shop")], "FAIL", "ends with none, and id 0 was collected"),
    "begun anew": ([app("shop", *TEN)], [app("shop", 0, 1)], "FAIL", "cut or begun anew"),
    "deleted": ([app("shop", 0), app("till", 0)], [app("shop", 0)], "UNKNOWN", "deleted since"),
    "deleted and made anew": (
        [app("shop", *TEN)],
        [app("shop", 0, 1, uid="2", made=AGAIN)],
        "UNKNOWN",
        "deleted and made anew since the run before; its syncs after id 34 are not known",
    ),
    "made anew, and synced past the old one": (
        [app("shop", 0, 1)],
        [app("shop", *TEN, uid="2", made=AGAIN)],
        "FAIL",
        "25 syncs are lost: ids 0 to 24",
    ),
    "a new one": (
        [app("shop", 0)],
        [app("shop", 0), app("till", 0, 1, made=AGAIN)],
        "PASS",
        "ids 0 to 1 kept, 2 new",
    ),
    "a new one, and its beginning is gone": (
        [app("shop", 0)],
        [app("shop", 0), app("till", *TEN, made=AGAIN)],
        "FAIL",
        "25 syncs are lost: ids 0 to 24",
    ),
    "an old one that was not seen before": (
        [app("shop", 0)],
        [app("shop", 0), app("till", *TEN)],
        "UNKNOWN",
        "first seen with ids 25 to 34",
    ),
    "the same, unreadable now": (
        [app("shop", 0)],
        [app("shop", status__history=[{"id": None}])],
        "UNKNOWN",
        "malformed",
    ),
}


@pytest.mark.parametrize("name", LATER)
def test_a_day_later(name: str) -> None:
    before, after, status, said = LATER[name]
    store = MemoryStore()
    with FakeArgoCd(before) as server:
        run(server, store)
        server.apps = after
        outcome = run(server, store, day=1)
    assert check(outcome)["status"] == status
    assert said in told(outcome)
    assert verify(store, keys={"argocd-prod": key("a").keyid}, now=NOW + timedelta(days=2)).ok


def test_ten_kept_entries_lose_nothing_when_collected_daily() -> None:
    store = MemoryStore()
    kept: set[int] = set()
    with FakeArgoCd() as server:
        for day in range(12):
            last = 8 * (day + 1)
            server.apps = [app("shop", *range(max(0, last - 9), last + 1))]
            outcome = run(server, store, day=day)
            assert check(outcome)["status"] == "PASS", told(outcome)
    for version in store.versions():
        if version.key.endswith("change_management.ndjson"):
            for line in store.get(version.key).splitlines():
                for item in json.loads(line)["answer"].get("items") or ():
                    kept |= {e["id"] for e in item["status"]["history"]}
    assert kept == set(range(97))


def test_a_run_that_saw_nothing_loses_no_place() -> None:
    store = MemoryStore()
    with FakeArgoCd([app("shop", *TEN)]) as server:
        run(server, store)
        server.spoiled[APPLICATIONS] = [(403, error(7, "permission denied"), {})]
        assert check(run(server, store, day=1))["status"] == "UNKNOWN"
        server.apps = [app("shop", *range(36, 46))]
        outcome = run(server, store, day=2)
    assert "ids 35" in told(outcome) and check(outcome)["status"] == "FAIL"


def test_a_loss_is_told_once_on_its_day() -> None:
    store = MemoryStore()
    with FakeArgoCd([app("shop", *TEN)]) as server:
        run(server, store)
        server.apps = [app("shop", *range(40, 50))]
        assert check(run(server, store, day=1))["status"] == "FAIL"
        assert check(run(server, store, day=2))["status"] == "PASS"


def test_verdicts_of_the_run_before_that_cannot_be_trusted_are_not_built_on() -> None:
    store = MemoryStore()
    with FakeArgoCd([app("shop", 0)]) as server:
        first = run(server, store)
        store.overwrite(first.location.removeprefix("s3://memory/"), b"{}")
        server.apps = [app("shop", 0, 1)]
        outcome = run(server, store, day=1)
    assert check(outcome)["status"] == "UNKNOWN" and "soc2 verify" in str(check(outcome))
    assert outcome.status["collector"]["argocd"]["applications"]["argocd/shop"]["last"] == 1


def silent(server: FakeArgoCd) -> None:
    server.stalls = 0.6


Spoil = Callable[[FakeArgoCd], object]
CANNOT: dict[str, tuple[Spoil, str, str]] = {
    "denied": (
        lambda s: s.spoiled.update({APPLICATIONS: [(403, error(7, "permission denied"), {})]}),
        "403 permission denied",
        "Allow the token's account applications, get",
    ),
    "not Argo CD": (
        lambda s: s.spoiled.update({APPLICATIONS: [(404, b"nginx", {})]}),
        "404",
        "--server",
    ),
    "a login page": (
        lambda s: s.spoiled.update({APPLICATIONS: [(200, b"<html>Sign in</html>", {})]}),
        "is not a JSON object: '<html>Sign in</html>'",
        "raw answers",
    ),
    "a redirect": (
        lambda s: s.spoiled.update({APPLICATIONS: [(302, b"", {"Location": "https://sso"})]}),
        "a redirect, which is not followed with a token",
        "final address",
    ),
    "broken, and stays so": (
        lambda s: s.spoiled.update({APPLICATIONS: [(503, error(14, "unavailable"), {})] * 3}),
        "503 unavailable",
        "run again",
    ),
    "silent": (silent, "got no answer", "can be reached"),
    "no items": (
        lambda s: s.spoiled.update({APPLICATIONS: [(200, {"metadata": {}}, {})]}),
        "has no items",
        "raw answers",
    ),
    "more pages than Argo CD has": (
        lambda s: setattr(s, "listing", {"metadata": {"continue": "abc"}}),
        "is not whole",
        "raw answers",
    ),
    "items that are none": (
        lambda s: setattr(s, "listing", {"items": ["shop"]}),
        "holds what is none",
        "raw answers",
    ),
    "a token for some applications": (
        lambda s: setattr(s, "can", "no"),
        "left out of the list",
        "applications, get, */*, allow",
    ),
    "nothing to see, and no word why": (
        lambda s: (setattr(s, "apps", []), setattr(s, "can", None)),
        "no application, and whether the token may get any is not told",
        "Allow",
    ),
    "nothing to see, and may not": (
        lambda s: (setattr(s, "hidden", ("shop",)), setattr(s, "can", "no")),
        "left out of the list",
        "Allow",
    ),
    "whether all is seen is denied": (
        lambda s: s.spoiled.update({CAN_I: [(403, error(7, "no"), {})]}),
        "403 no",
        "Allow",
    ),
}


@pytest.mark.parametrize("name", CANNOT)
def test_what_cannot_be_seen_is_unknown_with_a_remedy_and_recorded(name: str) -> None:
    spoil, reason, remedy = CANNOT[name]
    store = MemoryStore()
    with FakeArgoCd([app("shop", 0)]) as server:
        spoil(server)
        outcome = run(server, store)
    assert check(outcome)["status"] == "UNKNOWN"
    unseen = [o for o in check(outcome)["observations"] if o["status"] == "UNKNOWN"]
    assert reason in unseen[0]["detail"] and remedy in unseen[0]["remedy"]
    assert verify(store, now=NOW + timedelta(days=1)).ok


def test_a_server_that_is_gone_is_unknown_and_recorded() -> None:
    with FakeArgoCd() as server:
        pass
    outcome = run(server, MemoryStore())
    assert check(outcome)["status"] == "UNKNOWN" and "got no answer" in told(outcome)


def test_a_wrong_token_is_unknown_and_kept_nowhere() -> None:
    store = MemoryStore()
    with FakeArgoCd([app("shop", 0)]) as server:
        outcome = run(server, store, token="head.wrong-token.sign")
    assert check(outcome)["status"] == "UNKNOWN" and "401" in told(outcome)
    assert not [v.key for v in store.versions() if b"wrong-token" in store.get(v.key)]


def test_no_application_at_all_is_not_applicable_when_the_token_may_get_all() -> None:
    with FakeArgoCd() as server:
        assert check(run(server, MemoryStore()))["status"] == "NOT_APPLICABLE"


def test_a_server_that_does_not_tell_what_the_token_may_get_is_said() -> None:
    with FakeArgoCd([app("shop", 0)], can=None) as server:
        found = check(run(server, MemoryStore()))
    assert (found["status"], [e["subject"] for e in found["exclusions"]]) == ("PASS", ["*/*"])


def test_an_application_that_the_token_lost_stays_unknown_until_it_is_seen_again() -> None:
    store = MemoryStore()
    with FakeArgoCd([app("shop", 0), app("till", 0)]) as server:
        run(server, store)
        server.hidden = ("till",)
        for day in (1, 2):
            outcome = run(server, store, day=day)
            assert check(outcome)["status"] == "UNKNOWN" and "no longer listed" in told(outcome)
        server.hidden = ()
        assert check(run(server, store, day=3))["status"] == "PASS"


def test_what_fails_for_a_moment_is_asked_again_and_both_answers_are_kept() -> None:
    store, waits = MemoryStore(), list[float]()
    busy = (429, error(8, "slow down"), {"Retry-After": "7"})
    with FakeArgoCd([app("shop", 0)]) as server:
        server.spoiled[APPLICATIONS] = [busy, (502, b"bad gateway", {})]
        outcome = run(server, store, waits=waits)
    assert (check(outcome)["status"], waits) == ("PASS", [7, 2])
    lines = answers(store)
    assert [line["status"] for line in lines] == [429, 502, 200, 200]
    assert lines[0]["headers"]["retry-after"] == "7"


def test_projects_in_scope_are_asked_for_and_others_left_alone() -> None:
    store = MemoryStore()
    apps = [app("shop", 0), app("lab", 3, 9, spec__project="lab")]
    with FakeArgoCd(apps) as server:
        assert check(run(server, store))["status"] == "FAIL"
        outcome = run(server, store, day=1, projects=("shop",))
    assert (check(outcome)["status"], check(outcome)["population"]) == ("PASS", 1)
    assert f"{APPLICATIONS}?projects=shop" in server.asked
    assert "/api/v1/account/can-i/applications/get/shop/*" in server.asked
    position = outcome.status["collector"]["argocd"]
    assert position["projects"] == ["shop"] and "argocd/lab" in position["applications"]


def test_several_argo_cds_are_several_sources() -> None:
    store = MemoryStore()
    with FakeArgoCd([app("shop", 0)]) as one, FakeArgoCd([app("shop", 0, 1)]) as two:
        run(one, store, name="eu", signer=key("a"))
        run(two, store, name="us", signer=key("b"))
        assert check(run(one, store, name="eu", day=1, signer=key("a")))["status"] == "PASS"
        mixed = run(two, store, name="eu", day=2, signer=key("a"))
    assert check(mixed)["status"] == "UNKNOWN" and "a --name of its own" in str(check(mixed))
    found = verify(store, now=NOW + timedelta(days=3))
    assert found.ok and [s.source for s in found.sources] == ["argocd-eu", "argocd-us"]


def test_several_clusters_of_one_argo_cd_are_told_apart() -> None:
    apps = [
        app("shop-eu", 0, spec__destination={"name": "eu", "namespace": "shop"}),
        app("shop-us", 0, 2, spec__destination={"name": "us", "namespace": "shop"}),
    ]
    with FakeArgoCd(apps) as server:
        found = check(run(server, MemoryStore()))
    assert [o["status"] for o in found["observations"]] == ["PASS", "FAIL"]
    assert "on eu" in found["observations"][0]["detail"]


def test_an_accepted_loss_is_an_exclusion() -> None:
    accepted = {
        "check": "deployment_history",
        "subject": "argocd/shop",
        "reason": "migrated; see CHG-7",
        "reviewed_by": "ada",
        "until": "2026-12-31",
    }
    with FakeArgoCd([app("shop", 0, 2)]) as server:
        outcome = run(server, MemoryStore(), boundary=parse({"accepted_exceptions": [accepted]}))
    assert check(outcome)["status"] == "NOT_APPLICABLE"
    assert check(outcome)["exclusions"][0]["reason"] == "migrated; see CHG-7"


def test_the_first_look_reaches_no_further_than_the_period() -> None:
    period = parse({"period": {"start": "2026-11-20", "end": "2027-02-20"}})
    with FakeArgoCd([app("shop", *TEN)]) as server:
        assert check(run(server, MemoryStore(), boundary=period))["status"] == "PASS"


def test_the_raw_answers_are_kept_without_what_may_be_secret() -> None:
    store = MemoryStore()
    source = {
        "repoURL": "https://git.example.com/shop",
        "helm": {"parameters": [{"name": "password", "value": "hunter2"}], "values": "hunter2"},
        "plugin": {"env": [{"name": "TOKEN", "value": "hunter2"}]},
    }
    applied = {"kubectl.kubernetes.io/last-applied-configuration": "hunter2"}
    secretive = app("shop", 0, spec__source=source, metadata__annotations=applied)
    secretive["status"]["history"][0]["source"] = source
    with FakeArgoCd([secretive]) as server:
        server.spoiled[APPLICATIONS] = [
            (200, {"items": [secretive]}, {"Set-Cookie": "hunter2", "X-Request-Id": "r1"})
        ]
        outcome = run(server, store)
    assert check(outcome)["status"] == "PASS"
    kept = b"".join(store.get(v.key) for v in store.versions())
    assert b"hunter2" not in kept and TOKEN.encode() not in kept
    line = answers(store)[0]
    assert (line["request_id"], line["status"], line["operation"]) == (
        "r1",
        200,
        f"GET {APPLICATIONS}",
    )
    helm = line["answer"]["items"][0]["spec"]["source"]["helm"]
    assert helm["parameters"] == [{"name": "password", "value": "(not kept)"}]


def test_the_run_is_recorded_as_the_contract_says() -> None:
    store = MemoryStore()
    with FakeArgoCd([app("shop", 0)]) as server:
        outcome = run(server, store)
    assert outcome.status["source"] == "argocd-prod"
    assert outcome.status["collector"]["principal_arn"] == f"{server.url} as ci:apiKey"
    folder = f"daily/2026-11-23/argocd-prod/{outcome.status['run']}"
    assert {v.key for v in store.versions()} == {
        f"{folder}/answers/change_management.ndjson",
        f"{folder}/answers/changes.json",
        f"{folder}/boundary.json",
        f"{folder}/control-status.json",
        f"keys/{key('a').keyid}.pem",
        "ledger/argocd-prod/00000001.dsse.json",
    }


def table(store: MemoryStore) -> dict[str, Any]:
    """The changes that the last run found."""
    paths = [v.key for v in store.versions() if v.key.endswith("/answers/changes.json")]
    return json.loads(store.get(max(paths)))


def test_every_sync_is_a_change_to_be_reconciled() -> None:
    store = MemoryStore()
    chart = {**sync(1, by=None), "revision": "1.2.3"}
    partly = {
        "phase": "Succeeded",
        "startedAt": rfc(NOW - timedelta(hours=3)),
        "operation": {"sync": {"resources": [{"name": "web"}]}, "initiatedBy": {"username": "eve"}},
        "syncResult": {"revision": "e" * 40},
    }
    shop = app("shop", status__history=[sync(0), chart], status__operationState=partly)
    with FakeArgoCd([shop, app("till", 0, 2)]) as server:
        run(server, store)
    found = [c for c in changes_in(table(store), "argocd-prod") if c.system == "argocd/shop"]
    assert [(c.kind, c.by, c.commits, bool(c.trouble)) for c in found] == [
        (Kind.SYNC, "ada", ("0" * 40,), False),
        (Kind.SYNC, "Argo CD itself", (), True),
        (Kind.SYNC, "eve", ("e" * 40,), False),
    ]
    assert len({c.id for c in found}) == 3
    assert table(store)["unseen"] == ["argocd/shop", "argocd/till"]  # partly synced; one is lost


def test_the_syncs_of_an_application_made_anew_are_changes_of_their_own() -> None:
    store = MemoryStore()
    with FakeArgoCd([app("shop", 0)]) as server:
        run(server, store)
        [old] = changes_in(table(store), "argocd-prod")
        again = [sync(0, AGAIN + timedelta(minutes=5))]
        server.apps = [app("shop", uid="2", made=AGAIN, status__history=again)]
        run(server, store, day=1)
    [new] = changes_in(table(store), "argocd-prod")
    assert old.id != new.id


def test_the_other_sources_find_its_changes_in_the_vault() -> None:
    store = MemoryStore()
    with FakeArgoCd([app("shop", 0, 1)]) as server:
        run(server, store)
    found = changes_elsewhere(store, "github-acme", START + timedelta(hours=1), NOW)
    assert [c.id for c in found if isinstance(c, Change)] == [
        "argocd/shop#1 2026-10-02T09:00:00.000Z"
    ]


def test_it_speaks_for_the_control_that_reconciles_them() -> None:
    def identity(c: Control) -> tuple[Any, ...]:
        return c.number, c.key, c.name, c.criteria, c.handbook

    assert identity(DEPLOYMENTS) == identity(CHANGE_MANAGEMENT)


def answers(store: MemoryStore) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for v in store.versions()
        if v.key.endswith(".ndjson")
        for line in store.get(v.key).splitlines()
    ]


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("argocd.example.com", "https://argocd.example.com"),
        ("argocd.example.com:8443", "https://argocd.example.com:8443"),
        ("https://example.com/argocd/", "https://example.com/argocd"),
        ("http://localhost:8080", "http://localhost:8080"),
    ],
)
def test_addresses(given: str, used: str) -> None:
    assert base_url(given) == used


@pytest.mark.parametrize(
    "given",
    ["", "ftp://a", "http://argocd.example.com", "https://u:p@a", "https://a?b=c", "https://a:x"],
)
def test_addresses_that_lead_nowhere(given: str) -> None:
    with pytest.raises(BadAddress):
        base_url(given)


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "käse"])
def test_a_token_that_cannot_be_one_is_not_repeated(token: str) -> None:
    with FakeArgoCd() as server, pytest.raises(BadAddress) as refused:
        run(server, MemoryStore(), token=token)
    assert not token or token not in str(refused.value)
