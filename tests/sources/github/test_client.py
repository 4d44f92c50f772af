"""How GitHub is asked: retries, rate limits, pages, what moved, and at which address."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cdk_soc2.control import CannotLook
from cdk_soc2.sources.github.cache import FolderCache
from cdk_soc2.sources.github.client import Client, PlainToken
from tests.evidence.memory import MemoryStore
from tests.sources.github.server import Error, Hub, serving
from tests.sources.github.world import NOW, Clock, World, check, lines, run, verdicts

Fault = Callable[[str, int], Error | None]
RESET = str(int((NOW + timedelta(minutes=40)).timestamp()))
PRIMARY = Error(
    403, "API rate limit exceeded", {"x-ratelimit-remaining": "0", "x-ratelimit-reset": RESET}
)
SECONDARY = Error(403, "You have exceeded a secondary rate limit", {"retry-after": "90"})
UNTIMED = Error(403, "You have exceeded a secondary rate limit. Please wait.")
TOO_MANY = Error(429, "Too many requests")


def once(error: Error, at: int = 5) -> Fault:
    return lambda path, number: error if number == at else None


def until(error: Error, tries: int, end: str) -> Fault:
    """Spoils the first *tries* requests of what ends so."""
    left = [tries]

    def fault(path: str, number: int) -> Error | None:
        if not path.endswith(end) or left[0] == 0:
            return None
        left[0] -= 1
        return error

    return fault


WAITS: dict[str, tuple[Error, float, str]] = {
    "primary": (PRIMARY, 2401, "primary rate limit is reached; waiting until 01:40:01 UTC"),
    "secondary": (SECONDARY, 90, "secondary rate limit is reached; waiting until 01:01:30 UTC"),
    "secondary, no time named": (UNTIMED, 60, "waiting until 01:01:00 UTC"),
    "too many": (TOO_MANY, 60, "waiting until 01:01:00 UTC"),
}


@pytest.mark.parametrize("name", WAITS)
def test_at_a_rate_limit_it_waits_says_so_and_goes_on(name: str) -> None:
    error, seconds, words = WAITS[name]
    clock, said = Clock(), list[str]()
    outcome = run(World().hub(faults=once(error)), clock=clock, said=said)
    assert set(verdicts(outcome).values()) == {"PASS", "NOT_APPLICABLE"}
    assert len(said) == 1 and words in said[0]
    assert max(clock.waited) == pytest.approx(seconds, abs=1)


def test_a_limit_that_is_never_lifted_is_unknown() -> None:
    def limited(path: str, number: int) -> Error | None:
        return TOO_MANY if path.endswith("/protection") else None

    verdict = check(run(World().hub(faults=limited)), "branch_protection")
    assert verdict["status"] == "UNKNOWN" and "429" in verdict["detail"]


@pytest.mark.parametrize("status", [500, 502, 503])
def test_an_error_of_the_server_is_asked_again(status: int) -> None:
    hub = World().hub(faults=until(Error(status), 3, "/protection"))
    assert check(run(hub), "branch_protection")["status"] == "PASS"
    assert sum("/protection" in asked for asked in hub.asked) == 4


def test_an_error_that_stays_is_unknown_and_costs_nothing_else() -> None:
    outcome = run(World().hub(faults=until(Error(502), 99, "/protection")))
    found = verdicts(outcome)
    assert found.pop("branch_protection") == "UNKNOWN"
    assert "UNKNOWN" not in found.values() and outcome.recorded


def test_a_token_that_is_not_accepted_ends_the_run() -> None:
    with pytest.raises(CannotLook, match="token was not accepted: Bad credentials"):
        run(World().hub(faults=lambda path, number: Error(401, "Bad credentials")))


def test_a_server_that_is_not_there_ends_the_run() -> None:
    clock = Clock()
    from cdk_soc2.boundary import Boundary
    from cdk_soc2.sources.github.collect import Wanted, collect

    client = Client(PlainToken("t"), "http://127.0.0.1:9", clock=clock, sleep=clock.sleep)
    with pytest.raises(CannotLook, match="got no answer"):
        collect(Wanted("acme"), Boundary(), client, MemoryStore(), None, collector={}, clock=clock)


def test_enterprise_addresses_have_a_path_and_pages_stay_there() -> None:
    made_up = World()
    for n in range(250):
        made_up.repository(f"r{n:03}")
    hub = made_up.hub(prefix="/api/v3")
    outcome = run(hub)
    assert check(outcome, "branch_protection")["observed"] == 251
    assert outcome.status["collector"]["github"]["api_url"].endswith("/api/v3")
    assert all(asked.startswith("/api/v3/") for asked in hub.asked)
    assert hub.tokens == {"Bearer t0ken"}


def test_a_repository_that_moved_is_followed() -> None:
    made_up = World()
    moved = Error(301, "Moved Permanently", {"Location": "/repos/acme/shop"})
    made_up.answers["/repos/acme/store"] = moved
    verdict = check(run(made_up.hub(), repositories=("store",)), "branch_protection")
    assert [o["subject"] for o in verdict["observations"]] == ["acme/shop"]


def test_a_token_is_not_sent_elsewhere() -> None:
    made_up = World()
    away = Error(301, "Moved Permanently", {"Location": "http://127.0.0.2:1/repos/acme/shop"})
    made_up.answers["/repos/acme/store"] = away
    verdict = check(run(made_up.hub(), repositories=("store",)), "branch_protection")
    assert verdict["status"] == "UNKNOWN" and "301" in verdict["detail"]


def test_a_repository_that_is_not_found_costs_no_other() -> None:
    outcome = run(World().hub(), repositories=("shop", "gone"))
    verdict = check(outcome, "branch_protection")
    assert {o["subject"]: str(o["status"]) for o in verdict["observations"]} == {
        "acme/shop": "PASS",
        "acme/gone": "UNKNOWN",
    }


def test_repositories_that_cannot_be_listed_are_unknown() -> None:
    made_up = World()
    made_up.answers["/orgs/acme/repos"] = Error(404, "Not Found")
    found = verdicts(run(made_up.hub()))
    assert found.pop("organization_two_factor") == "PASS"
    assert set(found.values()) == {"UNKNOWN"}


def test_what_did_not_change_is_not_sent_again(tmp_path: Path) -> None:
    made_up, clock = World(), Clock()
    cache = FolderCache(tmp_path / "cache")
    store = MemoryStore()
    run(made_up.hub(), unchanged=cache, clock=clock)
    outcome = run(made_up.hub(), unchanged=_Moved(cache), clock=clock, store=store)
    assert set(verdicts(outcome).values()) == {"PASS", "NOT_APPLICABLE"}
    kept = list(lines(store))
    assert all(line["unchanged"] and line["answer"] is not None for line in kept)
    assert {p.stat().st_mode & 0o777 for p in (tmp_path / "cache").iterdir()} == {0o600}


class _Moved:
    """The server of the test has another port each time; the cache knows addresses."""

    def __init__(self, cache: FolderCache) -> None:
        self._kept = {u.partition("//")[2].partition("/")[2]: v for u, v in _all(cache).items()}

    def get(self, url: str) -> Any:
        return self._kept.get(url.partition("//")[2].partition("/")[2])

    def put(self, url: str, etag: str, body: Any, next: str | None) -> None:
        raise AssertionError(f"{url} was sent again")


def _all(cache: FolderCache) -> dict[str, Any]:
    import json

    found = [json.loads(p.read_text()) for p in cache._folder.iterdir()]  # pyright: ignore
    return {k["url"]: (k["etag"], k["body"], k["next"]) for k in found}


def test_every_answer_is_kept_with_its_question() -> None:
    store, hub = MemoryStore(), World().hub()
    run(hub, store=store)
    kept = list(lines(store))
    assert {line["service"] for line in kept} == {"github"}
    assert all(line["request_id"] == "ABCD:1234" and line["date"] for line in kept)
    asked = {a.partition("?")[0] for a in hub.asked}
    assert {_path(line) for line in kept} == asked


def _path(line: dict[str, Any]) -> str:
    path = line["operation"].removeprefix("GET ")
    for name, value in line["parameters"].items():
        path = path.replace(f"{{{name}}}", str(value))
    return path


def test_a_secret_that_was_found_is_not_kept() -> None:
    made_up, store = World(), MemoryStore()
    made_up.answers["/repos/acme/shop/secret-scanning/alerts"] = [
        {"number": 1, "state": "open", "secret": "hunter2"}
    ]
    run(made_up.hub(), store=store)
    assert not [v.key for v in store.versions() if b"hunter2" in store.get(v.key)]


def test_requests_go_out_together_but_not_too_many() -> None:
    made_up = World()
    for n in range(40):
        made_up.repository(f"r{n:03}")
    hub = made_up.hub(seconds=0.01)
    run(hub)
    assert 8 < hub.most <= 16


def test_the_public_address_is_asked_at_a_measured_pace() -> None:
    clock = Clock()
    client = Client(PlainToken("t"), clock=clock, sleep=clock.sleep)
    for _ in range(901):
        client._take_turn()  # pyright: ignore[reportPrivateUsage]
    assert clock.now - NOW == pytest.approx(timedelta(minutes=1), abs=timedelta(seconds=1))


def test_an_answer_that_is_not_json_is_no_answer() -> None:
    hub = Hub({"/x": Error(200, "ok")})
    with serving(hub) as address:
        client = Client(PlainToken("t"), address)
        assert client.get(f"{address}/x").status == 200
