"""For tests of your own stacks: an assertion that they keep the rules."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import aws_cdk as cdk

from cdk_soc2.boundary import Boundary
from cdk_soc2.deploy.exceptions import stage_of
from cdk_soc2.deploy.guard import Soc2Guard

REPORT = "validation-report.json"
NUMBERS = count(1)


def assert_soc2(
    scope: cdk.Stack | cdk.Stage, *, boundary: Boundary | None = None, today: date | None = None
) -> None:
    """Raise ``AssertionError``, with one line a finding, unless *scope* keeps every rule.

    The app is synthesized, with a guard of its own. What is acknowledged is no finding, as in a real
    synth. Other stacks of the app are looked at for what they hold for this one: exports, flow logs.

    :param boundary: as for :class:`~cdk_soc2.deploy.guard.Soc2Guard`.
    :param today: the day on which exceptions and runtimes end or not; absent, the real one, UTC.
    :raises ValueError: *scope* is in no app.
    """
    app = stage_of(stage_of(scope).node.root)
    label = f"assert_soc2 {next(NUMBERS)}"
    cdk.Validations.of(app).add_plugins(Soc2Guard(boundary=boundary, today=today, label=label))
    report = Path(app.outdir) / REPORT
    report.unlink(missing_ok=True)
    with suppress(RuntimeError):  # refused, by this guard or by another: the report says why
        app.synth(force=True)
    if not report.exists():
        app.synth(force=True)  # something else is the matter, and says so itself
    reports = json.loads(report.read_text(encoding="utf-8"))["pluginReports"]
    # One that has found nothing is not in it.
    mine = next((r for r in reports if r.get("metadata", {}).get("label") == label), None)
    lines = list(_lines(mine, scope.node.path)) if mine else []
    if lines:
        raise AssertionError("\n".join([f"{len(lines)} SOC 2 finding(s):", *lines]))


def _lines(report: Mapping[str, Any], path: str) -> Iterator[str]:
    """What it says of the construct at *path* and of those below."""
    for violation in report["violations"]:
        if violation.get("severity") == "warning":
            continue
        status = violation.get("ruleMetadata", {}).get("status", "FAIL")
        for construct in violation["violatingConstructs"]:
            where = str(construct.get("constructPath", ""))
            if not path or where == path or where.startswith(f"{path}/"):
                told = f"{violation['description']} {violation.get('suggestedFix', '')}"
                yield f"{status} {violation['ruleName']}: {where}: {told}".rstrip()
