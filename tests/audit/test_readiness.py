"""The mock audit, on vaults with one thing planted in each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from cdk_soc2.audit.archive import Archive
from cdk_soc2.audit.documents import read_documents
from cdk_soc2.audit.readiness import readiness
from cdk_soc2.audit.result import Readiness
from cdk_soc2.control import matrix
from cdk_soc2.evidence.layout import statement_name
from cdk_soc2.evidence.ledger import append
from cdk_soc2.evidence.signer import SigningUnavailable
from tests.audit.vault import (
    BROKEN,
    BY_KEY,
    CONTROLS,
    DAY,
    MATRIX,
    NONE,
    NOW,
    SECOND,
    SLOW,
    UNSEEN,
    attach,
    attach_all,
    run,
)
from tests.evidence.memory import MemoryStore
from tests.evidence.vault import key
from tests.fakes import ACCOUNT

SOURCE = f"aws-{ACCOUNT}"
AUTOMATED = {row["check"] for row in MATRIX if row["evidence"] == "automated"}
MANUAL = {"identity_provider_mfa", "runbook", "tabletop", "access_review", "restore_test"}


def look(
    store: MemoryStore,
    day: int = 3,
    *,
    now: datetime = NOW,
    only: list[str] | None = None,
    required: tuple[str, ...] = (),
    silent: int = 0,
    rows: Any = MATRIX,
) -> Readiness:
    on = DAY + timedelta(days=day - 1)
    archive = Archive(store, now, only, required)
    documents = read_documents(store, archive.manual) if archive.manual else {}
    return readiness(rows, archive.as_of(on), documents, on, silent)


def gaps(result: Readiness) -> dict[str, str]:
    return {row.asked.check: row.kind for row in result.rows if row.kind}


def all_of(kind: str) -> dict[str, str]:
    return dict.fromkeys(AUTOMATED, kind)


def good(store: MemoryStore) -> None:
    for day in (1, 2, 3):
        run(store, day)
    attach_all(store)


def status_of(store: MemoryStore, day: int, source: str = SOURCE, nth: int = 0) -> str:
    prefix = f"daily/{DAY + timedelta(days=day - 1)}/{source}/"
    paths = [v.key for v in store.versions(prefix) if v.key.endswith("control-status.json")]
    return paths[nth]


class Broken:
    keyid, pem = key(ACCOUNT).keyid, key(ACCOUNT).pem

    def sign(self, message: bytes) -> bytes:
        raise SigningUnavailable("the key is disabled")


def better(store: MemoryStore) -> None:
    """The third day's failure, painted over."""
    run(store, 3, {"guardduty": BROKEN})
    path = status_of(store, 3)
    store.replace(path, store.get(path).replace(b"FAIL", b"PASS"))


def beside(store: MemoryStore) -> None:
    """A newer version lies over the one that was signed."""
    run(store, 3)
    store.overwrite(status_of(store, 3), b"{}")


def cut(store: MemoryStore) -> None:
    run(store, 3)
    store.purge(status_of(store, 3))


def hidden(store: MemoryStore) -> None:
    run(store, 3)
    store.delete(status_of(store, 3))


def without_statement(store: MemoryStore) -> None:
    run(store, 3)
    store.purge(statement_name(SOURCE, 3))


def both_gone(store: MemoryStore) -> None:
    run(store, 3)
    for version in [*store.versions(f"daily/{DAY + timedelta(days=2)}/")]:
        store.purge(version.key)
    store.purge(statement_name(SOURCE, 3))


def unsealed(store: MemoryStore) -> None:
    run(store, 3, signer=Broken())
    run(store, 4)


def crashed(store: MemoryStore) -> None:
    """Beside a good run, one that died after its first answers."""
    run(store, 3)
    store.put(f"daily/2026-09-03/{SOURCE}/010000Z-0000abcd/answers/mfa.ndjson", b"")


def torn(store: MemoryStore) -> None:
    run(store, 3)
    name = statement_name(SOURCE, 3)
    store.replace(name, store.get(name)[:-20])


def swapped(store: MemoryStore) -> None:
    """Another run's verdicts where this run's should lie."""
    run(store, 3)
    store.replace(status_of(store, 3), store.get(status_of(store, 2)))


PLANTED: dict[str, tuple[Callable[[MemoryStore], object], Mapping[str, str]]] = {
    "nothing": (lambda s: run(s, 3), {}),
    "a check fails": (lambda s: run(s, 3, {"guardduty": BROKEN}), {"guardduty": "control"}),
    "a check of ours fails": (
        lambda s: run(s, 3, {"root_access_keys": BROKEN}),
        {"root_access_keys": "control"},
    ),
    "a check could not look": (lambda s: run(s, 3, {"mfa": UNSEEN}), {"mfa": "evidence"}),
    "nothing of the kind": (lambda s: run(s, 3, {"secrets_rotation": NONE}), {}),
    "no run": (lambda s: None, all_of("evidence")),
    "two runs, the first bad": (
        lambda s: (run(s, 3, {"mfa": BROKEN}), run(s, 3, hour=1)),
        {"mfa": "control"},
    ),
    "two runs, the last bad": (
        lambda s: (run(s, 3), run(s, 3, {"mfa": UNSEEN}, hour=1)),
        {"mfa": "evidence"},
    ),
    "an older collector": (
        lambda s: run(s, 3, asked=tuple(c for c in CONTROLS if c.key != "mfa")),
        dict.fromkeys(AUTOMATED & BY_KEY["mfa"].checks.keys(), "evidence"),
    ),
    "a run that did not finish": (
        lambda s: run(s, 3, {"mfa": SLOW}, seconds=0.5),
        all_of("evidence"),
    ),
    "verdicts made better": (better, all_of("evidence")),
    "verdicts written over": (beside, all_of("evidence")),
    "verdicts removed": (cut, all_of("evidence")),
    "verdicts under a marker": (hidden, all_of("evidence")),
    "verdicts of another run": (swapped, all_of("evidence")),
    "statement removed": (without_statement, all_of("evidence")),
    "statement torn": (torn, all_of("evidence")),
    "run and statement removed": (both_gone, all_of("evidence")),
    "not signed in its time": (unsealed, all_of("evidence")),
    "a crashed run beside a good one": (crashed, all_of("evidence")),
    "another account, good": (lambda s: (run(s, 3), run(s, 3, account=SECOND)), {}),
    "another account, bad": (
        lambda s: (run(s, 3), run(s, 3, {"mfa": BROKEN}, account=SECOND)),
        {"mfa": "control"},
    ),
    "another account, silent": (
        lambda s: (run(s, 2, account=SECOND), run(s, 3)),
        all_of("evidence"),
    ),
    "another account, later": (lambda s: (run(s, 3), run(s, 4, account=SECOND)), {}),
}


@pytest.mark.parametrize(("plant", "found"), PLANTED.values(), ids=PLANTED.keys())
def test_what_was_planted_is_found_and_nothing_else(
    plant: Callable[[MemoryStore], object], found: Mapping[str, str]
) -> None:
    store = MemoryStore()
    run(store, 1)
    run(store, 2)
    attach_all(store)
    plant(store)
    result = look(store)
    assert gaps(result) == found
    assert result.ready is not bool(found)
    assert all(row.next for row in result.rows if not row.ready)


DOCUMENTS: dict[str, tuple[Callable[[MemoryStore], object], str | None, str]] = {
    "current": (lambda s: attach(s, "runbook", "incident_response"), None, "current to"),
    "none": (lambda s: None, "process", ""),
    "later": (lambda s: attach(s, "runbook", "incident_response", 4), "process", ""),
    "too old": (
        lambda s: attach(s, "runbook", "incident_response", -363),
        "process",
        "no longer current",
    ),
    "ended": (
        lambda s: attach(s, "runbook", "incident_response", 1, effective_to="2026-09-02"),
        "process",
        "no longer current",
    ),
    "renewed": (
        lambda s: (
            attach(s, "runbook", "incident_response", -400),
            attach(s, "runbook", "incident_response", 2),
        ),
        None,
        "effective 2026-09-02",
    ),
    "reviewed by its author": (
        lambda s: attach(s, "runbook", "incident_response", reviewed_by="ada"),
        "process",
        "two people",
    ),
    "says another day": (
        lambda s: attach(s, "runbook", "incident_response", effective_from="2026-01-01"),
        "process",
        "effective from",
    ),
    "of nothing": (
        lambda s: attach(s, "runbook", "incident_response", files=[]),
        "process",
        "(none)",
    ),
    "of another file": (
        lambda s: attach(
            s,
            "runbook",
            "incident_response",
            files=[{"name": "document.md", "digest": {"sha256": "0" * 64}}],
        ),
        "process",
        "document.md",
    ),
    "changed": (
        lambda s: s.replace(attach(s, "runbook", "incident_response"), b"{}"),
        "process",
        "statement 1",
    ),
}


@pytest.mark.parametrize(("plant", "kind", "detail"), DOCUMENTS.values(), ids=DOCUMENTS.keys())
def test_a_document(plant: Callable[[MemoryStore], object], kind: str | None, detail: str) -> None:
    store = MemoryStore()
    run(store, 3)
    plant(store)
    [row] = [row for row in look(store).rows if row.asked.check == "runbook"]
    assert row.kind == kind
    assert detail in (row.evidence[0].detail if row.evidence else "")


def test_an_empty_account_row_by_row() -> None:
    """A control that does not exist yet is never ready."""
    store = MemoryStore()
    trail = (BY_KEY["cloudtrail"],)
    run(store, 1, asked=trail)
    result = look(store, 1, rows=matrix(trail))
    assert {row.asked.control for row in result.rows if row.ready} == {"cloudtrail"}
    kinds = {row.asked.check: row.kind for row in result.rows}
    assert kinds["mfa"] == kinds["change_log"] == "evidence"
    assert {check for check, kind in kinds.items() if kind == "process"} == MANUAL
    [mfa] = [row for row in result.rows if row.asked.check == "mfa"]
    assert mfa.evidence == () and "Not collected yet" in str(mfa.next)


def test_what_only_the_vault_knows_is_told() -> None:
    store = MemoryStore()
    run(store, 1, {"guardduty": BROKEN})
    result = look(store, 1, rows=matrix([BY_KEY["mfa"]]))
    assert gaps(result)["guardduty"] == "control"
    result = look(store, 1, rows=[])
    assert any(row.asked.check == "root_access_keys" for row in result.rows)


def test_the_evidence_and_the_next_step_are_named() -> None:
    store = MemoryStore()
    good(store)
    run(store, 4, {"guardduty": BROKEN})
    run(store, 4, hour=2)
    result = look(store, 4)
    [row] = [row for row in result.rows if row.asked.check == "guardduty"]
    first, second = row.evidence
    assert first.path == status_of(store, 4) and second.path == status_of(store, 4, nth=1)
    assert (first.statement, second.statement, first.day) == (4, 5, DAY + timedelta(days=3))
    assert "guardduty broken" in first.detail
    assert row.next and row.next.startswith("Mend guardduty.") and "later run" in row.next


def test_an_account_of_the_boundary_without_evidence() -> None:
    store = MemoryStore()
    good(store)
    result = look(store, required=(SOURCE, f"aws-{SECOND}"))
    assert gaps(result) == all_of("evidence")
    assert f"no run of aws-{SECOND}" in result.rows[0].evidence[0].detail


def test_one_source_only() -> None:
    store = MemoryStore()
    good(store)
    run(store, 3, {"mfa": BROKEN}, account=SECOND)
    assert gaps(look(store, only=[SOURCE, "manual"])) == {}
    assert gaps(look(store))["mfa"] == "control"


def test_while_the_day_is_not_over_yesterday_speaks() -> None:
    store = MemoryStore()
    good(store)
    run(store, 3, account=SECOND)
    run(store, 4)
    morning = datetime(2026, 9, 4, 1, tzinfo=NOW.tzinfo)
    assert look(store, 4, now=morning).ready
    assert gaps(look(store, 4)) == all_of("evidence")


def test_a_run_under_way_is_not_judged_yet() -> None:
    store = MemoryStore()
    good(store)
    store.put(f"daily/2026-09-04/{SOURCE}/000000Z-0000abcd/answers/mfa.ndjson", b"")
    soon = datetime(2026, 9, 4, 0, 10, tzinfo=NOW.tzinfo)
    assert Archive(store, soon).newest() == DAY + timedelta(days=2)
    assert look(store, 4, now=soon).ready
    late = soon + timedelta(hours=1)
    assert Archive(store, late).newest() == DAY + timedelta(days=3)
    assert gaps(look(store, 4, now=late)) == all_of("evidence")


def test_a_collector_that_stopped() -> None:
    store = MemoryStore()
    good(store)
    assert gaps(look(store, silent=9)) == {"evidence_schedule": "evidence"}


def test_unsigned_evidence_is_said_to_be() -> None:
    store = MemoryStore()
    run(store, 1, unsigned=True)
    result = look(store, 1)
    assert not result.signed and gaps(result).keys() == MANUAL
    signed = MemoryStore()
    run(signed, 1)
    assert look(signed, 1).signed


def test_the_shape_of_the_result() -> None:
    store = MemoryStore()
    good(store)
    told = json.loads(json.dumps(look(store).to_json()))
    assert (told["ready"], told["on"]) == (True, "2026-09-03")
    numbers = list(dict.fromkeys(row["number"] for row in told["rows"]))
    assert numbers == [*range(1, 14), None]
    for row in told["rows"]:
        assert {"control", "check", "ready", "kind", "evidence", "next"} <= row.keys()
        assert (row["ready"], row["kind"], row["next"]) == (True, None, None)
        assert store.get(row["evidence"][0]["path"])


def test_only_what_is_needed_is_read() -> None:
    class Counting(MemoryStore):
        reads = 0

        def get(self, key: str, version: str | None = None) -> bytes:
            self.reads += 1
            return super().get(key, version)

    store = Counting()
    for day in range(1, 41):
        run(store, day)
    store.reads = 0
    look(store, 40)
    assert store.reads < 15


def test_many_readers_find_the_same() -> None:
    store = MemoryStore()
    for day in range(1, 30):
        run(store, day)
        run(store, day, {"mfa": UNSEEN}, account=SECOND)
    day = DAY + timedelta(days=9)
    one, many = Archive(store, NOW), Archive(store, NOW, workers=8)
    assert one.day(day) == many.day(day)
    assert (one.first(), one.newest()) == (many.first(), many.newest())


@pytest.mark.parametrize("when", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"])
def test_a_statement_of_no_day_names_nothing(when: str) -> None:
    store = MemoryStore()
    good(store)
    append(
        store,
        key(ACCOUNT),
        source=SOURCE,
        run="000000Z-0000abcd",
        subject=[(f"daily/2026-09-04/{SOURCE}/000000Z-0000abcd/control-status.json", "0" * 64)],
        predicate={"window": {"start": when, "end": when}, "finished": True},
    )
    assert Archive(store, NOW).newest() == DAY + timedelta(days=2)
    assert look(store).ready
