"""Control 12: who has access is reviewed, and what nobody uses is taken away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from cdk_soc2.answers import malformed, may, records, want, when
from cdk_soc2.context import Context
from cdk_soc2.control import Account, Control, Excluded, Observed, Status

ACCESS_REVIEWS = Control(
    number=12,
    key="access_reviews",
    name="Access reviews",
    claim="Access is reviewed every quarter, and a role that nobody uses does not stay.",
    criteria=("CC6.3", "CC6.2", "CC6.1", "CC4.1"),
    handbook="CC6.3",
    reads=("iam:GetAccountAuthorizationDetails",),
)

IDLE = timedelta(days=90)
QUARTER = 92  # days a review is current, and in which the next one is due
SKEW = timedelta(minutes=15)  # how far the clocks of IAM and of the collector may differ
TRACKED = 400  # days that IAM remembers when a role was used
PAGE = 1000  # roles a page, the most that IAM gives
SERVICE_LINKED = "/aws-service-role/"
IDENTITY_CENTER = "/aws-reserved/sso.amazonaws.com/"
DELETE = "Delete the role, or review it and say so as an accepted exception."
UNASSIGN = (
    "Take the permission set's assignment to this account away in Identity Center, or review it and "
    "say so as an accepted exception."
)


@ACCESS_REVIEWS.check(of="roles", empty=Status.NOT_APPLICABLE)
def unused_roles(account: Account, context: Context) -> Iterator[Observed | Excluded]:
    """Every role was used, or made, within 90 days, or is reviewed as an accepted exception."""
    found = account.home.list(
        "iam",
        "get_account_authorization_details",
        "RoleDetailList",
        Filter=["Role"],
        MaxItems=PAGE,
    )
    roles = records({"RoleDetailList": found}, "RoleDetailList")
    for role in roles:
        if _service_linked(role):
            yield Excluded(_arn(role), "service-linked: only its service can assume it")
    judged = [role for role in roles if not _service_linked(role)]
    yield from account.home.each(judged, _arn, lambda role: _used(role, context.now))


ACCESS_REVIEWS.document(
    "access_review",
    "Access was reviewed within 92 days, and what was to be removed is gone.",
    due=lambda period: period.start + timedelta(days=QUARTER),
    valid_days=QUARTER,
)


def _arn(role: Mapping[str, Any]) -> str:
    return str(role.get("Arn") or role.get("RoleName"))


def _service_linked(role: Mapping[str, Any]) -> bool:
    return str(role.get("Path")).startswith(SERVICE_LINKED)


def _used(role: Mapping[str, Any], now: datetime) -> Observed:
    arn, path = want(role, "Arn", str), want(role, "Path", str)
    made, last = _time(role, "CreateDate", now), may(role, "RoleLastUsed", dict) or {}
    if made is None:
        raise malformed(f"{arn} has no CreateDate")
    used = _time(last, "LastUsedDate", now)
    told = f"last used {used:%Y-%m-%d}" if used else f"not used in {TRACKED} days"
    if now - made <= IDLE:
        told = f"made {made:%Y-%m-%d}, {told if used else 'not used yet'}"
        return Observed(True, arn, told)
    if used is not None and now - used <= IDLE:
        return Observed(True, arn, told)
    remedy = UNASSIGN if path.startswith(IDENTITY_CENTER) else DELETE
    return Observed(False, arn, f"{told}, made {made:%Y-%m-%d}", remedy=remedy)


def _time(answer: Mapping[str, Any], field: str, now: datetime) -> datetime | None:
    time = when(answer, field)
    if time is not None and time - now > SKEW:
        raise malformed(f"{field} is {time}, in the future")
    return time
