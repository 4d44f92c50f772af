"""How what was seen becomes a verdict: four statuses, and the one place that gives them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Status(StrEnum):
    """What a check found. Four values: not having seen is neither good nor bad."""

    PASS = "PASS"  # noqa: S105  a verdict, not a password
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"  # could not look, or a human document is not there yet
    NOT_APPLICABLE = "NOT_APPLICABLE"  # nothing of the kind exists, and that was seen


WORST_FIRST = (Status.FAIL, Status.UNKNOWN, Status.PASS, Status.NOT_APPLICABLE)


def worst(statuses: Iterable[Status]) -> Status:
    """The status of a whole from those of its parts. No parts: nothing was seen, ``UNKNOWN``."""
    return min(statuses, key=WORST_FIRST.index, default=Status.UNKNOWN)


class CannotLook(Exception):
    """A question that got no answer. The check becomes ``UNKNOWN`` with this reason and remedy."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Observed:
    """What a check or rule saw of one resource.

    :param ok: is it as it must be? ``None``: could not be seen.
    :param subject: ARN, id or name of the resource; a logical id in a template.
    :param detail: the value that decided.
    :param region: where; ``None`` for what the whole account shares.
    :param remedy: what to do, when it is not ok.
    :param path: where in a template, when it is not the resource as a whole.
    """

    ok: bool | None
    subject: str
    detail: str
    region: str | None = None
    remedy: str | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Excluded:
    """A resource left out of the verdict on purpose, and why: part of the population, said aloud."""

    subject: str
    reason: str
    region: str | None = None
    reviewed_by: str | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """An observation with its status, as the engine gave it."""

    status: Status
    subject: str
    detail: str
    region: str | None = None
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict of one check over its whole population.

    ``population`` = ``observed`` + ``denied`` + number of ``exclusions``.
    """

    check: str
    status: Status
    detail: str
    observations: tuple[Judged, ...] = ()
    exclusions: tuple[Excluded, ...] = ()

    @property
    def denied(self) -> int:
        """How many resources, or whole questions, could not be looked at."""
        return sum(o.status is Status.UNKNOWN for o in self.observations)

    @property
    def observed(self) -> int:
        return len(self.observations) - self.denied

    @property
    def population(self) -> int:
        return len(self.observations) + len(self.exclusions)


@dataclass(frozen=True, slots=True)
class Waiver:
    """An accepted exception of the boundary, as it stands on the day of the run."""

    reason: str
    reviewed_by: str
    until: str
    expired: bool


class Waivers(Protocol):
    """The accepted exceptions of the boundary."""

    def of(self, check: str, subject: str) -> Waiver | None: ...


class Question(Protocol):
    """What a verdict needs to know of a check.

    ``of`` is what is counted, in the plural; ``empty`` the verdict when there is nothing to look at,
    and that was seen.
    """

    @property
    def id(self) -> str: ...
    @property
    def of(self) -> str: ...
    @property
    def empty(self) -> Status: ...


def could_not(error: Exception, subject: str, region: str | None = None) -> Observed:
    """The observation that *error* leaves behind: nothing was seen, and why."""
    if isinstance(error, CannotLook):
        return Observed(None, subject, error.reason, region, error.remedy)
    return Observed(
        None,
        subject,
        f"the answer could not be judged: {told(error)}",
        region,
        "Read the raw answers of this run; if AWS changed its answer, report it to cdk-soc2.",
    )


def judge(check: Question, seen: Sequence[Observed | Excluded], waived: Waivers) -> Finding:
    """The verdict of *check* on all that was *seen*, exceptions of the boundary applied.

    Only here does an observation become a status.
    """
    exclusions: list[Excluded] = [s for s in seen if isinstance(s, Excluded)]
    observations: list[Judged] = []
    for o in seen:
        if isinstance(o, Excluded):
            continue
        waiver = waived.of(check.id, o.subject) if o.ok is False else None
        if waiver is not None and not waiver.expired:
            exclusions.append(
                Excluded(o.subject, waiver.reason, o.region, waiver.reviewed_by, waiver.until)
            )
            continue
        detail, remedy = o.detail, o.remedy
        if waiver is not None:
            detail += f" (its accepted exception expired on {waiver.until})"
            remedy = remedy or "Fix it, or review the exception again."
        observations.append(Judged(status_of(o), o.subject, detail, o.region, remedy))
    status = worst(o.status for o in observations) if observations else check.empty
    return Finding(
        check.id,
        status,
        _sentence(check, status, observations, len(exclusions)),
        tuple(observations),
        tuple(exclusions),
    )


def _sentence(check: Question, status: Status, seen: Sequence[Judged], excluded: int) -> str:
    """How many of how many, and the values that decided: the first three, then a count."""
    left_out = f"; {excluded} excluded" if excluded else ""
    if not seen:
        return f"no {check.of} to judge{left_out}"
    deciding = [o for o in seen if o.status is status]
    told = "; ".join(dict.fromkeys(_told_of(o) for o in deciding[:3]))
    more = f"; and {len(deciding) - 3} more" if len(deciding) > 3 else ""
    word = {"PASS": "as they must be", "FAIL": "not as they must be"}.get(status, "not seen")
    return f"{len(deciding)} of {len(seen)} {check.of} {word}{left_out}: {told}{more}"


def _told_of(o: Judged) -> str:
    where = f" in {o.region}" if o.region and o.region != o.subject else ""
    return f"{o.subject}{where}: {o.detail}"


def told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def status_of(o: Observed) -> Status:
    """``ok`` must be exactly true to pass: a null or a word in an answer never does."""
    if o.ok is True:
        return Status.PASS
    return Status.FAIL if o.ok is False else Status.UNKNOWN
