"""The spot check: the same days for the same seed, and each planted discrepancy found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from cdk_soc2.audit.archive import Archive
from cdk_soc2.audit.sampling import Sample, pick, spot_check
from cdk_soc2.evidence.layout import statement_name
from cdk_soc2.evidence.ledger import append
from tests.audit.test_readiness import SOURCE, look, status_of
from tests.audit.vault import BROKEN, BY_KEY, DAY, NOW, UNSEEN, attach_all, run
from tests.evidence.memory import MemoryStore
from tests.evidence.vault import key
from tests.fakes import ACCOUNT


def check(store: MemoryStore, day: int = 2) -> Sample:
    return spot_check(Archive(store, NOW), DAY + timedelta(days=day - 1))


def test_the_same_seed_gives_the_same_days() -> None:
    first, last = date(2026, 1, 1), date(2026, 12, 31)
    assert (
        pick(first, last, 4, "auditor")
        == [
            date(2026, 1, 1),
        ]
        or len(pick(first, last, 4, "auditor")) == 4
    )
    assert pick(first, last, 4, "auditor") == [
        date(2026, 4, 13),
        date(2026, 4, 21),
        date(2026, 6, 19),
        date(2026, 8, 16),
    ]
    assert pick(first, last, 4, "auditor") != pick(first, last, 4, "other")
    assert pick(first, last, 999, "x") == [first + timedelta(days=n) for n in range(365)]
    assert set(pick(first, last, 4, "x")) < set(pick(first, last, 5, "x"))


@pytest.mark.parametrize("state", [{}, {"mfa": BROKEN}, {"mfa": UNSEEN}])
def test_honest_days_are_consistent(state: dict[str, str]) -> None:
    store = MemoryStore()
    run(store, 1)
    run(store, 2, state)
    attach_all(store)
    sample = check(store)
    assert sample.consistent and "not compared with CloudTrail" in sample.detail
    assert sample.to_json() == {
        "date": "2026-09-02",
        "consistent": True,
        "detail": sample.detail,
    }


def resealed(change: Callable[[dict[str, Any]], object]) -> Callable[[MemoryStore], None]:
    """A collector that tells something else than it saw: the digests and signatures are right."""

    def plant(store: MemoryStore) -> None:
        path = status_of(store, 2)
        document = json.loads(store.get(path))
        change(document)
        body = json.dumps(document).encode()
        store.replace(path, body)
        store.purge(f"ledger/{SOURCE}/00000002.dsse.json")
        folder = path.removesuffix("control-status.json")
        subject = [
            (v.key, hashlib.sha256(store.get(v.key)).hexdigest()) for v in store.versions(folder)
        ]
        window = {"start": document["window"]["start"], "end": document["window"]["end"]}
        append(
            store,
            key(ACCOUNT),
            source=SOURCE,
            run=document["run"],
            subject=subject,
            predicate={"window": window, "finished": True},
        )

    return plant


def mfa(document: dict[str, Any]) -> dict[str, Any]:
    return document["controls"]["mfa"]["checks"]["mfa"]


def answers(store: MemoryStore) -> str:
    return status_of(store, 2).replace("control-status.json", "answers/mfa.ndjson")


def gone(store: MemoryStore) -> None:
    run(store, 3)
    for version in [*store.versions("daily/2026-09-02/")]:
        store.purge(version.key)
    store.purge(statement_name(SOURCE, 2))


PLANTED: dict[str, tuple[Callable[[MemoryStore], object], str]] = {
    "a flipped byte": (lambda s: s.replace(answers(s), b"x"), "tampered: answers/mfa.ndjson"),
    "a file gone": (lambda s: s.purge(answers(s)), "missing: answers/mfa.ndjson"),
    "a file more": (lambda s: s.put(answers(s) + "2", b""), "unlisted: answers/mfa.ndjson2"),
    "a file hidden": (lambda s: s.delete(answers(s)), "deleted: answers/mfa.ndjson"),
    "verdicts changed": (lambda s: s.replace(status_of(s, 2), b"{}"), "statement 2 names"),
    "the run and its statement gone": (gone, "no run of aws-"),
    "the statement gone": (lambda s: s.purge(statement_name(SOURCE, 2)), "no statement names it"),
    "a population that does not add up": (
        resealed(lambda d: mfa(d).update(population=7)),
        "mfa: population is 7",
    ),
    "a verdict better than what was seen": (
        resealed(lambda d: mfa(d)["observations"][0].update(status="FAIL")),
        "mfa: it says PASS",
    ),
    "a region nobody asked": (
        resealed(lambda d: mfa(d)["observations"][0].update(region="eu-west-9")),
        "mfa: it judges eu-west-9",
    ),
    "a summary that does not add up": (
        resealed(lambda d: d["summary"]["checks"].update(FAIL=1)),
        "summary.checks",
    ),
    "another time": (
        resealed(lambda d: d.update(collection_timestamp="2026-09-02T05:00:00Z")),
        "collection_timestamp is",
    ),
    "another day": (resealed(lambda d: d.update(collection_date="2026-09-01")), "collection_date"),
    "answers of another time": (
        lambda s: (
            s.replace(answers(s), s.get(answers(s)).replace(b"2026-09-02T", b"2026-09-01T")),
            resealed(lambda d: None)(s),
        ),
        "outside the run",
    ),
    "a window of two days": (
        resealed(lambda d: d["window"].update(end="2026-09-04T00:00:00Z")),
        "not inside the day",
    ),
}


@pytest.mark.parametrize(("plant", "words"), PLANTED.values(), ids=PLANTED.keys())
def test_a_discrepancy(plant: Callable[[MemoryStore], object], words: str) -> None:
    store = MemoryStore()
    run(store, 1)
    run(store, 2)
    plant(store)
    sample = check(store)
    assert not sample.consistent
    assert words in sample.detail


WRONG: list[Any] = [None, True, -1, 1e999, "", "PASS", "\x1b[31m", [], [[]], {}, {"a": []}]


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container in *value* with each of its keys."""
    if not isinstance(value, dict | list):
        return []
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    return [(value, k) for k in keys] + [p for k in keys for p in places(value[k])]


def test_whatever_a_signed_run_says_it_is_judged() -> None:
    """Each field in turn becomes something else; that is never an error, nor better than before."""
    store = MemoryStore()
    run(store, 1)
    run(store, 2, {"mfa": BROKEN}, asked=(BY_KEY["mfa"],))
    path = status_of(store, 2)
    original = store.get(path)
    for at in range(len(places(json.loads(original)))):
        document = json.loads(original)
        holder, field = places(document)[at]
        wrong = WRONG[at % len(WRONG)]
        holder[field] = wrong
        held = MemoryStore()
        run(held, 1)
        body = json.dumps(document).encode()
        held.put(path, body)
        window = {"start": "2026-09-02T00:00:00Z", "end": "2026-09-02T00:00:03Z"}
        append(
            held,
            key(ACCOUNT),
            source=SOURCE,
            run=path.split("/")[3],
            subject=[(path, hashlib.sha256(body).hexdigest())],
            predicate={"window": window, "finished": True},
        )
        check(held)
        row = next(r for r in look(held, 2).rows if r.asked.check == "mfa")
        assert not row.ready, (field, wrong)
        json.dumps(row.to_json())
