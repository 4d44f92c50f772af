"""Is the account ready for an auditor on a day, and if not, what is to be done?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from cdk_soc2.audit.documents import Document, of_day
from cdk_soc2.audit.explanations import Explanation, is_explained
from cdk_soc2.audit.heard import SCHEDULE, holes_of
from cdk_soc2.audit.result import Evidence, Kind, Readiness, Row
from cdk_soc2.audit.rows import DOCUMENTS, Asked, rows
from cdk_soc2.audit.runs import Run
from cdk_soc2.evidence.layout import MANUAL
from cdk_soc2.verdict import WORST_FIRST, Status, worst

VERIFY = "Run `soc2 verify`: it says what is wrong with the run."
AGAIN = "Find out why the collector did not run or finish, run it again, and record the cause."
NOT_HERE = "Not collected yet by this version: show the auditor where it is, until it is."
NOT_ASKED = "Update the collector: that run did not do this check."
ATTACH = "Write it, have another person review it, and attach it to the vault."


def readiness(
    matrix: Sequence[Mapping[str, Any]],
    runs: Mapping[str, Sequence[Run]],
    documents: Mapping[str, list[Document]],
    on: date,
    silent_days: int = 0,
    explanations: Sequence[Explanation] = (),
) -> Readiness:
    """Answer every row from the *runs* of the day *on*, by source, and the *documents*.

    :param matrix: our checks, as :func:`cdk_soc2.control.matrix` tells them.
    :param explanations: of days without a run, which the collector that misses them cannot read.
    :param silent_days: how many finished days there have been since *on*, all without evidence.
    """
    found = {
        verdict.check: verdict.control
        for of_source in runs.values()
        for run in of_source
        if run.verdicts
        for verdict in run.verdicts.checks.values()
    }
    answers: list[Row] = []
    for asked in rows(matrix, found):
        if asked.check in DOCUMENTS:
            evidence = _of_documents(asked.check, runs, documents.get(asked.check, []), on)
        else:
            evidence = _of_runs(asked.check, runs, on)
        if asked.check == SCHEDULE:
            evidence = [_without_explained(e, runs, explanations) for e in evidence]
        if asked.check == SCHEDULE and silent_days:
            detail = f"no run of any source on the {silent_days} finished day(s) since {on}"
            evidence.append(Evidence(None, on, Status.UNKNOWN, detail, remedies=(AGAIN,)))
        answers.append(_answer(asked, evidence))
    return Readiness(on, tuple(answers))


def _of_runs(check: str, runs: Mapping[str, Sequence[Run]], on: date) -> list[Evidence]:
    """What every source says of *check* that says such things: AWS accounts of what is in AWS."""
    kinds = {
        _kind(source)
        for source, of_source in runs.items()
        for run in of_source
        if run.verdicts and check in run.verdicts.checks
    }
    evidence: list[Evidence] = []
    for source, of_source in runs.items():
        if kinds and _kind(source) not in kinds:
            continue
        told = [_of_run(run, check, bool(kinds)) for run in of_source]
        evidence += [e for e in told if e is not None]
        if not of_source:
            detail = f"no run of {source} on {on}"
            evidence.append(Evidence(source, on, Status.UNKNOWN, detail, remedies=(AGAIN,)))
    return evidence


def _without_explained(
    evidence: Evidence, runs: Mapping[str, Sequence[Run]], explanations: Sequence[Explanation]
) -> Evidence:
    """A hole in the schedule that was explained is an exclusion."""
    run = next((r for r in runs.get(evidence.source or "", ()) if r.path == evidence.path), None)
    holes = holes_of(run.verdicts.document) if run and run.verdicts and not run.trouble else None
    if evidence.status is not Status.FAIL or not holes:
        return evidence
    if all(is_explained(explanations, run.source, *hole) for hole in holes if run):
        detail = f"{len(holes)} hole(s) explained: {evidence.detail}"
        return replace(evidence, status=Status.PASS, detail=detail, remedies=())
    return evidence


def _kind(source: str) -> str:
    return source.partition("-")[0]


def _of_run(run: Run, check: str, expected: bool) -> Evidence | None:
    verdict = run.verdicts.checks.get(check) if run.verdicts else None
    number = run.statement.number if run.statement else None
    signed = run.statement.signed if run.statement else None
    if run.trouble is not None:
        status, detail = Status.UNKNOWN, f"run {run.id} is not whole evidence: {run.trouble}"
        remedies: tuple[str, ...] = (VERIFY, AGAIN)
        if verdict is not None and verdict.status is Status.FAIL:
            status, detail = Status.FAIL, f"{verdict.detail}; and {detail}"
            remedies = verdict.remedies
    elif verdict is not None:
        status, detail, remedies = verdict.status, verdict.detail, verdict.remedies
    elif expected:
        status, detail, remedies = Status.UNKNOWN, f"run {run.id} did not ask it", (NOT_ASKED,)
    else:
        return None
    return Evidence(run.source, run.day, status, detail, run.path, number, signed, remedies)


def _of_documents(
    check: str, runs: Mapping[str, Sequence[Run]], documents: list[Document], on: date
) -> list[Evidence]:
    """A current document answers by itself; else what collectors say of its absence is told too."""
    document = of_day(documents, on)
    whole = [run for of_source in runs.values() for run in of_source if run.trouble is None]
    told = [e for run in whole if (e := _of_run(run, check, expected=False)) is not None]
    if document is None:
        return told
    late = f"no longer current: {document.detail}" if document.until < on else None
    wrong = document.trouble or late
    attached = Evidence(
        MANUAL,
        document.effective,
        Status.UNKNOWN if wrong else Status.PASS,
        wrong or document.detail,
        document.path,
        document.statement.number,
        document.statement.signed,
        (ATTACH,) if wrong else (),
    )
    return [attached, *told] if wrong else [attached]


def _answer(asked: Asked, evidence: list[Evidence]) -> Row:
    ordered = tuple(sorted(evidence, key=lambda e: WORST_FIRST.index(e.status)))
    status = worst(e.status for e in evidence)
    if status in (Status.PASS, Status.NOT_APPLICABLE):
        return Row(asked, status, None, ordered, None)
    kind: Kind = "control" if status is Status.FAIL else "evidence"
    if asked.check in DOCUMENTS:
        kind = "process"
    return Row(asked, status, kind, ordered, _next(asked, status, ordered))


def _next(asked: Asked, status: Status, evidence: Sequence[Evidence]) -> str:
    """The first remedies of what decided."""
    if not evidence:
        if asked.check in DOCUMENTS:
            return ATTACH
        return NOT_ASKED if asked.known else NOT_HERE
    deciding = [e for e in evidence if e.status is status]
    remedies = list(dict.fromkeys(r for e in deciding for r in e.remedies))
    if not remedies:
        return f"Mend this: {deciding[0].detail}"
    more = f" And {len(remedies) - 2} more, in the evidence." if len(remedies) > 2 else ""
    mended = " A later run of the day is fine: record what it was." if _mended(evidence) else ""
    return " ".join(remedies[:2]) + more + mended


def _mended(evidence: Sequence[Evidence]) -> bool:
    """Does the last run of every source find nothing amiss?"""
    last = {e.source: e for e in sorted(evidence, key=lambda e: e.path or "~")}
    return all(e.status in (Status.PASS, Status.NOT_APPLICABLE) for e in last.values())
