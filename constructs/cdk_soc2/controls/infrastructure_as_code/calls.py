"""The write calls of a span of time, as CloudTrail recorded them.

Where they come from is known only here: events that are captured as they happen would be read here,
once something captures them and can show that it never paused.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from cdk_soc2.answers import malformed, may, records, want, when
from cdk_soc2.context import Context
from cdk_soc2.control import CannotLook, Observed, Region, could_not
from cdk_soc2.controls.infrastructure_as_code.callers import Caller, caller_of

PAGES = 5  # of 50 calls; two a second may be asked for
NO_CHANGES = ("Data", "Insight", "NetworkActivity")  # categories of events
GLOBAL = frozenset(
    f"{service}.amazonaws.com"
    for service in (
        "account", "billing", "billingconsole", "budgets", "ce", "cloudfront", "consolidatedbilling",
        "iam", "organizations", "payments", "route53", "route53domains", "savingsplans", "shield",
        "signin", "support", "tax", "waf",
    )
)  # fmt: skip
SIGN_IN_TO = ("signin.amazonaws.com", "sso.amazonaws.com", "sso-oauth.amazonaws.com")
SIGN_IN = (
    "Authenticate", "CheckMfa", "ConsoleLogin", "CreateToken", "CredentialChallenge",
    "CredentialVerification", "ExitRole", "Federate", "GetRoleCredentials", "GetSigninToken",
    "Logout", "RegisterClient", "RenewRole", "StartDeviceAuthorization", "SwitchRole",
    "UserAuthentication",
)  # fmt: skip


class Aside(StrEnum):
    """Why a call that writes has changed nothing."""

    REFUSED = "refused"
    SIGN_IN = "sign-in"


@dataclass(frozen=True, slots=True)
class Call:
    """One write call. ``action`` is as IAM writes it, such as ``ec2:RunInstances``."""

    id: str
    time: datetime
    action: str
    is_global: bool
    caller: Caller


@dataclass(frozen=True, slots=True)
class Recorded:
    """:param asides: how many calls have changed nothing, and why.
    :param more: there are further calls, which were not read after *pages* pages."""

    calls: Sequence[Call]
    asides: Mapping[Aside, int]
    troubles: Sequence[Observed]
    more: bool
    pages: int = PAGES


def recorded(region: Region, since: datetime, context: Context) -> Recorded:
    """The write calls in *region* from *since* to now. Raises :class:`CannotLook`."""
    events, more = region.first(
        "cloudtrail",
        "lookup_events",
        "Events",
        pages=PAGES,
        LookupAttributes=[{"AttributeKey": "ReadOnly", "AttributeValue": "false"}],
        StartTime=since,
        EndTime=context.now,
    )
    calls: list[Call] = []
    asides: Counter[Aside] = Counter()
    troubles: list[Observed] = []
    for event in records({"Events": events}, "Events"):
        try:
            call = _call(event, region.account, context)
        except CannotLook as error:
            troubles.append(could_not(error, f"event {event.get('EventId')}", region.name))
        else:
            if isinstance(call, Aside):
                asides[call] += 1
            elif call is not None:
                calls.append(call)
    return Recorded(calls, asides, troubles, more)


def _call(event: Mapping[str, Any], account: str, context: Context) -> Call | Aside | None:
    """What the event tells; ``None`` for one that is no write call of management after all."""
    id, time = want(event, "EventId", str), when(event, "EventTime")
    try:
        parsed: Any = json.loads(want(event, "CloudTrailEvent", str))
    except ValueError:
        raise malformed("CloudTrailEvent is not JSON") from None
    if not isinstance(parsed, dict) or time is None:
        raise malformed("the event tells no call, or no time")
    told = cast(dict[str, Any], parsed)
    if told.get("readOnly") is True or told.get("eventCategory") in NO_CHANGES:
        return None
    source, name = want(told, "eventSource", str), want(told, "eventName", str)
    if source == "sts.amazonaws.com" or (source in SIGN_IN_TO and name in SIGN_IN):
        return Aside.SIGN_IN
    if may(told, "errorCode", str):
        return Aside.REFUSED
    return Call(
        id,
        time,
        f"{source.removesuffix('.amazonaws.com')}:{name}",
        source in GLOBAL,
        caller_of(told, account, context.boundary),
    )
