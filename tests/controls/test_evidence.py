"""Control 15: the store's settings, and no day without a run."""

import json
from datetime import date, timedelta
from typing import Any

import pytest

from cdk_soc2.boundary import parse
from cdk_soc2.controls.evidence.control import EVIDENCE
from tests.controls.states import findings, verdicts
from tests.fakes import NOW, Absent, Denied, FakeVault

TODAY = NOW.date()
TLS = {
    "Effect": "Deny",
    "Principal": {"AWS": "*"},
    "Action": "s3:*",
    "Resource": ["arn:aws:s3:::vault", "arn:aws:s3:::vault/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def lock(**retention: Any) -> dict[str, Any]:
    return {
        "ObjectLockConfiguration": {
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": retention},
        }
    }


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Policy": json.dumps({"Version": "2012-10-17", "Statement": list(statements)})}


def blocked(**flags: Any) -> dict[str, Any]:
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    return {"PublicAccessBlockConfiguration": {n: flags.get(n, True) for n in names}}


LOCK = ("s3", "get_object_lock_configuration")
VERSIONS = ("s3", "get_bucket_versioning")
PUBLIC = ("s3", "get_public_access_block")
POLICY = ("s3", "get_bucket_policy")
GOOD = {
    LOCK: lock(Mode="GOVERNANCE", Days=730),
    VERSIONS: {"Status": "Enabled"},
    PUBLIC: blocked(),
    POLICY: policy(TLS),
}

STATES = {
    "good": ({}, "PASS"),
    "compliance, a year": ({LOCK: lock(Mode="COMPLIANCE", Years=1)}, "PASS"),
    "364 days": ({LOCK: lock(Mode="GOVERNANCE", Days=364)}, "FAIL"),
    "no lock": ({LOCK: Absent("ObjectLockConfigurationNotFoundError")}, "FAIL"),
    "lock without a default": (
        {LOCK: {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}},
        "FAIL",
    ),
    "lock denied": ({LOCK: Denied()}, "UNKNOWN"),
    "lock says null": ({LOCK: {"ObjectLockConfiguration": None}}, "UNKNOWN"),
    "versioning suspended": ({VERSIONS: {"Status": "Suspended"}}, "FAIL"),
    "versioning never on": ({VERSIONS: {}}, "FAIL"),
    "one public flag off": ({PUBLIC: blocked(BlockPublicPolicy=False)}, "FAIL"),
    "one public flag null": ({PUBLIC: blocked(BlockPublicPolicy=None)}, "FAIL"),
    "no public access block": ({PUBLIC: Absent("NoSuchPublicAccessBlockConfiguration")}, "FAIL"),
    "public access denied": ({PUBLIC: Denied()}, "UNKNOWN"),
    "no bucket": ({PUBLIC: Absent("NoSuchBucket")}, "UNKNOWN"),
    "no policy": ({POLICY: Absent("NoSuchBucketPolicy")}, "FAIL"),
    "policy is not JSON": ({POLICY: {"Policy": "{"}}, "UNKNOWN"),
    "TLS for one principal": ({POLICY: policy({**TLS, "Principal": {"AWS": "arn:x"}})}, "FAIL"),
    "TLS for reads": ({POLICY: policy({**TLS, "Action": "s3:GetObject"})}, "FAIL"),
    "TLS for the bucket only": (
        {POLICY: policy({**TLS, "Resource": "arn:aws:s3:::vault"})},
        "FAIL",
    ),
    "TLS under another condition": (
        {POLICY: policy({**TLS, "Condition": TLS["Condition"] | {"StringEquals": {"aws:a": "b"}}})},
        "FAIL",
    ),
    "TLS, one statement, not a list": (
        {POLICY: {"Policy": json.dumps({"Statement": {**TLS, "Principal": "*"}})}},
        "PASS",
    ),
}


@pytest.mark.parametrize("name", STATES)
def test_store(name: str) -> None:
    changed, expected = STATES[name]
    assert verdicts(EVIDENCE, GOOD | changed)["evidence_store"] == expected


def test_a_folder_has_no_such_settings() -> None:
    assert (
        verdicts(EVIDENCE, {}, vault=FakeVault(bucket=None))["evidence_store"] == "NOT_APPLICABLE"
    )


def days(first: int, last: int, *, unfinished: int | None = None) -> dict[date, bool]:
    """Days that many days ago, each with a finished run."""
    return {TODAY - timedelta(days=n): n != unfinished for n in range(first, last - 1, -1)}


PERIOD = {"start": TODAY - timedelta(days=5), "end": TODAY + timedelta(days=90)}
SCHEDULES = {
    "first run": ({}, None, "NOT_APPLICABLE"),
    "second run of the first day": (days(0, 0), None, "NOT_APPLICABLE"),
    "every day, today not yet": (days(30, 1), None, "PASS"),
    "yesterday missing": (days(30, 2), None, "FAIL"),
    "a hole": (days(30, 10) | days(8, 1), None, "FAIL"),
    "an unfinished day": (days(30, 1, unfinished=4), None, "FAIL"),
    "a hole before the period": (days(30, 10) | days(8, 1), PERIOD, "PASS"),
    "first evidence after the period's start": (days(2, 1), PERIOD, "PASS"),
    "period has not begun": (
        days(2, 1),
        {"start": TODAY + timedelta(days=9), "end": TODAY + timedelta(days=99)},
        "NOT_APPLICABLE",
    ),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedule(name: str) -> None:
    seen, period, expected = SCHEDULES[name]
    boundary = parse({"period": period} if period else {})
    got = verdicts(EVIDENCE, GOOD, boundary=boundary, vault=FakeVault(seen=seen))
    assert got["evidence_schedule"] == expected


def test_a_hole_is_named() -> None:
    seen = FakeVault(seen=days(30, 10) | days(8, 1))
    found = findings(EVIDENCE, GOOD, vault=seen)["evidence_schedule"]
    hole = next(o for o in found.observations if str(o.status) == "FAIL")
    assert hole.subject == str(TODAY - timedelta(days=9)) and hole.remedy
