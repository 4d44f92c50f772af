"""What one run leaves behind: its verdicts as a document, and the files that its statement names."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cdk_soc2.assess import Assessment
from cdk_soc2.boundary import Boundary
from cdk_soc2.control import Control, Finding, Judged, Status, worst
from cdk_soc2.evidence.spool import timestamp
from cdk_soc2.scope import Scope

SCHEMA = "soc2-control-status/v1"
STATUS_FILE = "control-status.json"


@dataclass(frozen=True)
class Run:
    """One collection: who looked, where, when, and what every check found."""

    id: str
    scope: Scope
    boundary: Boundary
    controls: Sequence[Control]
    assessment: Assessment
    start: datetime
    end: datetime
    collector: Mapping[str, Any]

    @property
    def day(self) -> str:
        """The UTC date on which the run began."""
        return f"{self.start.astimezone(UTC):%Y-%m-%d}"

    @property
    def folder(self) -> str:
        """Where the run's files lie, from the vault's root."""
        return f"daily/{self.day}/{self.scope.source}/{self.id}"

    @property
    def finished(self) -> bool:
        """Was every check done?"""
        return not self.assessment.unfinished

    @property
    def collected(self) -> list[str]:
        """The regions in scope that answered every question asked of the region as a whole."""
        silent = {
            o.region
            for findings in self.assessment.findings.values()
            for finding in findings
            for o in finding.observations
            if o.status is Status.UNKNOWN and o.subject == o.region
        }
        return [r for r in self.scope.regions if r not in silent]


def run_id(now: datetime) -> str:
    """Unique, and sorts by time within its day: ``HHMMSSZ-`` and 8 hex digits."""
    return f"{now.astimezone(UTC):%H%M%S}Z-{secrets.token_hex(4)}"


def status_document(run: Run, files: Mapping[str, str]) -> dict[str, Any]:
    """``control-status.json``: the verdicts of *run*, the values behind them, and who looked.

    :param files: the SHA-256 of every file beside it, by name.
    """
    period = run.boundary.period
    controls = {c.key: _control(c, run.assessment.findings[c.key]) for c in run.controls}
    return {
        "schema": SCHEMA,
        "source": run.scope.source,
        "run": run.id,
        "collection_timestamp": timestamp(run.start),
        "collection_date": run.day,
        "account_id": run.scope.account,
        "window": window(run),
        "finished": run.finished,
        "regions": {"expected": list(run.scope.regions), "collected": run.collected},
        "boundary": {"name": run.boundary.name, "sha256": run.boundary.digest},
        "collector": {**run.collector, "principal_arn": run.scope.principal},
        "period": {"start": f"{period.start}", "end": f"{period.end}"} if period else None,
        "files": dict(files),
        "controls": controls,
        "summary": {
            "controls": _counts(c["status"] for c in controls.values()),
            "checks": _counts(k["status"] for c in controls.values() for k in c["checks"].values()),
        },
    }


def predicate(run: Run) -> dict[str, Any]:
    """What the signed statement says of *run*, besides its place in the ledger."""
    findings = [f for found in run.assessment.findings.values() for f in found]
    unfinished = set(run.assessment.unfinished)
    return {
        "regions": {"expected": list(run.scope.regions), "collected": run.collected},
        "checks": {
            "expected": [f.check for f in findings],
            "run": [f.check for f in findings if f.check not in unfinished],
            "errors": [
                {"check": f.check, "reason": o.detail}
                for f in findings
                for o in f.observations
                if o.status is Status.UNKNOWN
            ],
        },
        "collector": {**run.collector, "principal_arn": run.scope.principal},
        "boundary": {"sha256": run.boundary.digest},
        "window": window(run),
        "finished": run.finished,
    }


def troubled(status: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The checks of a ``control-status.json`` that fail, or that are automated and unknown, by id."""
    return {
        id: check
        for control in status["controls"].values()
        for id, check in control["checks"].items()
        if check["status"] == Status.FAIL
        or (check["status"] == Status.UNKNOWN and check.get("automated", True))
    }


def window(run: Run) -> dict[str, str]:
    return {"start": timestamp(run.start), "end": timestamp(run.end)}


def serialize(document: Mapping[str, Any]) -> bytes:
    """The bytes that are stored, hashed and signed."""
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _control(control: Control, findings: Sequence[Finding]) -> dict[str, Any]:
    status = worst(f.status for f in findings)
    return {
        "number": control.number,
        "name": control.name,
        "criteria": list(control.criteria),
        "handbook": control.handbook,
        "status": status,
        "detail": "; ".join(f"{f.check}: {f.detail}" for f in findings if f.status is status),
        "checks": {f.check: _check(f, control.checks[f.check].manual) for f in findings},
    }


def _check(finding: Finding, manual: bool) -> dict[str, Any]:
    return {
        "status": finding.status,
        "automated": not manual,
        "detail": finding.detail,
        "population": finding.population,
        "observed": finding.observed,
        "denied": finding.denied,
        "exclusions": [
            {
                "subject": e.subject,
                "region": e.region,
                "reason": e.reason,
                "reviewed_by": e.reviewed_by,
                "until": e.until,
            }
            for e in finding.exclusions
        ],
        "observations": [_observation(o) for o in finding.observations],
    }


def _observation(o: Judged) -> dict[str, Any]:
    told = {"status": o.status, "region": o.region, "subject": o.subject, "detail": o.detail}
    return {**told, "remedy": o.remedy} if o.remedy else told


def _counts(statuses: Any) -> dict[str, int]:
    counted = Counter(statuses)
    return {str(status): counted[status] for status in Status}
