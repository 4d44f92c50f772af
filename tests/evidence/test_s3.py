"""What is asked of S3, and what its answers become."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ConnectionClosedError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from cdk_soc2.evidence.s3 import S3Store
from cdk_soc2.evidence.store import AnswerLost, Conflict, Exists, StoreRefused

T0 = datetime(2026, 9, 1, tzinfo=UTC)


def stubbed() -> tuple[S3Store, Stubber]:
    client = boto3.client(
        "s3", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    stub = Stubber(client)
    stub.activate()
    return S3Store("vault", client), stub


def test_put_creates_only_and_sets_no_retention() -> None:
    store, stub = stubbed()
    asked = {
        "Bucket": "vault",
        "Key": "a",
        "Body": b"x",
        "IfNoneMatch": "*",
        "ChecksumAlgorithm": "SHA256",
    }
    stub.add_response("put_object", {}, asked)
    store.put("a", b"x")
    stub.assert_no_pending_responses()


REFUSALS = [
    ("PreconditionFailed", 412, Exists, ""),
    ("ConditionalRequestConflict", 409, Conflict, ""),
    ("InternalError", 500, AnswerLost, "InternalError"),
    ("SlowDown", 503, AnswerLost, "SlowDown"),
    ("RequestTimeout", 400, AnswerLost, "RequestTimeout"),
    ("AccessDenied", 403, StoreRefused, "s3:PutObject of 'a': AccessDenied.*allow this role"),
    ("NoSuchBucket", 404, StoreRefused, "s3://vault.*check the bucket's name"),
]


@pytest.mark.parametrize(("code", "status", "error", "words"), REFUSALS)
def test_put_refused(code: str, status: int, error: type[Exception], words: str) -> None:
    store, stub = stubbed()
    stub.add_client_error("put_object", code, http_status_code=status)
    with pytest.raises(error, match=words) as raised:
        store.put("a", b"x")
    assert type(raised.value) is error


class Broken:
    """A client whose connection breaks."""

    def put_object(self, **given: Any) -> None:
        raise ConnectionClosedError(endpoint_url="https://s3")

    def get_object(self, **given: Any) -> dict[str, Any]:
        class Body(io.BytesIO):
            def read(self, *given: Any) -> bytes:
                raise ConnectionClosedError(endpoint_url="https://s3")

        return {"Body": Body()}


def test_a_broken_connection() -> None:
    store = S3Store("vault", Broken())
    with pytest.raises(AnswerLost, match="ConnectionClosedError"):
        store.put("a", b"")
    with pytest.raises(StoreRefused, match="GetObject"):
        store.get("a")


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("NoSuchKey", 404, KeyError),
        ("NoSuchVersion", 404, KeyError),
        ("MethodNotAllowed", 405, KeyError),
        ("AccessDenied", 403, StoreRefused),
    ],
)
def test_get_refused(code: str, status: int, error: type[Exception]) -> None:
    store, stub = stubbed()
    stub.add_client_error("get_object", code, http_status_code=status)
    with pytest.raises(error):
        store.get("a", "v1")


def test_get() -> None:
    store, stub = stubbed()
    body = StreamingBody(io.BytesIO(b"abc"), 3)
    asked = {"Bucket": "vault", "Key": "a", "VersionId": "v1"}
    stub.add_response("get_object", {"Body": body}, asked)
    assert store.get("a", "v1") == b"abc"


def test_versions_and_markers_in_order() -> None:
    store, stub = stubbed()

    def item(key: str, version: str, latest: bool, hour: int) -> dict[str, Any]:
        modified = T0.replace(hour=hour)
        return {"Key": key, "VersionId": version, "IsLatest": latest, "LastModified": modified}

    versions = [item("a", "1", False, 1) | {"Size": 3}, item("b", "2", True, 1) | {"Size": 4}]
    markers = [item("a", "3", True, 1), item("a", "0", False, 0)]
    page = {"Versions": versions, "DeleteMarkers": markers, "IsTruncated": False}
    stub.add_response("list_object_versions", page, {"Bucket": "vault", "Prefix": "p"})
    assert [(v.key, v.id, v.deleted, v.latest, v.size) for v in store.versions("p")] == [
        ("a", "3", True, True, 0),
        ("a", "1", False, False, 3),
        ("a", "0", True, False, 0),
        ("b", "2", False, True, 4),
    ]


def test_a_listing_refused() -> None:
    store, stub = stubbed()
    stub.add_client_error("list_object_versions", "AccessDenied", http_status_code=403)
    with pytest.raises(StoreRefused, match="ListObjectVersions"):
        [*store.versions()]


def test_retention() -> None:
    store, stub = stubbed()
    lock = {"Mode": "GOVERNANCE", "RetainUntilDate": T0}
    stub.add_response("get_object_retention", {"Retention": lock}, {
        "Bucket": "vault", "Key": "a", "VersionId": "v1"
    })  # fmt: skip
    stub.add_client_error("get_object_retention", "NoSuchObjectLockConfiguration")
    stub.add_client_error("get_object_retention", "AccessDenied")
    assert store.retention("a", "v1") == ("GOVERNANCE", T0)
    assert store.retention("a", "v1") is None
    with pytest.raises(StoreRefused, match="GetObjectRetention"):
        store.retention("a", "v1")
