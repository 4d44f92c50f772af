"""Control 6: a secret that leaks is soon worth nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from cdk_soc2.answers import malformed, may, records, want, when
from cdk_soc2.context import Context
from cdk_soc2.control import CannotLook, Control, Excluded, Observed, Region, Status
from cdk_soc2.controls.secrets_manager.schedule import LIMIT, due, interval

SECRETS_MANAGER = Control(
    number=6,
    key="secrets_manager",
    name="Secrets Manager",
    claim="Every secret rotates by itself, at least every 90 days, and it is seen that it did.",
    criteria=("CC6.1", "CC6.3"),
    handbook="CC6.7",
    reads=("secretsmanager:DescribeSecret", "secretsmanager:ListSecrets"),  # never a value
)

TURN_ON = f"Turn on rotation, at least every {LIMIT.days} days; if it cannot rotate, accept the exception."
MEND = "Read the rotation function's log, mend what stops it, and rotate the secret now."
SKEW = timedelta(hours=1)  # how far AWS's clock may be ahead of ours

Answer = Mapping[str, Any]


@SECRETS_MANAGER.check_each_region(of="secrets", empty=Status.NOT_APPLICABLE)
def secrets_rotation(region: Region, context: Context) -> Iterator[Observed | Excluded]:
    """Every secret rotates at least every 90 days, and did; one younger than its interval passes."""
    listed = records(
        {"SecretList": region.list("secretsmanager", "list_secrets", "SecretList")}, "SecretList"
    )
    left_out: dict[str, str] = {}

    def look(entry: Answer) -> Observed:
        arn = want(entry, "ARN", str)
        secret = region.read("secretsmanager", "describe_secret", SecretId=arn)
        if want(secret, "ARN", str) != arn:
            raise malformed(f"asked for {arn}, told of {secret['ARN']}")
        if reason := _elsewhere(secret, region, context):
            left_out[arn] = reason
            return Observed(True, arn, reason, region.name)
        return _judge(secret, region, context.now)

    for observed in region.each(listed, _subject, look):
        reason = left_out.get(observed.subject)
        yield Excluded(observed.subject, reason, region.name) if reason else observed


def _subject(secret: Answer) -> str:
    return str(secret.get("ARN") or secret.get("Name"))


def _elsewhere(secret: Answer, region: Region, context: Context) -> str | None:
    """Why the secret is not judged here; ``None``: it is. Raises :class:`CannotLook` for a replica
    of what nobody looks at."""
    if deleted := when(secret, "DeletedDate"):
        return f"scheduled for deletion on {deleted:%Y-%m-%d}"
    if owner := may(secret, "OwningService", str):
        return f"owned by {owner}, which rotates it"
    theirs = may(secret, "CrossAccountPrimary", dict)
    if theirs is not None:
        return f"a replica, judged at its primary {want(theirs, 'PrimarySecretARN', str)}"
    primary = may(secret, "PrimaryRegion", str) or region.name
    if primary == region.name:
        return None
    if context.boundary.regions and primary not in context.boundary.regions:
        raise CannotLook(
            f"a replica of a secret in {primary}, which the boundary does not list",
            f"List {primary} in the boundary's regions, or make the secret anew in {region.name}.",
        )
    return f"a replica, judged at its primary in {primary}"


def _judge(secret: Answer, region: Region, now: datetime) -> Observed:
    def verdict(ok: bool, detail: str, remedy: str) -> Observed:
        return Observed(ok, _subject(secret), detail, region.name, None if ok else remedy)

    if not may(secret, "RotationEnabled", bool):  # null: it never was configured
        return verdict(False, "rotation is off", TURN_ON)
    every = interval(want(secret, "RotationRules", dict))
    rule = f"rotates every {_words(every)} at most"
    if every > LIMIT:
        return verdict(False, f"{rule}, {LIMIT.days} days are allowed", TURN_ON)
    created, rotated = _past(secret, "CreatedDate", now), _past(secret, "LastRotatedDate", now)
    if rotated is None:
        if created is None:
            raise malformed("neither CreatedDate nor LastRotatedDate")
        told = f"{rule}, never rotated, created {_text(created)}"
        return verdict(now < due(created, every), told, MEND)
    told = f"{rule}, last rotated {_text(rotated)}"
    planned = when(secret, "NextRotationDate")
    if planned is not None and now >= due(planned, timedelta(0)):
        return verdict(False, f"{told}, the rotation of {_text(planned)} did not succeed", MEND)
    return verdict(now < due(rotated, every), told, MEND)


def _past(secret: Answer, name: str, now: datetime) -> datetime | None:
    time = when(secret, name)
    if time is not None and time > now + SKEW:
        raise malformed(f"{name} is {_text(time)}, which is yet to come")
    return time


def _text(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def _words(every: timedelta) -> str:
    return f"{every.days} days" if every.seconds == 0 else f"{every / timedelta(hours=1):.0f} hours"
