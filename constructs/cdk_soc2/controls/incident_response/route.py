"""Whether every severe finding of a region gets to somebody, along any route."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cdk_soc2.control import CannotLook, Observed
from cdk_soc2.controls.incident_response.asking import got
from cdk_soc2.controls.incident_response.pattern import Event, every, matches, some
from cdk_soc2.controls.incident_response.reach import Reach
from cdk_soc2.controls.incident_response.wiring import HOPS, Bus, Rule, Target, Wiring, finding

# 7.0 to 10.0 in tenths, and whole numbers: GuardDuty writes both, a pattern may list either.
SEVERITIES: tuple[int | Decimal, ...] = (
    *range(7, 11),
    *(Decimal(tenths).scaleb(-1) for tenths in range(70, 101)),
)
TYPES = (  # of as many kinds as can be, to find one that a pattern leaves out
    "AttackSequence:IAM/CompromisedCredentials",
    "Backdoor:EC2/C&CActivity.B!DNS",
    "CredentialAccess:RDS/AnomalousBehavior.SuccessfulLogin",
    "CryptoCurrency:Runtime/BitcoinTool.B",
    "Exfiltration:S3/AnomalousBehavior",
    "PrivilegeEscalation:Kubernetes/PrivilegedContainer",
    "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS",
    "Trojan:Lambda/BlackholeTraffic",
)
SECURITY_HUB: Event = {
    "source": "aws.securityhub",
    "detail-type": "Security Hub Findings - Imported",
}
ROUTE = (
    "Send GuardDuty findings of severity 7.0 or higher in {region} by an EventBridge rule to an SNS "
    "topic with a confirmed subscriber. If people are told by the account that administers GuardDuty, "
    "say so as an accepted exception for {region}."
)
SHOW = "Let an SNS topic with a confirmed subscriber be a target, too: what it does can be seen."

Lost = Sequence[tuple[int | Decimal, bool | None]]  # not a mapping: there 7 would be 7.0


@dataclass(frozen=True)
class Routes:
    """The routes of one region's findings."""

    region: str
    account: str
    wiring: Wiring

    def hears(self, event: Event, bus: Bus, hops: int = HOPS) -> bool | None:
        """Does the event on *bus* get to somebody?"""
        rules = got(self.wiring.rules[bus])
        return some(self._carries(rule, event, bus, hops) for rule in rules)

    def _carries(self, rule: Rule, event: Event, bus: Bus, hops: int) -> bool | None:
        match = matches(rule.pattern, event)
        if match is False:
            return False
        targets = self.wiring.targets[rule]
        if isinstance(targets, CannotLook):
            return None
        return every((match, some(self.end(rule, t, event, bus, hops).ok for t in targets)))

    def end(self, rule: Rule, target: Target, event: Event, bus: Bus, hops: int) -> Reach:
        """What becomes of the event at a rule's *target*."""
        if target.service == "sns":
            if target.role is not None:
                told = f"topic {target.arn} is called with a role, which may fail"
                return Reach(None, told, "Take the role from the rule's target.")
            return self.wiring.reaches[rule, target.arn]
        other = target.bus(self.account)
        if other is None:
            return Reach(None, f"{target.arn}: it cannot be seen whether anybody is told", SHOW)
        if not hops or (other.region != bus.region and target.role is None):
            return Reach(None, f"{target.arn}: it cannot be seen whether the event gets on", SHOW)
        try:
            ok = self.hears(event, other, hops - 1)
        except CannotLook as error:
            return Reach(None, f"{target.arn}: {error.reason}", error.remedy)
        word = {True: "is heard", False: "is not heard", None: "may not be heard"}[ok]
        return Reach(
            ok, f"forwarded to {target.arn}, where it {word}", ROUTE.format(region=other.region)
        )

    def ends(self) -> Iterator[tuple[Rule, Reach]]:
        """Every target of every rule that may carry a severe finding, in words."""
        home = Bus(self.region)
        for rule in got(self.wiring.rules[home]):
            if rule not in self.wiring.targets:
                continue
            targets = self.wiring.targets[rule]
            if isinstance(targets, CannotLook):
                yield rule, Reach(None, targets.reason, targets.remedy)
                continue
            if not targets:
                yield rule, Reach(False, "no target", ROUTE.format(region=self.region))
            for target in targets:
                yield rule, self.end(rule, target, self.event(SEVERITIES[-1]), home, HOPS)

    def event(self, severity: int | Decimal, **more: Any) -> Event:
        detail = {"severity": severity, "region": self.region, **more}
        return {**finding(self.account, **detail), "region": self.region}

    def lost(self, **more: Any) -> Lost:
        """The severities that get to nobody, or not for sure."""
        heard = [(s, self.hears(self.event(s, **more), Bus(self.region))) for s in SEVERITIES]
        return [(s, ok) for s, ok in heard if ok is not True]


def judge_route(region: str, account: str, wiring: Wiring) -> Observed:
    """The verdict on *region*. Raises :class:`CannotLook`."""
    routes = Routes(region, account, wiring)
    lost = routes.lost()
    ends = list(routes.ends())
    told = "; ".join(f"rule {rule.name}: {reach.told}" for rule, reach in ends)
    if not lost:
        return Observed(True, region, f"severity 7.0 to 10.0: {told}", region)
    remedy = next((r.remedy for _, r in ends if r.ok is not True), ROUTE.format(region=region))
    if any(ok is False for _, ok in lost):
        return _nobody(routes, lost, told, remedy)
    for type in TYPES:
        typed = routes.lost(type=type)
        if any(ok is False for _, ok in typed):
            return _nobody(routes, typed, f"such as {type}; {told}", remedy)
    return Observed(None, region, f"not every finding is sure to be heard: {told}", region, remedy)


def _nobody(routes: Routes, lost: Lost, told: str, remedy: str) -> Observed:
    region = routes.region
    severities = _span(s for s, ok in lost if ok is False)
    detail = f"findings of severity {severities} reach nobody: {told or 'no rule takes them'}"
    for rule in got(routes.wiring.rules[Bus(region)]):
        if rule not in routes.wiring.targets and matches(rule.pattern, SECURITY_HUB) is not False:
            told = f"rule {rule.name} takes Security Hub's, it cannot be seen whether these, too"
            return Observed(None, region, f"{detail}; {told}", region, remedy)
    return Observed(False, region, detail, region, remedy)


def _span(severities: Iterable[int | Decimal]) -> str:
    given = sorted(Decimal(s) for s in severities)
    low, high = f"{given[0]:.1f}", f"{given[-1]:.1f}"
    return low if low == high else f"{low} to {high}"
