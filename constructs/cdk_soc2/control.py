"""What a control is: a claim, the rules that hold it in a template, the checks that prove it live."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

from cdk_soc2.criteria import CRITERIA

if TYPE_CHECKING:
    from cdk_soc2.boundary import Period
    from cdk_soc2.context import Context
    from cdk_soc2.template import Template

Item = TypeVar("Item")


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
    """

    ok: bool | None
    subject: str
    detail: str
    region: str | None = None
    remedy: str | None = None


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


class Region(Protocol):
    """A read-only window on one region of one account. Every answer it gives is kept as evidence."""

    @property
    def name(self) -> str: ...

    @property
    def account(self) -> str:
        """The account's id; empty before it is known whose credentials these are."""
        ...

    def read(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        """The one answer of *operation* (named as in boto3). Raises :class:`CannotLook`."""
        ...

    def find(
        self, service: str, operation: str, /, *, absent: str, **parameters: Any
    ) -> dict[str, Any] | None:
        """As ``read``; ``None`` where the service says, by error code *absent*, there is none."""
        ...

    def list(
        self, service: str, operation: str, key: str, /, **parameters: Any
    ) -> list[dict[str, Any]]:
        """The items under *key* of every page of *operation*. Raises :class:`CannotLook`."""
        ...

    def first(
        self, service: str, operation: str, key: str, /, *, pages: int, **parameters: Any
    ) -> tuple[list[dict[str, Any]], bool]:
        """The items of the first *pages* pages, and whether there are more. The evidence says that
        reading stopped there. Raises :class:`CannotLook`."""
        ...

    def poll(
        self,
        service: str,
        operation: str,
        /,
        *,
        until: Callable[[Mapping[str, Any]], bool],
        **parameters: Any,
    ) -> dict[str, Any]:
        """The answer of *operation*, asked anew, within seconds, *until* it is as wanted; else the
        last one. Every answer is kept. Raises :class:`CannotLook`."""
        ...

    def each(
        self,
        items: Iterable[Item],
        subject: Callable[[Item], str],
        look: Callable[[Item], Observed],
    ) -> Iterator[Observed]:
        """``look`` at every item, concurrently. One that cannot be looked at costs no other."""
        ...


class Account(Protocol):
    """A read-only window on one AWS account."""

    @property
    def id(self) -> str: ...

    @property
    def home(self) -> Region:
        """The region that services without regions are asked in."""
        ...

    @property
    def regions(self) -> Sequence[Region]:
        """The regions in scope."""
        ...

    def region(self, name: str) -> Region:
        """Any region, in scope or not: a trail's home may be elsewhere."""
        ...


AccountLook = Callable[[Account, "Context"], Iterable[Observed | Excluded]]
RegionLook = Callable[[Region, "Context"], Iterable[Observed | Excluded]]
RuleLook = Callable[["Template"], Iterable[Observed]]


@dataclass(frozen=True, slots=True)
class Check:
    """A question to the live account.

    :param of: what is counted, in the plural: "trails".
    :param empty: the verdict when there is nothing to look at, and that was seen.
    :param per_region: asked in each region in scope, rather than once for the account.
    :param manual: looks for a document that people make; no service could be asked.
    """

    id: str
    says: str
    look: Callable[[Any, Context], Iterable[Observed | Excluded]]
    of: str
    empty: Status
    per_region: bool
    manual: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A question to a synthesized template. ``fix`` is the remedy of whatever breaks it."""

    id: str
    says: str
    look: RuleLook
    fix: str


@dataclass(frozen=True)
class RuleFinding:
    """What one rule saw of one resource of a template."""

    rule: str
    status: Status
    resource: str
    detail: str
    remedy: str


@dataclass(frozen=True, eq=False)
class Control:
    """One control. The matrix, the collector's permissions, the docs and the report derive from it.

    :param number: the handbook's, 0 to 15.
    :param handbook: the handbook's own label for the criterion, kept for whoever comes from there.
    :param reads: the IAM actions that the checks need, and no others.
    """

    number: int
    key: str
    name: str
    claim: str
    criteria: tuple[str, ...]
    handbook: str | None
    reads: tuple[str, ...]
    checks: dict[str, Check] = field(default_factory=dict[str, Check])
    rules: dict[str, Rule] = field(default_factory=dict[str, Rule])

    def __post_init__(self) -> None:
        unknown = [c for c in self.criteria if c not in CRITERIA]
        if unknown or not self.criteria:
            raise ValueError(
                f"control {self.key}: criteria {unknown or 'missing'}; name some of cdk_soc2.criteria"
            )

    @overload
    def check(self, look: AccountLook, /) -> AccountLook: ...
    @overload
    def check(
        self, /, *, of: str, empty: Status = Status.UNKNOWN
    ) -> Callable[[AccountLook], AccountLook]: ...
    def check(
        self,
        look: AccountLook | None = None,
        /,
        *,
        of: str = "resources",
        empty: Status = Status.UNKNOWN,
    ) -> Any:
        """Add a question that is asked once for the account; its name is the check's id."""

        def add(look: AccountLook) -> AccountLook:
            self._add(look, of, empty, per_region=False)
            return look

        return add if look is None else add(look)

    def check_each_region(
        self, /, *, of: str = "regions", empty: Status = Status.UNKNOWN
    ) -> Callable[[RegionLook], RegionLook]:
        """Add a question that is asked in every region in scope."""

        def add(look: RegionLook) -> RegionLook:
            self._add(look, of, empty, per_region=True)
            return look

        return add

    def document(
        self, id: str, says: str, /, *, due: Callable[[Period], date], valid_days: int
    ) -> None:
        """Add a document that only people make.

        :param says: what the document must be, in a sentence: what ``PASS`` means.
        :param due: the day of the period by which it must be there.
        :param valid_days: for how long after its effective date it is current.
        """

        def look(account: Account, context: Context) -> Iterator[Observed]:
            yield _absent_document(id, due, valid_days, context)

        self.checks[id] = Check(
            id, says, look, "documents", Status.UNKNOWN, per_region=False, manual=True
        )

    def rule(self, /, *, fix: str) -> Callable[[RuleLook], RuleLook]:
        """Add what every synthesized template must show; *fix* says how to make it so."""

        def add(look: RuleLook) -> RuleLook:
            id = _name(look)
            self.rules[id] = Rule(id, _says(look), look, fix)
            return look

        return add

    def _add(self, look: Any, of: str, empty: Status, *, per_region: bool) -> None:
        id = _name(look)
        if id in self.checks:
            raise ValueError(f"control {self.key}: two checks named {id}")
        self.checks[id] = Check(id, _says(look), look, of, empty, per_region)

    def review(self, template: Template) -> Iterator[RuleFinding]:
        """Hold *template* against every rule. A rule that breaks has seen nothing: ``UNKNOWN``."""
        for rule in self.rules.values():
            try:
                for o in rule.look(template):
                    yield RuleFinding(
                        rule.id, _status(o), o.subject, o.detail, o.remedy or rule.fix
                    )
            except Exception as error:  # noqa: BLE001  a rule may break in any way; it is said
                reason = error.reason if isinstance(error, CannotLook) else _told(error)
                yield RuleFinding(rule.id, Status.UNKNOWN, "-", reason, rule.fix)


def _absent_document(
    id: str, due: Callable[[Period], date], valid_days: int, context: Context
) -> Observed:
    """A document that is not there: overdue, not yet due, or due on a day nobody has named."""
    period = context.boundary.period
    bring = f"Attach one that is effective within the last {valid_days} days."
    if period is None:
        reason = "no document, and the boundary states no period"
        return Observed(None, id, reason, remedy=f"{bring} State the period in the boundary file.")
    by = due(period)
    if context.now.date() < by:
        return Observed(None, id, f"no document yet; it is due on {by}", remedy=bring)
    return Observed(False, id, f"no document; it was due on {by}", remedy=bring)


def could_not(error: Exception, subject: str, region: str | None = None) -> Observed:
    """The observation that *error* leaves behind: nothing was seen, and why."""
    if isinstance(error, CannotLook):
        return Observed(None, subject, error.reason, region, error.remedy)
    return Observed(
        None,
        subject,
        f"the answer could not be judged: {_told(error)}",
        region,
        "Read the raw answers of this run; if AWS changed its answer, report it to cdk-soc2.",
    )


def judge(check: Check, seen: Sequence[Observed | Excluded], waived: Waivers) -> Finding:
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
        observations.append(Judged(_status(o), o.subject, detail, o.region, remedy))
    status = worst(o.status for o in observations) if observations else check.empty
    return Finding(
        check.id,
        status,
        _sentence(check, status, observations, len(exclusions)),
        tuple(observations),
        tuple(exclusions),
    )


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


def _sentence(check: Check, status: Status, seen: Sequence[Judged], excluded: int) -> str:
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


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _status(o: Observed) -> Status:
    """``ok`` must be exactly true to pass: a null or a word in an answer never does."""
    if o.ok is True:
        return Status.PASS
    return Status.FAIL if o.ok is False else Status.UNKNOWN


def _name(look: Callable[..., Any]) -> str:
    return look.__name__


def _says(look: Callable[..., Any]) -> str:
    says = " ".join((look.__doc__ or "").split("\n\n")[0].split())
    if not says.endswith("."):
        raise ValueError(f"{look.__name__}: its docstring must say, in a sentence, what PASS means")
    return says


def matrix(controls: Iterable[Control]) -> list[Mapping[str, Any]]:
    """A row a check, in order: the one table that the command, the docs and the report print."""
    return [
        {
            "number": c.number,
            "control": c.key,
            "name": c.name,
            "criteria": list(c.criteria),
            "handbook": c.handbook,
            "check": check.id,
            "passes_when": check.says,
            "evidence": "manual" if check.manual else "automated",
        }
        for c in controls
        for check in c.checks.values()
    ]
