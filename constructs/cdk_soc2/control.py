"""What a control is: a claim, the rules that hold it in a template, the checks that prove it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, overload

from cdk_soc2.boundary import Period
from cdk_soc2.context import Context
from cdk_soc2.criteria import CRITERIA
from cdk_soc2.rule import ResourceLook, Rule, RuleFinding, RuleLook, each, hold
from cdk_soc2.template import Template
from cdk_soc2.verdict import (
    CannotLook,
    Excluded,
    Finding,
    Judged,
    Observed,
    Status,
    could_not,
    judge,
    worst,
)
from cdk_soc2.window import Account, Region

__all__ = [
    "Account",
    "CannotLook",
    "Check",
    "Control",
    "Excluded",
    "Finding",
    "Judged",
    "Observed",
    "Region",
    "Rule",
    "RuleFinding",
    "Status",
    "could_not",
    "judge",
    "matrix",
    "worst",
]

AccountLook = Callable[[Account, Context], Iterable[Observed | Excluded]]
RegionLook = Callable[[Region, Context], Iterable[Observed | Excluded]]


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
        self, /, *, of: str, empty: Status = Status.UNKNOWN, manual: bool = False
    ) -> Callable[[AccountLook], AccountLook]: ...
    def check(
        self,
        look: AccountLook | None = None,
        /,
        *,
        of: str = "resources",
        empty: Status = Status.UNKNOWN,
        manual: bool = False,
    ) -> Any:
        """Add a question that is asked once for the account; its name is the check's id.

        *manual*: it asks for what people do now and then, and is not trouble before it is due.
        """

        def add(look: AccountLook) -> AccountLook:
            says = _says(look)
            self._add(Check(_name(look), says, look, of, empty, per_region=False, manual=manual))
            return look

        return add if look is None else add(look)

    def check_each_region(
        self, /, *, of: str = "regions", empty: Status = Status.UNKNOWN
    ) -> Callable[[RegionLook], RegionLook]:
        """Add a question that is asked in every region in scope."""

        def add(look: RegionLook) -> RegionLook:
            self._add(Check(_name(look), _says(look), look, of, empty, per_region=True))
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

        of, empty = "documents", Status.UNKNOWN
        self._add(Check(id, says, look, of, empty, per_region=False, manual=True))

    def rule(self, /, *, fix: str, criteria: Sequence[str] = ()) -> Callable[[RuleLook], RuleLook]:
        """Add what every synthesized template must show; *fix* says how to make it so.

        :param criteria: those it supports, where they are not the control's.
        """

        def add(look: RuleLook) -> RuleLook:
            self._add_rule(look, look, fix, criteria)
            return look

        return add

    def rule_for(
        self, /, *types: str, fix: str, criteria: Sequence[str] = ()
    ) -> Callable[[ResourceLook], ResourceLook]:
        """Add what every resource of *types* must show; ``None`` from it: there is nothing to ask."""

        def add(look: ResourceLook) -> ResourceLook:
            self._add_rule(each(types, look), look, fix, criteria)
            return look

        return add

    def _add_rule(
        self, look: RuleLook, named: Callable[..., Any], fix: str, criteria: Sequence[str]
    ) -> None:
        id, unknown = _name(named), [c for c in criteria if c not in CRITERIA]
        if id in self.rules or unknown:
            raise ValueError(f"rule {id}: there are two, or criteria {unknown} do not exist")
        self.rules[id] = Rule(id, _says(named), look, fix, tuple(criteria) or self.criteria)

    def _add(self, check: Check) -> None:
        if check.id in self.checks:
            raise ValueError(f"control {self.key}: two checks named {check.id}")
        self.checks[check.id] = check

    def review(self, template: Template) -> Iterator[RuleFinding]:
        """Hold *template* against every rule: one finding a rule and resource."""
        for rule in self.rules.values():
            yield from hold(rule, template)


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
