"""Control 10 as GitHub decides it: the scanner ran, and nothing severe stayed open."""

from __future__ import annotations

from typing import Any

import pytest

from cdk_soc2.boundary import parse
from cdk_soc2.sources.github.window import Settings
from tests.sources.github.schema import made
from tests.sources.github.server import Error
from tests.sources.github.world import NOT_SEEN, World, ago, analysis, check, run

SHOP = "/repos/acme/shop"
NONE = Error(404, "no analysis found")
OFF = Error(403, "Code Security must be enabled for this repository to use code scanning.")
MANY = [analysis("CodeQL", ago(minutes=n)) for n in range(30)]
ANALYSES: dict[str, tuple[Any, str, str]] = {
    "of yesterday": ([analysis()], "PASS", "last analysis of refs/heads/main by Trivy"),
    "7 days old": ([analysis(at=ago(days=7))], "PASS", "2026-11-16"),
    "older": ([analysis(at=ago(days=7, seconds=1))], "FAIL", "2026-11-16"),
    "none": ([], "FAIL", "no analysis"),
    "none found": (NONE, "FAIL", "no analysis"),
    "switched off": (OFF, "FAIL", "no analysis"),
    "by another tool": ([analysis("CodeQL")], "FAIL", "no analysis"),
    "of another branch": ([analysis(ref="refs/heads/x")], "FAIL", "no analysis"),
    "behind those of another tool": ([*MANY, analysis()], "PASS", "by Trivy"),
    "with an error": ([analysis(error="bad SARIF")], "UNKNOWN", "bad SARIF"),
    "with an error, after a good one": ([analysis(error="bad"), analysis(at=ago(days=2))], "PASS", ""),
    "of tomorrow": ([analysis(at=ago(days=-1))], "FAIL", "2026-11-24"),
    "denied": (NOT_SEEN, "UNKNOWN", "security_events:read"),
    "not found": (Error(404, "Not Found"), "UNKNOWN", "404"),
    "out of service": (Error(503), "UNKNOWN", "503"),
}  # fmt: skip


@pytest.mark.parametrize("name", ANALYSES)
def test_image_scanning(name: str) -> None:
    answer, expected, said = ANALYSES[name]
    made_up = World()
    made_up.answers[f"{SHOP}/code-scanning/analyses"] = answer
    verdict = check(run(made_up.hub()), "image_scanning")
    assert (verdict["status"], said in verdict["detail"]) == (expected, True), verdict["detail"]


def test_another_scanner_may_be_configured() -> None:
    made_up = World()
    made_up.answers[f"{SHOP}/code-scanning/analyses"] = [analysis("Grype")]
    outcome = run(made_up.hub(), settings=Settings(scanner="grype"))
    assert check(outcome, "image_scanning")["status"] == "PASS"


def alert(severity: str | None, days: int, state: str = "open", **more: Any) -> dict[str, Any]:
    rule = {"id": "CVE-1", "severity": "error", "security_severity_level": severity}
    return made(
        "code-scanning-alert-items", number=8, state=state, created_at=ago(days=days),
        rule={k: v for k, v in rule.items() if v}, **more,
    )  # fmt: skip


ALERTS: dict[str, tuple[Any, str, str]] = {
    "none": ([], "PASS", "0 alerts"),
    "critical, 30 days": ([alert("critical", 30)], "PASS", "none overdue"),
    "critical, 31 days": ([alert("critical", 31)], "FAIL", "#8 CRITICAL, 31 days"),
    "high, 90 days": ([alert("high", 90)], "PASS", ""),
    "high, 91 days": ([alert("high", 91)], "FAIL", "#8 HIGH, 91 days"),
    "medium, for ever": ([alert("medium", 900)], "PASS", ""),
    "fixed": ([alert("critical", 900, "fixed")], "PASS", ""),
    "dismissed when overdue": (
        [alert("critical", 60, "dismissed", dismissed_at=ago(days=5))], "PASS",
        "dismissed when overdue: #8 CRITICAL, 55 days",
    ),
    "dismissed in time": (
        [alert("critical", 60, "dismissed", dismissed_at=ago(days=50))], "PASS", "none overdue",
    ),
    "without a severity": ([alert(None, 1)], "UNKNOWN", "without a severity: #8"),
    "denied": (NOT_SEEN, "UNKNOWN", "security_events:read"),
    "never scanned": (NONE, "UNKNOWN", "nothing scans it"),
}  # fmt: skip


@pytest.mark.parametrize("name", ALERTS)
def test_image_findings(name: str) -> None:
    answer, expected, said = ALERTS[name]
    made_up = World()
    made_up.answers[f"{SHOP}/code-scanning/alerts"] = answer
    verdict = check(run(made_up.hub()), "image_findings")
    assert (verdict["status"], said in verdict["detail"]) == (expected, True), verdict["detail"]


def test_the_boundary_says_how_long_a_finding_may_stay() -> None:
    made_up = World()
    made_up.answers[f"{SHOP}/code-scanning/alerts"] = [alert("critical", 8)]
    strict = parse({"sla_days": {"critical": 7}})
    assert check(run(made_up.hub(), boundary=strict), "image_findings")["status"] == "FAIL"
