"""``soc2 coverage``, ``gaps``, ``attach`` and ``plan`` as people call them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cdk_soc2.cli.attach import KNOWN
from cdk_soc2.evidence.folder import FolderStore
from tests.audit.vault import BROKEN, DAY, SECOND, attach_all, run
from tests.cli.test_commands import soc2
from tests.fakes import ACCOUNT

DAYS = 60
SPAN = ("--from", f"{DAY}", "--to", f"{DAY + timedelta(days=DAYS - 1)}")
TODAY = datetime.now(UTC).date()
SAID = ("--cause", "a key expired", "--remediation", "renewed", "--customer-impact", "none")


def day(number: int) -> str:
    return f"{DAY + timedelta(days=number - 1)}"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty days, two of them without a run, two others without GuardDuty."""
    path = tmp_path_factory.mktemp("vault")
    for n in range(1, DAYS + 1):
        if n not in (10, 11):
            run(FolderStore(path), n, {"guardduty": BROKEN} if n in (20, 21) else None)
    attach_all(FolderStore(path))
    return path


@pytest.fixture
def vault(made: Path, tmp_path: Path) -> Path:
    """A copy in which the documents are nobody's yet, to be written into."""
    shutil.copytree(made, tmp_path / "vault", dirs_exist_ok=True)
    for folder in ("manual", "ledger/manual"):
        shutil.rmtree(tmp_path / "vault" / folder)
    return tmp_path / "vault"


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    private = ec.generate_private_key(ec.SECP256R1())
    path = tmp_path_factory.mktemp("key") / "people.pem"
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def read(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def test_coverage(made: Path) -> None:
    told = read(soc2("coverage", str(made), *SPAN, "--json"))
    assert (told["from"], told["to"]) == (day(1), day(DAYS))
    detector = told["controls"]["guardduty"]
    assert detector["period_begins"] == day(22)
    days = detector["checks"]["guardduty"]["days"]
    assert (len(days), days[day(9)], days[day(10)], days[day(20)]) == (
        DAYS,
        "PASS",
        "MISSING",
        "FAIL",
    )
    assert detector["checks"]["guardduty"]["cadence"] == "daily"
    assert told["controls"]["mfa"]["period_begins"] == day(12)


@pytest.mark.parametrize("width", [80, 100, 160])
def test_the_map_fits_and_needs_no_colour(
    made: Path, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", f"{width}")
    monkeypatch.setenv("NO_COLOR", "1")
    done = soc2("coverage", str(made), *SPAN)
    heatmap = done.stdout.partition("\n\nThe period")[0].splitlines()
    assert done.returncode == 1 and all(len(line) <= width for line in heatmap)
    row = next(line for line in heatmap if line.startswith("guardduty "))
    marks = row.split()[1]
    assert set(marks) == {".", "M", "F"} and "\x1b" not in done.stdout
    assert len(marks) == DAYS if width >= 100 else len(marks) < 12
    assert "F does not hold" in done.stderr and "`soc2 gaps` lists them" in done.stderr
    assert re.search(rf"guardduty +from {day(22)} +\(control gap", done.stdout)


def test_a_cell_a_day_is_to_be_had_in_any_width(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    done = soc2("coverage", str(made), *SPAN, "--days")
    rows = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("guardduty ")]
    assert "".join(rows[:-1]) == "." * 9 + "MM" + "." * 8 + "FF" + "." * (DAYS - 21)


def test_gaps(made: Path) -> None:
    found = read(soc2("gaps", str(made), *SPAN, "--json"))["gaps"]
    assert [(g["kind"], g["control"], g["check"], g["from"], g["days"]) for g in found] == [
        ("evidence", None, None, day(10), 2),
        ("control", "guardduty", "guardduty", day(20), 2),
    ]
    assert {g["explained"] for g in found} == {False}
    shown = soc2("gaps", "--source", f"aws-{ACCOUNT}", str(made), *SPAN)
    assert shown.returncode == 1
    assert "exception to tell the auditor" in " ".join(shown.stdout.split())


def test_gaps_are_explained_and_documents_attached(vault: Path, pem: Path, tmp_path: Path) -> None:
    key = ("--key", str(pem))
    proof = tmp_path / "pull-request.txt"
    proof.write_text("merged")
    for document in (
        "runbook",
        "identity_provider_mfa",
        "tabletop",
        "access_review",
        "restore_test",
    ):
        file = tmp_path / f"{document}-2026.md"
        file.write_text(document)
        who = ("--by", "ada", "--reviewed-by", "grace")
        done = soc2(
            "attach", document, str(file), "--effective", day(1), *who, *key, "--vault", str(vault)
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "is current to" in done.stderr and "Not signed" not in done.stderr
    for first, last, more in (
        (10, 11, ()),
        (20, 21, ("--check", "guardduty", "--file", str(proof))),
    ):
        auditor = ("--auditor-told-by", "ada", "--auditor-told-on", f"{TODAY}")
        done = soc2(
            "gaps", "explain", str(vault), "--from", day(first), "--to", day(last),
            *SAID, *auditor, *key, *more,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stderr.count("Explained:") == 1
    told = read(soc2("gaps", str(vault), *SPAN, "--json"))["gaps"]
    assert [(g["explained"], g["breaks_period"]) for g in told] == [(True, True), (True, False)]
    assert told[1]["explanations"][0]["cause"] == "a key expired"
    assert soc2("coverage", str(vault), *SPAN).returncode == 0
    verified = read(soc2("verify", str(vault), "--json"))
    assert verified["ok"] is True
    assert "Explained" in soc2("gaps", str(vault), *SPAN).stdout


CANNOT = {
    "no such control": (["attach", "gaurdduty"], "did you mean 'guardduty'?"),
    "no such control at all": (["attach", "zzz"], "known: "),
    "which document": (["attach", "incident_response"], "say --document runbook or tabletop"),
    "another control's document": (
        ["attach", "mfa", "--document", "runbook"],
        "a document of incident_response",
    ),
    "in the future": (["attach", "mfa", "--effective", "2099-01-01"], "after today"),
    "reviewed by its author": (["attach", "mfa", "--reviewed-by", "Ada"], "another person"),
    "a key and none": (["attach", "mfa", "--key", "k", "--unsigned"], "exclude each other"),
}  # fmt: skip


@pytest.mark.parametrize("name", CANNOT)
def test_what_cannot_be_attached(name: str, tmp_path: Path) -> None:
    (command, control, *options), says = CANNOT[name]
    (tmp_path / "x.md").write_text("x")
    given = {"--effective": day(1), "--by": "ada", "--reviewed-by": "grace"}
    rest = [w for option, value in given.items() if option not in options for w in (option, value)]
    done = soc2(command, control, "x.md", *options, *rest, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in " ".join(done.stderr.split())
    assert not (tmp_path / "evidence").exists()


def test_a_file_that_is_not_there_or_a_folder_cannot_be_attached(tmp_path: Path) -> None:
    given = ("--effective", day(1), "--by", "ada", "--reviewed-by", "grace")
    for file in ("none.md", "."):
        done = soc2("attach", "mfa", file, *given, cwd=tmp_path)
        assert done.returncode == 2 and "give a file that can be read" in done.stderr


def test_the_file_tells_which_document_it_is(tmp_path: Path) -> None:
    (tmp_path / "Tabletop-October.md").write_text("x")
    given = ("--effective", day(1), "--by", "ada", "--reviewed-by", "grace", "--unsigned")
    done = soc2("attach", "incident_response", "Tabletop-October.md", *given, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "evidence" / done.stdout.strip()).read_text())["document"] == (
        "tabletop"
    )


EXPLAIN_CANNOT = {
    "no gap then": (["--from", day(40), "--to", day(41), *SAID], "has no such gap"),
    "nothing said": (["--from", day(10), "--to", day(11), *SAID, "--cause", " "], "says nothing"),
    "told by nobody": (
        ["--from", day(10), "--to", day(11), *SAID, "--auditor-told-on", day(1)],
        "give both",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPLAIN_CANNOT)
def test_what_cannot_be_explained(name: str, made: Path) -> None:
    options, says = EXPLAIN_CANNOT[name]
    done = soc2("gaps", "explain", "--vault", str(made), *options)
    assert done.returncode == 2 and says in " ".join(done.stderr.split())


def test_templates_can_be_had(tmp_path: Path) -> None:
    done = soc2("attach", "--template", "restore-test")
    assert done.returncode == 0 and "soc2 attach restore_test" in done.stdout
    listed = re.search(r"\[([a-z|-]+)\]", soc2("attach", "--help").stdout.replace("\n", ""))
    assert listed is not None
    for name in ("identity-provider-mfa", "restore-test", "tabletop", "vendor-register"):
        text = soc2("attach", "--template", name).stdout
        [control] = re.findall(r"^soc2 attach (\w+)", text, re.MULTILINE)
        assert control in KNOWN or control in ("restore_test", "tabletop", "identity_provider_mfa")


def test_plan(made: Path) -> None:
    bare = soc2("plan", "--start", "2026-09-07")
    assert bare.returncode == 0
    assert "Weeks 1-2  2026-09-07 to 2026-09-20  Scope" in bare.stdout
    assert "Weeks 15-18  2026-12-14 to 2027-01-10  Observation" in bare.stdout
    assert "18 weeks are 126 days" in bare.stderr
    told = read(soc2("plan", str(made), "--start", "2026-09-07", "--json"))
    assert [p["weeks"] for p in told["phases"]] == [[1, 2], [3, 6], [7, 10], [11, 14], [15, 18]]
    tasks = {t["task"]: t["done"] for p in told["phases"] for t in p["tasks"]}
    assert tasks["Document: runbook"] is True
    assert tasks["Choose the auditor, and agree the period"] is None
    assert tasks["State boundary and period in boundary.yaml"] is False
    assert told["next"] == "State boundary and period in boundary.yaml"
    assert told["behind"] is True


def test_a_boundary_says_which_accounts_owe_a_run(made: Path, tmp_path: Path) -> None:
    boundary = tmp_path / "boundary.yaml"
    boundary.write_text(f'accounts: ["{ACCOUNT}", "{SECOND}"]\n')
    done = soc2("gaps", str(made), *SPAN, "--boundary", str(boundary), "--json")
    missing = [g for g in read(done)["gaps"] if g["source"] == f"aws-{SECOND}"]
    assert [(g["control"], g["days"], g["open"]) for g in missing] == [(None, DAYS, True)]


def test_a_source_that_is_not_there(made: Path) -> None:
    done = soc2("coverage", str(made), "--source", "aws-1")
    assert done.returncode == 2 and "has no source 'aws-1'" in done.stderr


def test_a_reminder_goes_to_a_topic_or_nowhere(made: Path) -> None:
    done = soc2("gaps", str(made), *SPAN, "--remind", "alerts")
    assert done.returncode == 2 and "'alerts' is no SNS topic's ARN" in done.stderr
    done = soc2("gaps", str(made), *SPAN, "--remind", "arn:aws:sns:eu-west-1:123456789012:a")
    assert done.returncode == 2 and "did not take the reminder" in done.stderr
