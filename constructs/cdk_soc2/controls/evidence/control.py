"""Control 15: the evidence is complete, and nobody can quietly change it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any, cast

from cdk_soc2.answers import malformed, want
from cdk_soc2.context import Context
from cdk_soc2.control import Account, Control, Observed, Region, Status

# Needed on the evidence bucket only, and not at all for a folder.
ON_THE_VAULT = (
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketPolicy",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketVersioning",
)

EVIDENCE = Control(
    number=15,
    key="evidence",
    name="Evidence",
    claim="Every day is evidenced, and evidence cannot be changed or deleted while it is needed.",
    criteria=("CC4.1", "CC2.1"),
    handbook=None,
    reads=("ec2:DescribeRegions", *ON_THE_VAULT),
)

LOCKED_DAYS = 365
REMEDY = "Keep evidence in a bucket made by EvidenceVault of cdk-soc2, or mend this setting."

Look = Callable[[Region, str], Observed]


@EVIDENCE.check(of="settings of the store", empty=Status.NOT_APPLICABLE)
def evidence_store(account: Account, context: Context) -> Iterator[Observed]:
    """The store locks every object for 365 days or more, keeps versions, is not public and takes
    only TLS."""
    bucket = context.vault.bucket
    if bucket is None:
        return  # a folder has none of these; what protects it is outside AWS
    aspects: dict[str, Look] = {
        "Object Lock": _lock,
        "versioning": _versioning,
        "public access": _public_access,
        "TLS": _tls,
    }
    yield from account.home.each(
        aspects, lambda _: bucket, lambda aspect: aspects[aspect](account.home, bucket)
    )


@EVIDENCE.check(of="stretches of days", empty=Status.NOT_APPLICABLE)
def evidence_schedule(account: Account, context: Context) -> Iterator[Observed]:
    """Every finished UTC day since the first evidence, or the period's start if that is later, has
    a finished run."""
    days = context.vault.days()
    if not days:
        return  # this is the first run; no day was due before it
    first, yesterday = min(days), context.now.date() - timedelta(days=1)
    if context.boundary.period is not None:
        first = max(first, context.boundary.period.start)
    for start, end, ok in _stretches(first, yesterday, lambda day: days.get(day) is True):
        stretch = f"{start}" if start == end else f"{start} to {end}"
        count = (end - start).days + 1
        yield Observed(
            ok,
            stretch,
            f"{count} days, each with a finished run" if ok else f"{count} days without one",
            remedy=None if ok else "Find out why the collector did not run, and tell the auditor.",
        )


def _stretches(
    first: date, last: date, good: Callable[[date], bool]
) -> Iterator[tuple[date, date, bool]]:
    """The days from *first* to *last* as stretches that are all good, or all not."""
    start, day = first, first
    while day <= last:
        ok = good(day)
        after = day + timedelta(days=1)
        if after > last or good(after) != ok:
            yield start, day, ok
            start = after
        day = after


def _lock(home: Region, bucket: str) -> Observed:
    answer = home.find(
        "s3",
        "get_object_lock_configuration",
        absent="ObjectLockConfigurationNotFoundError",
        Bucket=bucket,
    )
    if answer is None:
        return Observed(False, bucket, "Object Lock is off", remedy=REMEDY)
    configuration = want(answer, "ObjectLockConfiguration", dict)
    retention = configuration.get("Rule", {}).get("DefaultRetention", {})
    mode = retention.get("Mode")
    days = retention.get("Days") or 365 * (retention.get("Years") or 0)
    if not isinstance(days, int):
        raise malformed(f"DefaultRetention is {retention!r}")
    ok = (
        configuration.get("ObjectLockEnabled") == "Enabled"
        and mode in ("GOVERNANCE", "COMPLIANCE")
        and days >= LOCKED_DAYS
    )
    return Observed(
        ok, bucket, f"default retention is {mode}, {days} days", remedy=None if ok else REMEDY
    )


def _versioning(home: Region, bucket: str) -> Observed:
    status = home.read("s3", "get_bucket_versioning", Bucket=bucket).get("Status", "never enabled")
    ok = status == "Enabled"
    return Observed(ok, bucket, f"versioning is {status}", remedy=None if ok else REMEDY)


def _public_access(home: Region, bucket: str) -> Observed:
    answer = home.find(
        "s3",
        "get_public_access_block",
        absent="NoSuchPublicAccessBlockConfiguration",
        Bucket=bucket,
    )
    flags: Mapping[str, Any] = (
        {} if answer is None else want(answer, "PublicAccessBlockConfiguration", dict)
    )
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    off = [name for name in names if flags.get(name) is not True]
    return Observed(
        not off,
        bucket,
        f"public access is not blocked: {', '.join(off)}" if off else "public access is blocked",
        remedy=REMEDY if off else None,
    )


def _tls(home: Region, bucket: str) -> Observed:
    answer = home.find("s3", "get_bucket_policy", absent="NoSuchBucketPolicy", Bucket=bucket)
    policy: Any = {} if answer is None else json.loads(want(answer, "Policy", str))
    statements: Any = policy.get("Statement", [])
    ok = any(
        _denies_plain_http(s, bucket)
        for s in (statements if isinstance(statements, list) else [statements])
    )
    return Observed(
        ok,
        bucket,
        "requests without TLS are denied" if ok else "requests without TLS are not denied",
        remedy=None if ok else REMEDY,
    )


def _denies_plain_http(statement: Mapping[str, Any], bucket: str) -> bool:
    """To everybody, for every action, on the bucket and on all that is in it."""
    condition = {
        (operator.lower(), key.lower()): [str(v).lower() for v in _list(value)]
        for operator, keys in cast(dict[str, Any], statement.get("Condition") or {}).items()
        for key, value in keys.items()
    }
    resources = [str(r).rsplit(":", 1)[-1] for r in _list(statement.get("Resource"))]
    everything = {bucket, f"{bucket}/*"} <= set(resources) or "*" in resources
    return (
        statement.get("Effect") == "Deny"
        and statement.get("Principal") in ("*", {"AWS": "*"}, {"AWS": ["*"]})
        and bool({"s3:*", "*"} & set(_list(statement.get("Action"))))
        and everything
        and condition == {("bool", "aws:securetransport"): ["false"]}
    )


def _list(value: Any) -> list[Any]:
    return cast(list[Any], value) if isinstance(value, list) else [value]
