"""When documents are due: the contract's table, a row a case."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from cdk_soc2.audit.calendar import DUTIES, standing
from cdk_soc2.audit.documents import Document
from cdk_soc2.audit.ledgers import Entry
from cdk_soc2.audit.reminders import message, reminders
from cdk_soc2.audit.rows import HANDBOOK
from cdk_soc2.boundary import Period
from cdk_soc2.control import matrix
from cdk_soc2.controls import CONTROLS
from cdk_soc2.verdict import Status

START = date(2026, 9, 1)
PERIOD = Period(START, date(2027, 8, 31))


def held(check: str, *begins: int, trouble: str | None = None) -> list[Document]:
    """Documents that take effect on these days of the period, counting from 0."""
    entry = Entry(1, START, True, True, {}, {}, {})
    made: list[Document] = []
    for n in sorted(begins, reverse=True):
        effective = START + timedelta(days=n)
        until = effective + timedelta(days=DUTIES[check].days)
        made.append(Document(check, "manual/x", entry, effective, until, "there", trouble))
    return made


PASS, FAIL, UNKNOWN = Status.PASS, Status.FAIL, Status.UNKNOWN
CASES = [
    ("runbook", (), -1, UNKNOWN, 0),
    ("runbook", (), 0, FAIL, 0),
    ("runbook", (-30,), 0, PASS, 335),
    ("runbook", (-30,), 336, FAIL, 335),
    ("runbook", (-400,), -1, UNKNOWN, 0),
    ("identity_provider_mfa", (0,), 92, PASS, 92),
    ("identity_provider_mfa", (0,), 93, FAIL, 92),
    ("identity_provider_mfa", (0, 95), 95, PASS, 187),
    ("tabletop", (), 300, UNKNOWN, 364),
    ("tabletop", (), 364, FAIL, 364),
    ("tabletop", (-100,), 300, UNKNOWN, 364),
    ("tabletop", (-100,), 364, FAIL, 364),
    ("access_review", (), 91, UNKNOWN, 92),
    ("access_review", (), 92, FAIL, 92),
    ("access_review", (-100,), 50, UNKNOWN, 92),
    ("access_review", (80,), 172, PASS, 172),
    ("restore_test", (80,), 173, FAIL, 172),
]


@pytest.mark.parametrize(("check", "begins", "on", "status", "due"), CASES)
def test_standing(check: str, begins: tuple[int, ...], on: int, status: Status, due: int) -> None:
    found = standing(check, held(check, *begins), START + timedelta(days=on), PERIOD)
    assert (found.status, found.due) == (status, START + timedelta(days=due))


def test_without_a_period_absence_is_unknown_and_expiry_is_late() -> None:
    assert standing("runbook", [], START, None).status is UNKNOWN
    late = standing("restore_test", held("restore_test", 0), START + timedelta(days=99), None)
    assert late.status is FAIL


def test_a_document_that_cannot_be_relied_on_is_none() -> None:
    found = standing("runbook", held("runbook", 0, trouble="reviewed by its author"), START, PERIOD)
    assert found.status is FAIL and "reviewed by its author" in found.detail


def test_the_table_is_that_of_the_controls_and_of_the_handbook() -> None:
    owed = {(duty.control, check) for check, duty in DUTIES.items()}
    assert owed <= {pair for question in HANDBOOK for pair in question.checks}
    manual = {(r["control"], r["check"]) for r in matrix(CONTROLS) if r["evidence"] == "manual"}
    assert manual <= owed


def test_reminders() -> None:
    documents = {check: held(check, 0) for check in DUTIES}
    assert reminders(documents, PERIOD, START + timedelta(days=60)) == []
    due = reminders(documents, PERIOD, START + timedelta(days=80))
    assert [(r.document, r.overdue) for r in due] == [
        ("access_review", False),
        ("identity_provider_mfa", False),
        ("restore_test", False),
    ]
    late = reminders({}, PERIOD, START + timedelta(days=80))
    assert [(r.document, r.overdue) for r in late] == [
        ("identity_provider_mfa", True),
        ("runbook", True),
        ("access_review", False),
        ("restore_test", False),
    ]
    subject, body = message(late, "s3://vault")
    assert subject == "SOC 2 documents: 2 overdue, 2 due within 14 days"
    assert "soc2 attach runbook FILE --vault s3://vault" in body
