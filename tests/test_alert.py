"""The one message a run may send."""

from __future__ import annotations

from typing import Any

import pytest

from cdk_soc2.alert import alert


def status(**checks: str) -> dict[str, Any]:
    return {
        "account_id": "123456789012",
        "run": "000000Z-00000000",
        "collection_date": "2026-11-23",
        "controls": {
            "c": {
                "checks": {
                    id: {
                        "status": s,
                        "detail": f"{id} is {s}",
                        "observations": [{"remedy": f"mend {id}"}] if s != "PASS" else [],
                    }
                    for id, s in checks.items()
                }
            }
        },
    }


def documents(status: dict[str, Any], *ids: str) -> dict[str, Any]:
    for id in ids:
        status["controls"]["c"]["checks"][id]["automated"] = False
    return status


NOT_DUE = documents(status(a="PASS", runbook="UNKNOWN"), "runbook")
OVERDUE = documents(status(a="PASS", runbook="FAIL"), "runbook")


def test_a_document_that_is_not_due_is_news_only_when_that_changes() -> None:
    assert alert(NOT_DUE, None, "s3://v") is None
    assert alert(NOT_DUE, NOT_DUE, "s3://v") is None
    assert alert(NOT_DUE, documents(status(runbook="PASS"), "runbook"), "s3://v") is not None


def test_a_document_that_is_overdue_is_told_every_day() -> None:
    assert alert(OVERDUE, OVERDUE, "s3://v") is not None


SILENT = [(status(a="PASS"), None), (status(a="NOT_APPLICABLE"), status(a="FAIL"))]


@pytest.mark.parametrize(("now", "before"), SILENT)
def test_nothing_wrong_is_nothing_to_tell(now: Any, before: Any) -> None:
    assert alert(now, before, "s3://v") is None


def test_changes_come_first() -> None:
    told = alert(
        status(a="FAIL", b="UNKNOWN", c="FAIL", d="PASS"),
        status(a="FAIL", b="PASS", d="FAIL"),
        "s3://v",
    )
    assert told is not None
    assert told.subject == "SOC 2 123456789012 2026-11-23: 2 failed, 1 unknown, 2 new"
    places = [told.body.index(text) for text in ("UNKNOWN b (was PASS)", "FAIL c", "FAIL a")]
    assert places == sorted(places)
    assert "Mended since the last run: d" in told.body
    assert "-> mend b" in told.body and "s3://v" in told.body


def test_trouble_is_told_though_all_is_well() -> None:
    told = alert(status(a="PASS"), None, "s3://v", "AccessDenied")
    assert told is not None
    assert told.subject.startswith("EVIDENCE NOT RECORDED")
    assert told.body.startswith("EVIDENCE NOT RECORDED: AccessDenied")


def test_sns_takes_it_however_much_there_is_to_tell() -> None:
    told = alert(status(**{f"ü{n}" * 50: "FAIL" for n in range(5000)}), None, "s3://v")
    assert told is not None
    assert len(told.subject) <= 100 and told.subject.isascii()
    assert len(told.body.encode()) <= 256 * 1024
