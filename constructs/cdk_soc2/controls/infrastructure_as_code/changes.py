"""The write calls since the last run, and which of them a person made past the pipeline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from cdk_soc2.answers import malformed, want
from cdk_soc2.context import Context
from cdk_soc2.control import CannotLook, Observed, Region
from cdk_soc2.controls.infrastructure_as_code.callers import Caller, Kind
from cdk_soc2.controls.infrastructure_as_code.calls import Aside, Call, recorded
from cdk_soc2.controls.infrastructure_as_code.trust import kind_by_trust

FIRST_RUN = timedelta(days=1)  # how far a run looks back that has no earlier one
DELAY = timedelta(hours=1)  # CloudTrail shows a call some minutes late; the last run missed those
KEPT = timedelta(days=90)  # for how long calls can be looked up
TOLD = 3  # event ids that are named of each kind of change
MANY = "Look the calls up in the trail's log files: this reads {pages} pages a region at most."
EXPLAIN = (
    "Find the change request behind it and bring the change into the templates; if the pipeline "
    "did it, name its role in deploy_roles of the boundary."
)
DECIDE = (
    "If only a pipeline can assume the role, name it in deploy_roles of the boundary; else let people "
    "sign in through a role that only they can assume."
)

Group = tuple[str, str, Kind | None, str]  # caller, action, kind and what shows it


def records_global_calls(region: str) -> str:
    """The region whose trail holds the calls of global services, in the partition of *region*."""
    for prefix, name in {"cn-": "cn-north-1", "us-gov-": "us-gov-west-1"}.items():
        if region.startswith(prefix):
            return name
    return "us-east-1"


def changes(region: Region, context: Context, *, only_global: bool = False) -> Iterator[Observed]:
    """A verdict for every caller and action; one for the region when none of them is a person's."""
    since = _since(context)
    found = recorded(region, since, context)
    yield from found.troubles
    calls = [c for c in found.calls if c.is_global or not only_global]
    kinds = _by_trust([c.caller for c in calls], region)
    groups: dict[Group, list[Call]] = {}
    for call in calls:
        kind, why = kinds.get(call.caller, (call.caller.kind, call.caller.why))
        groups.setdefault((call.caller.name, call.action, kind, why), []).append(call)
    loud = {key: of for key, of in groups.items() if key[2] in (Kind.PERSON, None)}
    for (name, action, kind, why), of in loud.items():
        person = kind is Kind.PERSON
        yield Observed(
            False if person else None,
            f"{name} {action}",
            f"{_times(of)} by {why}",
            region.name,
            EXPLAIN if person else DECIDE,
        )
    if found.more:
        raise CannotLook(
            f"more than {found.pages} pages of write calls since {since:%Y-%m-%dT%H:%M:%SZ}",
            MANY.format(pages=found.pages),
        )
    if not (loud or found.troubles):
        yield Observed(True, region.name, _quiet(groups, found.asides, since), region.name)


def _since(context: Context) -> datetime:
    earlier = context.vault.earlier()
    if earlier is None:
        return context.now - FIRST_RUN
    text = want(earlier, "collection_timestamp", str)
    try:
        began = datetime.fromisoformat(text)
    except ValueError:
        raise malformed(f"collection_timestamp of the last run is {text!r}, not a time") from None
    if began.tzinfo is None:
        raise malformed(f"collection_timestamp of the last run is {text!r}, without a time zone")
    since = began.astimezone(UTC) - DELAY
    if context.now - since > KEPT:
        raise CannotLook(
            f"the last run was on {began.date()}, and calls are kept for {KEPT.days} days",
            "Look the older calls up in the trail's log files; the next run looks back to this one.",
        )
    return since


def _by_trust(
    callers: Sequence[Caller], region: Region
) -> Mapping[Caller, tuple[Kind | None, str]]:
    """What kind each caller is whom its call does not show, by who may assume its role."""
    unknown = list(dict.fromkeys(c for c in callers if c.kind is None and c.role is not None))
    found: dict[Caller, tuple[Kind | None, str]] = {}

    def look(caller: Caller) -> Observed:
        found[caller] = kind_by_trust(caller, region)
        return Observed(True, caller.name, "")

    for caller, seen in zip(unknown, region.each(unknown, lambda c: c.name, look), strict=True):
        if seen.ok is not True:
            found[caller] = (None, f"{caller.why}; {seen.detail}")
    return found


def _times(calls: Sequence[Call]) -> str:
    ids = ", ".join(c.id for c in calls[:TOLD]) + (", ..." if len(calls) > TOLD else "")
    first = min(c.time for c in calls)
    return f"{len(calls)} calls, the first at {first:%Y-%m-%dT%H:%M:%SZ} (events {ids})"


def _quiet(
    groups: Mapping[Group, Sequence[Call]], asides: Mapping[Aside, int], since: datetime
) -> str:
    by: Counter[Kind | None] = Counter()
    for (_, _, kind, _), of in groups.items():
        by[kind] += len(of)
    return (
        f"{sum(by.values())} write calls since {since:%Y-%m-%dT%H:%M:%SZ}: {by[Kind.DEPLOY]} by deploy "
        f"roles, {by[Kind.SERVICE]} by services, {by[Kind.MACHINE]} by machines; besides, "
        f"{asides.get(Aside.REFUSED, 0)} refused and {asides.get(Aside.SIGN_IN, 0)} to sign in"
    )
