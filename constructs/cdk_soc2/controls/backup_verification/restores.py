"""What AWS Backup tells of restore tests: one restored a resource, and something validated it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cdk_soc2.answers import malformed, may, records, want, when
from cdk_soc2.context import Context
from cdk_soc2.control import Account, Observed, Region, could_not

VALID = timedelta(days=92)
LOOK_BACK = timedelta(days=366)  # to find the last one, if it is overdue
SKEW = timedelta(hours=1)  # how far AWS's clock may be ahead of ours
RUN = (
    "Run a restore test: an AWS Backup restore testing plan, and a function that validates what was "
    "restored and reports it with PutRestoreValidationResult; or attach the record of one."
)
MEND = "Find out why the restore test failed, mend it, and test again."


@dataclass(frozen=True, slots=True)
class Test:
    """A restore job that was decided: validated, or failed."""

    id: str
    of: str
    ok: bool
    at: datetime
    told: str
    region: str


def tested(account: Account, context: Context) -> Iterator[Observed]:
    """The last test of every resource; where none counts, whether one is due."""
    found: list[Test] = []
    undecided: list[str] = []

    def look(region: Region) -> Observed:
        try:
            for job in _jobs(region, context.now):
                if may(job, "AccountId", str) in (None, account.id):
                    test = _test(job, region, context.now)
                    found.append(test) if test else undecided.append(want(job, "RestoreJobId", str))
        except Exception as error:  # noqa: BLE001  told of this region, not of the one that asks
            return could_not(error, region.name, region.name)
        return Observed(True, region.name, "read", region.name)

    asked = account.home.each(account.regions, lambda region: region.name, look)
    troubles = [o for o in asked if o.ok is not True]
    yield from troubles
    last = {test.of: test for test in sorted(found, key=lambda test: test.at)}
    counting = [test for test in last.values() if context.now - test.at <= VALID]
    for test in counting:
        yield Observed(test.ok, test.of, test.told, test.region, None if test.ok else MEND)
    if not troubles and not any(test.ok for test in counting):
        yield _none(account, [t for t in found if t.ok], undecided, context)


def _jobs(region: Region, now: datetime) -> Sequence[Mapping[str, Any]]:
    jobs = region.list("backup", "list_restore_jobs", "RestoreJobs", ByCreatedAfter=now - LOOK_BACK)
    return records({"RestoreJobs": jobs}, "RestoreJobs")


def _test(job: Mapping[str, Any], region: Region, now: datetime) -> Test | None:
    """``None``: still under way, or restored without being validated."""
    id, status = want(job, "RestoreJobId", str), want(job, "Status", str)
    validation = may(job, "ValidationStatus", str)
    plan = may(may(job, "CreatedBy", dict) or {}, "RestoreTestingPlanArn", str)
    if status not in ("PENDING", "RUNNING", "COMPLETED", "ABORTED", "FAILED"):
        raise malformed(f"Status of {id} is {status!r}")
    if validation not in (None, "VALIDATING", "SUCCESSFUL", "FAILED", "TIMED_OUT"):
        raise malformed(f"ValidationStatus of {id} is {validation!r}")
    ok = status == "COMPLETED" and validation == "SUCCESSFUL"
    failed = validation in ("FAILED", "TIMED_OUT")
    failed = failed or (plan is not None and status in ("ABORTED", "FAILED"))
    if not (ok or failed):
        return None
    at = when(job, "CompletionDate") or (None if ok else when(job, "CreationDate"))
    if at is None or at > now + SKEW:
        raise malformed(f"CompletionDate of {id} is {at}")
    told = f"restore job {id} of {at:%Y-%m-%dT%H:%M:%SZ} {status}, validation {validation}"
    of = may(job, "SourceResourceArn", str) or may(job, "ResourceType", str) or "restore tests"
    message = may(job, "ValidationStatusMessage", str) or may(job, "StatusMessage", str)
    return Test(id, of, ok, at, f"{told}: {message}" if message else told, region.name)


def _none(
    account: Account, past: Sequence[Test], undecided: Sequence[str], context: Context
) -> Observed:
    """No validated test that counts: overdue, not yet due, or due on a day nobody has named."""
    rest = f"; {len(undecided)} restore jobs without a result" if undecided else ""
    period = context.boundary.period
    if past:
        latest = max(past, key=lambda test: test.at)
        due, since = latest.at.date() + VALID, f"the last one was {latest.told}"
    elif period is not None:
        due, since = period.start + VALID, f"the period began on {period.start}"
    else:
        told = f"no validated restore test, and the boundary states no period{rest}"
        return Observed(None, account.id, told, remedy=f"{RUN} State the period in the boundary.")
    overdue = context.now.date() >= due
    word = "it was due" if overdue else "it is due"
    told = (
        f"no validated restore test of the last {VALID.days} days; {word} on {due}, {since}{rest}"
    )
    return Observed(False if overdue else None, account.id, told, remedy=RUN)
