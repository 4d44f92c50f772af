"""A long period with things planted in it: every one is reported, and nothing else."""

from __future__ import annotations

import base64
import json
import os
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cdk_soc2.audit.archive import Archive
from cdk_soc2.audit.cells import Cell, by_day, to_json
from cdk_soc2.audit.explanations import read_explanations
from cdk_soc2.audit.observation import NothingToObserve, observe
from cdk_soc2.audit.readiness import readiness
from cdk_soc2.boundary import Period
from cdk_soc2.control import matrix
from cdk_soc2.evidence.folder import FolderStore
from cdk_soc2.evidence.signer import SigningUnavailable
from cdk_soc2.evidence.verify import verify
from tests.audit.vault import BROKEN, SECOND, SLOW, UNSEEN
from tests.audit.year import ALL, FEW, A, B, Year
from tests.evidence.vault import key
from tests.fakes import ACCOUNT

DAYS = 110
SHORT = ("control", "guardduty", "guardduty", A)
PLANTED = {
    ("process", "runbook", "manual", 1, 2): True,  # late by two days
    ("evidence", None, A, 10, 11): True,  # no run
    ("control", "guardduty", A, 20, 22): False,  # mended and explained
    ("evidence", "mfa", B, 30, 30): True,  # denied
    ("control", "backups", A, 71, 101): True,  # explained, and too long
    ("evidence", None, A, 40, 40): True,  # died before its verdicts
    ("evidence", None, A, 45, 45): True,  # its key could not sign; the next run names its files
    ("evidence", None, B, 50, 50): True,  # verdicts changed
    ("evidence", None, B, 52, 52): True,  # verdicts deleted
    ("evidence", None, B, 60, 60): True,  # not done in time
    ("control", "mfa", A, 70, 70): True,  # nobody explained it
    ("process", "identity_provider_mfa", "manual", 94, 97): True,  # renewed late
    ("control", "unused_roles", B, DAYS - 2, DAYS): True,  # still so
}
STATES = {
    **{(n, ACCOUNT): {"guardduty": BROKEN} for n in range(20, 23)},
    **{(n, ACCOUNT): {"backups": BROKEN} for n in range(71, 102)},
    (30, SECOND): {"mfa": UNSEEN},
    (60, SECOND): {"mfa": SLOW},
    (70, ACCOUNT): {"mfa": BROKEN},
}


class Disabled:
    """A collector's key that somebody disabled."""

    keyid, pem = key(ACCOUNT).keyid, key(ACCOUNT).pem

    def sign(self, message: bytes) -> bytes:
        raise SigningUnavailable("signing key k: kms:Sign: DisabledException; enable the key again")


def plant(year: Year) -> Year:
    """Every planted thing, day by day as it happens."""
    for n in range(1, year.days + 1):
        for account in (ACCOUNT, SECOND):
            if n in (10, 11) and account == ACCOUNT:
                continue
            year.store.refused = "control-status" if (n, account) == (40, ACCOUNT) else "\0"
            state = STATES.get((n, account))
            if n > year.days - 3 and account == SECOND:
                state = {"unused_roles": BROKEN}
            late = 0.2 if (n, account) == (60, SECOND) else None
            signer = Disabled() if (n, account) == (45, ACCOUNT) else None
            folder = year.record(n, account, state, late, signer)
            if (n, account) == (50, SECOND):
                changed = f"{folder}/control-status.json"
            if (n, account) == (52, SECOND):
                deleted = f"{folder}/control-status.json"
        if n == 1:
            year.attach(n, "identity_provider_mfa")
        if n == 3:
            year.attach(n, "runbook")
        if n == 12:
            year.explain(n, ("evidence", None, None, A), 10, 11)
        if n == 23:
            year.explain(n, SHORT, 20, 22)
        if n == 102:
            year.explain(n, ("control", "backup_verification", "backups", A), 71, 101)
            year.attach(n, "tabletop")
        if n in (80, 170, 260, 350):
            year.attach(n, "access_review")
            year.attach(n, "restore_test")
        if n in (98, 185, 275, 360):
            year.attach(n, "identity_provider_mfa")
    year.store.replace(changed, year.store.get(changed).replace(b"PASS", b"FAIL", 1))
    year.store.delete(deleted)
    return year


@pytest.fixture(scope="module")
def planted() -> Year:
    return plant(Year(DAYS))


def test_every_planted_thing_is_reported_and_nothing_else(planted: Year) -> None:
    seen = planted.observe()
    assert {planted.told(g): g.breaks for g in seen.gaps} == PLANTED
    explained = {planted.told(g) for g in seen.gaps if g.explained}
    assert {(t[0], t[3]) for t in explained} == {("evidence", 10), ("control", 20), ("control", 71)}
    assert [planted.told(g)[1] for g in seen.gaps if g.open] == ["unused_roles"]
    assert seen.words == ()


def test_verify_finds_what_was_tampered_with_and_nothing_else(planted: Year) -> None:
    found = verify(planted.store, now=planted.at(DAYS))
    days = {f"{planted.day(n)}": n for n in range(1, DAYS + 1)}
    assert {(f.kind, f.source, days[f.path.split("/")[1]]) for f in found.findings} == {
        ("unfinished", A, 40),
        ("unsealed", A, 45),
        ("tampered", B, 50),
        ("deleted", B, 52),
        ("unfinished", B, 60),
    }
    assert len(found.findings) == 5


def test_each_control_begins_after_the_last_gap_that_breaks_its_period(planted: Year) -> None:
    begins = {c: d and planted.number(d) for c, d in planted.observe().begins.items()}
    assert begins == {
        "mfa": 98,
        "guardduty": 61,  # its own gap was short, mended and explained; the missing runs were not
        "incident_response": 61,
        "access_reviews": None,
        "backup_verification": 102,
        "evidence": 61,
    }


def test_the_cells_of_a_day_are_its_worst(planted: Year) -> None:
    days = {
        check: {planted.number(d): c for d, c in by_day(lines).items()}
        for checks in planted.observe().coverage.controls.values()
        for check, lines in checks.items()
    }
    assert all(len(of_check) == DAYS for of_check in days.values())
    assert [days["guardduty"][n] for n in (9, 10, 12, 20, 40, 50)] == [
        Cell.PASS, Cell.MISSING, Cell.PASS, Cell.FAIL, Cell.UNKNOWN, Cell.UNKNOWN,
    ]  # fmt: skip
    assert [days["runbook"][n] for n in (2, 3)] == [Cell.FAIL, Cell.PASS]
    assert {days["tabletop"][n] for n in range(1, 102)} == {Cell.UNKNOWN}, "due at the end"
    assert days["evidence_schedule"][13] is Cell.PASS, "the hole is explained"
    assert days["evidence_schedule"][42] is Cell.FAIL, "this one is not"


def test_the_contracts_form(planted: Year) -> None:
    seen = planted.observe()
    told = to_json(seen.coverage, seen.begins)
    assert (told["from"], told["to"]) == (f"{planted.day(1)}", f"{planted.day(DAYS)}")
    assert told["controls"]["mfa"]["period_begins"] == f"{planted.day(98)}"
    check = told["controls"]["mfa"]["checks"]["identity_provider_mfa"]
    assert check["cadence"] == "quarterly" and check["days"][f"{planted.day(1)}"] == "PASS"
    hole = next(g.to_json() for g in seen.gaps if g.identity == ("evidence", None, None, A))
    assert (hole["from"], hole["to"], hole["days"]) == (
        f"{planted.day(10)}",
        f"{planted.day(11)}",
        2,
    )
    assert hole["control"] is hole["check"] is None and hole["explained"] is True
    assert "CloudTrail" in hole["substitute"] and "never back-dated" in hole["substitute"]
    assert hole["explanations"][0]["auditor_told_by"] == "ada"


def test_a_period_that_is_under_way_is_seen_as_far_as_it_is_over(planted: Year) -> None:
    seen = planted.observe(until=DAYS)
    archive = Archive(planted.store, planted.at(9))
    early = observe(archive, matrix(FEW), planted.day(1), planted.day(5))
    assert (early.coverage.first, early.coverage.last) == (planted.day(1), planted.day(5))
    assert [planted.told(g)[1:] for g in early.gaps] == [("runbook", "manual", 1, 2)]
    assert seen.period == Period(planted.day(1), planted.day(DAYS))


def test_days_before_the_first_evidence_and_after_the_last_are_gaps() -> None:
    year = Year(40)
    for n in range(5, 9):
        year.record(n, ACCOUNT)
    for document in ("runbook", "identity_provider_mfa"):
        year.attach(5, document, effective=1)
    seen = year.observe(until=12)
    assert [(year.told(g), g.open) for g in seen.gaps] == [
        (("evidence", None, A, 1, 4), False),
        (("evidence", None, A, 9, 11), True),
    ]
    assert set(seen.begins.values()) == {None}


def test_a_check_that_is_new_has_no_evidence_before_it_existed() -> None:
    year = Year(10)
    for n in range(1, 7):
        year.controls = FEW if n > 3 else tuple(c for c in FEW if c.key != "guardduty")
        year.record(n, ACCOUNT)
    for document in ("runbook", "identity_provider_mfa"):
        year.attach(1, document)
    seen = year.observe(until=6)
    assert [year.told(g) for g in seen.gaps] == [("evidence", "guardduty", A, 1, 3)]
    assert seen.begins["guardduty"] == year.day(4) and seen.begins["mfa"] == year.day(1)


def test_a_check_that_nobody_asks_is_a_gap_from_the_first_day_to_the_last() -> None:
    year = Year(3)
    year.record(1, ACCOUNT)
    archive = Archive(year.store, year.at(1))
    row = {"check": "branch_protection", "control": "branch_protection"}
    seen = observe(archive, [*matrix(FEW), row])
    gap = next(g for g in seen.gaps if g.check == "branch_protection")
    assert (gap.source, gap.first, gap.last, gap.open) == (None, year.day(1), year.day(1), True)


def test_an_unknown_that_comes_of_a_failure_does_not_break_the_period_by_itself() -> None:
    pair = Year(4, (*FEW[:1], *(c for c in ALL if c.key == "guardduty")))
    for n in range(1, 5):
        off = {"guardduty": BROKEN, "guardduty_findings": UNSEEN}
        pair.record(n, ACCOUNT, off if n == 2 else None)
    for document in ("runbook", "identity_provider_mfa", "tabletop"):
        pair.attach(1, document)
    pair.explain(3, SHORT, 2, 2)
    seen = pair.observe()
    breaks = {(g.kind, g.check): g.breaks for g in seen.gaps if g.control == "guardduty"}
    assert breaks == {
        ("control", "guardduty"): False,
        ("evidence", "guardduty_findings"): False,
    }
    assert seen.begins["guardduty"] == pair.day(1)


def test_an_explanation_covers_what_it_names_and_no_more() -> None:
    year = Year(12)
    for n in range(1, 9):
        year.record(n, ACCOUNT, {"guardduty": BROKEN, "mfa": BROKEN} if n in (3, 4, 5) else None)
    for document in ("runbook", "identity_provider_mfa"):
        year.attach(1, document)
    year.explain(6, SHORT, 3, 4)
    assert not any(g.explained for g in year.observe(until=8).gaps), "a day is left"
    path = year.explain(7, SHORT, 5, 5)
    told = {g.check: g.explained for g in year.observe(until=8).gaps}
    assert told == {"guardduty": True, "mfa": False}
    year.store.replace(path.replace("attachment", "explanation"), b"{}")
    seen = year.observe(until=8)
    assert not any(g.explained for g in seen.gaps)
    assert "explains nothing" in seen.words[0]


def test_an_explained_hole_is_an_exclusion_of_readiness_too() -> None:
    year = Year(12)
    for n in (1, 2, 5, 6):
        year.record(n, ACCOUNT)
    year.attach(1, "runbook")
    hole = ("evidence", None, None, A)

    def schedule() -> str:
        archive = Archive(year.store, year.at(6))
        assert archive.manual is not None
        told, _ = read_explanations(year.store, archive.manual)
        answer = readiness(matrix(FEW), archive.as_of(year.day(6)), {}, year.day(6), 0, told)
        return next(row.status for row in answer.rows if row.asked.check == "evidence_schedule")

    assert schedule() == "FAIL"
    year.explain(6, hole, 3, 3)
    assert schedule() == "FAIL", "a day is left"
    year.explain(6, hole, 4, 4)
    assert schedule() == "PASS"


def test_many_readers_see_what_one_sees(planted: Year) -> None:
    now = datetime.combine(planted.day(DAYS), datetime.max.time(), UTC)
    seen = [observe(Archive(planted.store, now, workers=n), matrix(FEW)) for n in (1, 8)]
    assert seen[0] == seen[1]


def test_a_late_attachment_is_told() -> None:
    year = Year(100)
    year.record(1, ACCOUNT)
    year.attach(60, "runbook", effective=1)
    [word] = [w for w in year.observe(until=61).words if "attached" in w]
    assert "attached 59 days after it took effect" in word


def test_nothing_to_observe(tmp_path: Path) -> None:
    with pytest.raises(NothingToObserve, match="holds no evidence"):
        observe(Archive(FolderStore(tmp_path), Year(9).at(9)), matrix(FEW))
    year = Year(5)
    year.record(1, ACCOUNT)
    archive = Archive(year.store, year.at(9))
    with pytest.raises(NothingToObserve, match="no finished day"):
        observe(archive, matrix(FEW), year.day(300), year.day(310))


def test_it_is_quick(planted: Year, tmp_path: Path) -> None:
    folder = FolderStore(planted.write(tmp_path))
    began = time.monotonic()
    planted.observe(folder)
    assert time.monotonic() - began < 1


FUZZ = {
    "truncated verdicts": lambda v: cut(next(v.glob("daily/*/*/*/control-status.json"))),
    "truncated statement": lambda v: cut(next(v.glob("ledger/aws-*/00000002.dsse.json"))),
    "statement of zeros": lambda v: next(v.glob("ledger/manual/*")).write_bytes(b"\0" * 99),
    "foreign files": lambda v: [(v / n).write_text("x") for n in ("x", "daily/x", "manual/.x")],
    "a link for a run": lambda v: link(next(v.glob("daily/*/*/*"))),
    "a link for a file": lambda v: link(next(v.glob("daily/*/*/*/control-status.json"))),
    "a link for a day": lambda v: link(next(v.glob("daily/*"))),
    "a link for a document": lambda v: link(next(v.glob("manual/*/*/*/attachment.json"))),
    "a deep list for verdicts": lambda v: deep(next(v.glob("daily/*/*/*/control-status.json"))),
    "a folder for a statement": lambda v: swap(next(v.glob("ledger/aws-*/00000003.dsse.json"))),
    "a pipe for verdicts": lambda v: pipe(next(v.glob("daily/*/*/*/control-status.json"))),
    "names that steer": lambda v: (v / "daily/\x1b[31m").mkdir(),
    "a path that leads out": lambda v: lead_out(v),
    "no day": lambda v: (v / "daily" / "2026-13-45" / A / "000000Z-00000000").mkdir(parents=True),
}  # fmt: skip


def lead_out(vault: Path) -> None:
    """A statement that names a file above the vault, in a ledger that anybody could have written."""
    path = next(vault.glob("ledger/manual/*"))
    envelope = json.loads(path.read_text())
    payload = json.loads(base64.b64decode(envelope["payload"]))
    for subject in payload["subject"]:
        subject["name"] = "manual/mfa/2026-01-01/x/../../../../../attachment.json"
    envelope["payload"] = base64.b64encode(json.dumps(payload).encode()).decode()
    path.write_text(json.dumps(envelope))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def deep(path: Path) -> None:
    path.write_bytes(b"[" * 100_000)


def link(path: Path) -> None:
    shutil.move(path, path.parents[3] / "moved")
    path.symlink_to("/etc")


def swap(path: Path) -> None:
    path.unlink()
    path.mkdir()


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Year, Path]:
    year = Year(5)
    for n in range(1, 6):
        year.record(n, ACCOUNT)
    for document in ("runbook", "identity_provider_mfa", "tabletop"):
        year.attach(1, document)
    return year, year.write(tmp_path_factory.mktemp("small"))


@pytest.mark.parametrize("name", FUZZ)
def test_a_fuzzed_vault_is_told_of_and_breaks_nothing(
    name: str, small: tuple[Year, Path], tmp_path: Path
) -> None:
    year, folder = small
    vault = tmp_path / "vault"
    shutil.copytree(folder, vault)
    FUZZ[name](vault)
    found = year.observe(FolderStore(vault))
    harmless = name in ("foreign files", "names that steer", "no day")
    assert bool(found.gaps) is not harmless
    assert all(g.detail for g in found.gaps)


@pytest.mark.judge
def test_a_whole_year_of_every_control_and_two_accounts(tmp_path: Path) -> None:
    year = plant(Year(365, ALL))
    folder = FolderStore(year.write(tmp_path))
    began = time.monotonic()
    seen = year.observe(folder)
    took = time.monotonic() - began
    expected = {t for t in PLANTED if t[4] != DAYS} | {("control", "unused_roles", B, 363, 365)}
    told = {year.told(g) for g in seen.gaps}
    assert told == expected
    assert took < 2, f"{took:.1f} s"
