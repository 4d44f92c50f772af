"""Asks every control's checks of an account, all regions at once, and gives the verdicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, cast

from cdk_soc2.boundary import AcceptedExceptions
from cdk_soc2.context import Context
from cdk_soc2.control import (
    Account,
    Check,
    Control,
    Excluded,
    Finding,
    Observed,
    could_not,
    judge,
)
from cdk_soc2.scope import Scope

CHECKS_AT_ONCE = 64  # threads that wait for answers; the calls themselves are bounded elsewhere
NOT_LISTED = "enabled in the account, not listed in the boundary"

Seen = list[Observed | Excluded]


@dataclass(frozen=True)
class Assessment:
    """What every check of every control found.

    :param findings: by control key, in the controls' order.
    :param unfinished: ids of the checks that were not done in time.
    """

    findings: Mapping[str, Sequence[Finding]]
    unfinished: tuple[str, ...]


def assess(
    controls: Sequence[Control],
    account_for: Callable[[Control], Account],
    scope: Scope,
    context: Context,
    *,
    seconds: float | None = None,
) -> Assessment:
    """Ask every check; those not done within *seconds* are ``UNKNOWN``.

    :param account_for: the account as one control's checks see it.
    """
    waived = AcceptedExceptions(context.boundary, context.now.date())
    pool = ThreadPoolExecutor(CHECKS_AT_ONCE, thread_name_prefix="check")
    try:
        asked = {
            control.key: [
                _Asked(check, _ask(pool, check, account, context))
                for check in control.checks.values()
            ]
            for control in controls
            for account in [account_for(control)]
        }
        every = [part.future for checks in asked.values() for a in checks for part in a.parts]
        _, late = wait(every, timeout=seconds)
        findings = {
            key: [judge(a.check, a.seen(scope, seconds), waived) for a in checks]
            for key, checks in asked.items()
        }
        unfinished = tuple(
            a.check.id
            for checks in asked.values()
            for a in checks
            if any(part.future in late for part in a.parts)
        )
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return Assessment(findings, unfinished)


@dataclass(frozen=True)
class _Part:
    """A check in one place: a region, or the account as a whole."""

    region: str | None
    future: Future[Seen]


@dataclass(frozen=True)
class _Asked:
    check: Check
    parts: Sequence[_Part]

    def seen(self, scope: Scope, seconds: float | None) -> Seen:
        seen: Seen = []
        for part in self.parts:
            if part.future.done() and not part.future.cancelled():
                seen += part.future.result()
            else:
                seen.append(_late(part.region, scope, seconds))
        if self.check.per_region:
            seen += [Excluded(name, NOT_LISTED, name) for name in scope.unlisted]
            if scope.missing is not None:
                reason, remedy = scope.missing.reason, scope.missing.remedy
                seen.append(Observed(None, "other regions", reason, None, remedy))
        return seen


def _late(region: str | None, scope: Scope, seconds: float | None) -> Observed:
    return Observed(
        None,
        region or scope.account,
        f"not finished within {seconds or 0:.0f} seconds",
        region,
        "Give the collector more time, or run again when AWS answers faster.",
    )


def _ask(pool: ThreadPoolExecutor, check: Check, account: Account, context: Context) -> list[_Part]:
    if not check.per_region:
        return [_Part(None, pool.submit(_look, check, account, context, account.id, None))]
    return [
        _Part(region.name, pool.submit(_look, check, region, context, region.name, region.name))
        for region in account.regions
    ]


def _look(check: Check, where: Any, context: Context, subject: str, region: str | None) -> Seen:
    """Everything *check* saw, up to what stopped it."""
    seen: Seen = []
    try:
        for one in check.look(where, context):
            if not isinstance(cast(object, one), Observed | Excluded):
                raise TypeError(f"the check yielded {one!r}, not what it observed")
            seen.append(one)
    except Exception as error:  # noqa: BLE001  one check's trouble never costs another's evidence
        seen.append(could_not(error, subject, region))
    return seen
