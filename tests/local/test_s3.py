"""S3 as the evidence ledger needs it: versions, conditional writes, Object Lock."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.launch import LocalAws
from tests.local.calls import code_of


@pytest.fixture
def s3(aws: LocalAws) -> Any:
    return aws.client("s3")


@pytest.fixture
def bucket(s3: Any, name: str) -> str:
    """Versioned, with Object Lock and a default retention of a year."""
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    _retain(s3, name, "GOVERNANCE")
    return name


def _retain(s3: Any, bucket: str, mode: str) -> None:
    s3.put_object_lock_configuration(
        Bucket=bucket,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": mode, "Days": 365}},
        },
    )


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_default_retention_is_applied(s3: Any, bucket: str, mode: str) -> None:
    _retain(s3, bucket, mode)
    version = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["VersionId"]
    kept = s3.get_object_retention(Bucket=bucket, Key="k", VersionId=version)["Retention"]
    assert kept["Mode"] == mode
    left = kept["RetainUntilDate"] - datetime.now(UTC)
    assert timedelta(days=364) < left <= timedelta(days=365)
    head = s3.head_object(Bucket=bucket, Key="k")
    assert head["ObjectLockMode"] == mode


@pytest.mark.parametrize(
    ("mode", "bypass", "code"),
    [
        ("GOVERNANCE", False, "AccessDenied"),
        ("GOVERNANCE", True, ""),
        ("COMPLIANCE", False, "AccessDenied"),
        ("COMPLIANCE", True, "AccessDenied"),
    ],
)
def test_deleting_a_locked_version(
    s3: Any, bucket: str, mode: str, bypass: bool, code: str
) -> None:
    _retain(s3, bucket, mode)
    version = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["VersionId"]
    asked = {"Bucket": bucket, "Key": "k", "VersionId": version}
    assert code_of(s3.delete_object, **asked, BypassGovernanceRetention=bypass) == code


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_shortening_a_retention_is_refused(s3: Any, bucket: str, mode: str) -> None:
    _retain(s3, bucket, mode)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    sooner = {"Mode": mode, "RetainUntilDate": datetime.now(UTC) + timedelta(days=1)}
    asked = {"Bucket": bucket, "Key": "k", "Retention": sooner}
    assert code_of(s3.put_object_retention, **asked) == "AccessDenied"


def test_suspending_versioning_of_a_locked_bucket_is_refused(s3: Any, bucket: str) -> None:
    suspended = {"Status": "Suspended"}
    asked = {"Bucket": bucket, "VersioningConfiguration": suspended}
    assert code_of(s3.put_bucket_versioning, **asked) == "InvalidBucketState"
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"


def test_suspending_versioning_of_another_bucket_works(s3: Any, name: str) -> None:
    s3.create_bucket(Bucket=name)
    for status in ("Enabled", "Suspended"):
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": status})
        assert s3.get_bucket_versioning(Bucket=name)["Status"] == status


def test_conditional_write(s3: Any, bucket: str) -> None:
    asked = {"Bucket": bucket, "Key": "ledger/1", "Body": b"x", "IfNoneMatch": "*"}
    assert code_of(s3.put_object, **asked) == ""
    assert code_of(s3.put_object, **asked) == "PreconditionFailed"
    s3.delete_object(Bucket=bucket, Key="ledger/1")
    assert code_of(s3.put_object, **asked) == ""  # over the delete marker


def test_simple_delete_leaves_a_marker_and_the_version(s3: Any, bucket: str) -> None:
    version = s3.put_object(Bucket=bucket, Key="k", Body=b"kept")["VersionId"]
    assert s3.delete_object(Bucket=bucket, Key="k")["DeleteMarker"]
    assert code_of(s3.get_object, Bucket=bucket, Key="k") == "NoSuchKey"
    old = s3.get_object(Bucket=bucket, Key="k", VersionId=version)
    assert old["Body"].read() == b"kept"
    listed = s3.list_object_versions(Bucket=bucket)
    assert [marker["IsLatest"] for marker in listed["DeleteMarkers"]] == [True]
    assert [one["IsLatest"] for one in listed["Versions"]] == [False]


def test_versions_are_listed_by_prefix_and_page(s3: Any, bucket: str) -> None:
    for number in range(7):
        s3.put_object(Bucket=bucket, Key=f"ledger/a/{number}", Body=b"x")
    s3.put_object(Bucket=bucket, Key="ledger/a/3", Body=b"second")
    s3.delete_object(Bucket=bucket, Key="ledger/a/5")
    s3.put_object(Bucket=bucket, Key="ledger/b/0", Body=b"x")
    pages = list(
        s3.get_paginator("list_object_versions").paginate(
            Bucket=bucket, Prefix="ledger/a/", PaginationConfig={"PageSize": 3}
        )
    )
    seen = [
        (one["Key"][-1], "Size" in one)
        for page in pages
        for one in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
    ]
    assert len(pages) == 3
    assert sorted(seen) == [
        ("0", True),
        ("1", True),
        ("2", True),
        ("3", True),
        ("3", True),
        ("4", True),
        ("5", False),
        ("5", True),
        ("6", True),
    ]


def test_checksum_is_kept_and_checked(s3: Any, bucket: str) -> None:
    digest = base64.b64encode(hashlib.sha256(b"x").digest()).decode()
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"x", ChecksumAlgorithm="SHA256")
    assert put["ChecksumSHA256"] == digest
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert head["ChecksumSHA256"] == digest
    wrong = {"Bucket": bucket, "Key": "k", "Body": b"other", "ChecksumSHA256": digest}
    assert code_of(s3.put_object, **wrong) == "BadDigest"


def test_kms_without_a_key_means_the_managed_one(s3: Any, bucket: str) -> None:
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="aws:kms")
    assert put["SSEKMSKeyId"].endswith("alias/aws/s3")


def test_account_block_public_access_is_per_account(aws: LocalAws, account: str) -> None:
    flags = dict.fromkeys(
        ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
    )
    api = aws.client("s3control", account=account)
    asked = {"AccountId": account}
    missing = "NoSuchPublicAccessBlockConfiguration"
    assert code_of(api.get_public_access_block, **asked) == missing
    for _ in range(2):
        api.put_public_access_block(**asked, PublicAccessBlockConfiguration=flags)
        shown = api.get_public_access_block(**asked)["PublicAccessBlockConfiguration"]
        assert shown == flags
    api.delete_public_access_block(**asked)
    assert code_of(api.get_public_access_block, **asked) == missing
    other = aws.client("s3control", account="000000999999")
    assert code_of(other.get_public_access_block, **asked) == "AccessDenied"
