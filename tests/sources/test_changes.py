"""Changes of production and the requests they came from, whichever source tells of them."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cdk_soc2.sources.changes import (
    Change,
    Job,
    Kind,
    Request,
    observed,
    reconcile,
)
from cdk_soc2.sources.tables import as_csv, as_json, rows

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
GOOD = Request("acme/shop#1", "ada", AT - HOUR, ("m1", "h1"), ("bob",), AT - 2 * HOUR)
BAD = Request("acme/shop#2", "ada", AT - HOUR, ("m2", "h2"), reason="nobody approved it")
UNSURE = Request("acme/shop#3", "ada", AT, ("m3",), reason="not allowed", undecided=True)
LATE = replace(GOOD, id="acme/shop#4", commits=("m4",), approved_at=AT + HOUR)
REQUESTS = [GOOD, BAD, UNSURE, LATE]
ROLES = ("deploy",)


def change(kind: Kind, *commits: str, **more: str) -> Change:
    return Change("github-acme", kind, "x", "acme/shop", AT, more.pop("by", "ada"), commits, **more)


def job(id: str, commit: str, start: float = -0.5, end: float = 0.5) -> Job:
    return Job(id, commit, AT + start * HOUR, AT + end * HOUR)


STACK = change(Kind.STACK, by="deploy", session="run-77")
# name: (change, jobs, approved, what is said)
CASES: dict[str, tuple[Change, list[Job], bool | None, str]] = {
    "merge, approved": (change(Kind.MERGE, request=GOOD.id), [], True, "approved by bob"),
    "merge, not approved": (change(Kind.MERGE, request=BAD.id), [], False, "nobody"),
    "merge, undecided": (change(Kind.MERGE, request=UNSURE.id), [], None, "not allowed"),
    "merge, approved after it": (change(Kind.MERGE, request=LATE.id), [], False, "after it was made"),
    "push": (change(Kind.PUSH, "m1"), [], False, "without a request"),
    "a bot's push": (change(Kind.PUSH, "z", by="bot[bot]"), [], False, "without a request"),
    "bypass": (change(Kind.BYPASS, "m1"), [], False, "bypassed"),
    "deployment of what was merged": (change(Kind.DEPLOYMENT, "m1"), [], True, "approved by bob"),
    "deployment of what was reviewed": (change(Kind.DEPLOYMENT, "h1"), [], True, "approved by bob"),
    "deployment of nothing known": (change(Kind.DEPLOYMENT, "zz"), [], False, "from no request"),
    "deployment, not seen": (change(Kind.DEPLOYMENT, "m1", trouble="403"), [], None, "403"),
    "sync": (change(Kind.SYNC, "m1"), [], True, "approved by bob"),
    "sync of two revisions": (change(Kind.SYNC, "m1", "h1"), [], True, "approved"),
    "sync of two revisions, one bad": (change(Kind.SYNC, "m1", "m2"), [], False, "nobody"),
    "sync of two revisions, one unsure": (change(Kind.SYNC, "m1", "m3"), [], None, "not allowed"),
    "sync of two revisions, one unknown": (change(Kind.SYNC, "m3", "zz"), [], False, "no request"),
    "stack, by its session": (STACK, [job("77", "m1"), job("78", "m2")], True, "by its session"),
    "stack, by the time": (STACK, [job("78", "m1")], True, "by the time: workflow run 78"),
    "stack, two jobs at the time": (STACK, [job("1", "m1"), job("2", "m2")], False, "nobody"),
    "stack, long after the job": (STACK, [job("77", "m1", -9, -8)], False, "no workflow run"),
    "stack, no job": (STACK, [], False, "no workflow run made it"),
    "stack, by a person during a job": (
        replace(STACK, by="ada"), [job("77", "m1")], False, "no deploy role",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_reconcile(name: str) -> None:
    made, jobs, approved, said = CASES[name]
    [matched] = reconcile([made], REQUESTS, jobs, ROLES)
    assert (matched.approved, said in matched.reason) == (approved, True), matched.reason
    [seen] = observed([matched])
    assert seen.ok is approved and (seen.remedy is None) is (approved is True)


def test_without_deploy_roles_nobody_knows_who_may_change_stacks() -> None:
    [matched] = reconcile([STACK], REQUESTS, [job("77", "m1")])
    assert matched.approved is None and "deploy_roles" in matched.reason


def test_the_tables_hold_every_change_and_no_formula() -> None:
    evil = change(Kind.PUSH, "z", by='=HYPERLINK("http://x")')
    matched = reconcile([evil, *(made for made, *_ in CASES.values())], REQUESTS, [], ROLES)
    table = list(csv.DictReader(io.StringIO(as_csv(rows(matched)).decode(), newline="")))
    assert len(table) == len(CASES) + 1
    assert {row["approved"] for row in table} == {"yes", "no", "unknown"}
    assert [r["by"] for r in table if "HYPERLINK" in r["by"]] == ['\'=HYPERLINK("http://x")']
    assert len(json.loads(as_json(matched))["changes"]) == len(table)
