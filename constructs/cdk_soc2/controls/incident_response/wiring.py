"""How EventBridge is wired up: which rules on which buses may carry a severe finding, and where to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from cdk_soc2.answers import malformed, may, records, want
from cdk_soc2.control import Account, CannotLook
from cdk_soc2.controls.incident_response.asking import gather
from cdk_soc2.controls.incident_response.pattern import matches, parse
from cdk_soc2.controls.incident_response.reach import Reach, reach
from cdk_soc2.controls.incident_response.topics import read_topics

Item = TypeVar("Item")

DEFAULT = "default"
HOPS = 1  # EventBridge forwards an event from bus to bus once, not further
STATES = ("ENABLED", "DISABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")


@dataclass(frozen=True, slots=True)
class Bus:
    """An event bus of this account."""

    region: str
    name: str = DEFAULT


@dataclass(frozen=True, eq=False, slots=True)
class Rule:
    """An enabled rule. *pattern* is ``None`` where it cannot be read, which matches who knows what."""

    bus: Bus
    name: str
    arn: str
    pattern: Any


@dataclass(frozen=True, slots=True)
class Target:
    """Where a rule sends what it matches."""

    arn: str
    role: str | None

    @property
    def service(self) -> str:
        return self.arn.split(":")[2] if self.arn.count(":") >= 5 else ""

    def bus(self, account: str) -> Bus | None:
        """The event bus of this account that it is, if it is one."""
        parts = self.arn.split(":", 5)
        if self.service != "events" or parts[4] != account:
            return None
        kind, _, name = parts[5].partition("/")
        return Bus(parts[3], name) if kind == "event-bus" and name else None


@dataclass(frozen=True)
class Wiring:
    """Everything asked of EventBridge and SNS. What could not be read stands as ``CannotLook``."""

    rules: Mapping[Bus, Sequence[Rule] | CannotLook]
    targets: Mapping[Rule, Sequence[Target] | CannotLook]
    reaches: Mapping[tuple[Rule, str], Reach]  # by rule and topic


def finding(account: str, **detail: Any) -> dict[str, Any]:
    """The event of a GuardDuty finding that is not archived, as far as all of them are alike."""
    service = {"serviceName": "guardduty", "archived": False}
    return {
        "version": "0",
        "source": "aws.guardduty",
        "detail-type": "GuardDuty Finding",
        "account": account,
        "detail": {"accountId": account, "service": service, **detail},
    }


def wire(account: Account, regions: Iterable[str]) -> Wiring:
    """Follow every rule that may match a finding, from the default bus of each region."""
    rules: dict[Bus, Sequence[Rule] | CannotLook] = {}
    targets: dict[Rule, Sequence[Target] | CannotLook] = {}
    event = finding(account.id)
    buses = [Bus(name) for name in regions]
    for _ in range(HOPS + 1):
        found = gather(account.home, buses, lambda bus: _rules(account, bus))
        rules |= found
        carry = [r for r in _all(found) if matches(r.pattern, event) is not False]
        ends = gather(account.home, carry, lambda rule: _targets(account, rule))
        targets |= ends
        buses = [b for t in _all(ends) if (b := t.bus(account.id)) and b not in rules]
    sent = [(r, t.arn) for r in targets for t in _all({r: targets[r]}) if t.service == "sns"]
    topics = read_topics(account, sorted({(rule.bus.region, arn) for rule, arn in sent}))
    reaches = {(rule, arn): reach(topics, rule.bus.region, arn, rule.arn) for rule, arn in sent}
    return Wiring(rules, targets, reaches)


def _all(found: Mapping[Any, Sequence[Item] | CannotLook]) -> list[Item]:
    return [one for given in found.values() if not isinstance(given, CannotLook) for one in given]


def _on(bus: Bus) -> dict[str, str]:
    return {} if bus.name == DEFAULT else {"EventBusName": bus.name}


def _rules(account: Account, bus: Bus) -> list[Rule]:
    """The enabled rules of *bus* that match events; a schedule carries none."""
    region = account.region(bus.region)
    answers = region.list("events", "list_rules", "Rules", **_on(bus))
    return [
        Rule(bus, want(rule, "Name", str), want(rule, "Arn", str), _pattern(text))
        for rule in records({"Rules": answers}, "Rules")
        if _enabled(rule) and (text := may(rule, "EventPattern", str)) is not None
    ]


def _enabled(rule: Mapping[str, Any]) -> bool:
    state = want(rule, "State", str)
    if state not in STATES:
        raise malformed(f"State of rule {rule.get('Name')} is {state!r}")
    return state != "DISABLED"


def _pattern(text: str) -> Any:
    try:
        return parse(text)
    except ValueError:
        return None


def _targets(account: Account, rule: Rule) -> list[Target]:
    region = account.region(rule.bus.region)
    answers = region.list(
        "events", "list_targets_by_rule", "Targets", Rule=rule.name, **_on(rule.bus)
    )
    return [
        Target(want(target, "Arn", str), may(target, "RoleArn", str))
        for target in records({"Targets": answers}, "Targets")
    ]
