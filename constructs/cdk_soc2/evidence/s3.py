"""Evidence in a versioned bucket with Object Lock."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn, cast

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    IncompleteReadError,
    ResponseStreamingError,
)

from cdk_soc2.evidence.store import AnswerLost, Conflict, Exists, Readable, StoreRefused, Version

_ABSENT = {"NoSuchKey", "NoSuchVersion", "404", "MethodNotAllowed", "405"}
_NO_LOCK = {
    "NoSuchObjectLockConfiguration",
    "ObjectLockConfigurationNotFoundError",
    "InvalidRequest",
}
_REMEDIES = {
    "AccessDenied": "allow this role the action on this key, or use --profile for one that may",
    "403": "allow this role the action on this key, or use --profile for one that may",
    "NoSuchBucket": "check the bucket's name and account",
    "EntityTooLarge": "split the file: one upload holds at most 5 GB",
    "InvalidObjectState": "restore the object from its archive first",
    "PermanentRedirect": "use --region with the bucket's own region",
    "ExpiredToken": "log in again",
}


class S3Store:
    """A vault in a bucket; *client* is a boto3 S3 client.

    It never names a retention: the bucket's default rules, and an explicit shorter date would
    override it.
    """

    def __init__(self, bucket: str, client: Any) -> None:
        self._bucket = bucket
        self._client = client

    @property
    def address(self) -> str:
        return f"s3://{self._bucket}"

    def versions(self, prefix: str = "") -> Iterator[Version]:
        pages = self._client.get_paginator("list_object_versions")
        try:
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
                found = [_version(v, deleted=False) for v in page.get("Versions", ())]
                found += [_version(v, deleted=True) for v in page.get("DeleteMarkers", ())]
                # A page is a stretch of the whole order in two lists; the clock has whole seconds.
                yield from sorted(
                    found, key=lambda v: (v.key.encode(), not v.latest, -v.modified.timestamp())
                )
        except (ClientError, BotoCoreError) as error:
            self._refuse("ListObjectVersions", prefix, error)

    @contextmanager
    def open(self, key: str, version: str | None = None) -> Generator[Readable]:
        which = {} if version is None else {"VersionId": version}
        try:
            body = self._client.get_object(Bucket=self._bucket, Key=key, **which)["Body"]
            try:
                yield cast(Readable, body)
            finally:
                body.close()
        except ClientError as error:
            if _code(error) in _ABSENT:
                raise KeyError(key) from None
            self._refuse("GetObject", key, error)
        except BotoCoreError as error:
            self._refuse("GetObject", key, error)

    def get(self, key: str, version: str | None = None) -> bytes:
        with self.open(key, version) as body:
            return body.read()

    def put(self, key: str, body: bytes | Path) -> None:
        if isinstance(body, Path):
            with body.open("rb") as file:
                self._put(key, file)
        else:
            self._put(key, body)

    def _put(self, key: str, body: Any) -> None:
        try:
            self._client.put_object(
                Bucket=self._bucket, Key=key, Body=body, IfNoneMatch="*", ChecksumAlgorithm="SHA256"
            )
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            if status == 412 or _code(error) == "PreconditionFailed":
                raise Exists(f"{self.address}: {key!r} is there already") from None
            if status == 409 or _code(error) == "ConditionalRequestConflict":
                raise Conflict(
                    f"{self.address}: {key!r} is being written by somebody else"
                ) from None
            if status >= 500 or _code(error) == "RequestTimeout":
                raise AnswerLost(self._says("PutObject", key, error)) from error
            self._refuse("PutObject", key, error)
        except (HTTPClientError, IncompleteReadError, ResponseStreamingError) as error:
            raise AnswerLost(self._says("PutObject", key, error)) from error
        except BotoCoreError as error:
            self._refuse("PutObject", key, error)

    def retention(self, key: str, version: str) -> tuple[str, datetime] | None:
        """Return the mode (GOVERNANCE or COMPLIANCE) and end of a version's lock, or None without
        one.

        Needs `s3:GetObjectRetention`; raises `StoreRefused` without it.
        """
        try:
            answer = self._client.get_object_retention(
                Bucket=self._bucket, Key=key, VersionId=version
            )
        except ClientError as error:
            if _code(error) in _NO_LOCK | _ABSENT:
                return None
            self._refuse("GetObjectRetention", key, error)
        except BotoCoreError as error:
            self._refuse("GetObjectRetention", key, error)
        lock = answer.get("Retention", {})
        if "Mode" not in lock or "RetainUntilDate" not in lock:
            return None
        return lock["Mode"], lock["RetainUntilDate"]

    def _refuse(self, action: str, key: str, error: ClientError | BotoCoreError) -> NoReturn:
        raise StoreRefused(self._says(action, key, error)) from error

    def _says(self, action: str, key: str, error: ClientError | BotoCoreError) -> str:
        code = _code(error)
        remedy = _REMEDIES.get(
            code, "check the connection, the credentials and the region, then run again"
        )
        return f"{self.address}: s3:{action} of {key!r}: {code} ({error}); {remedy}"


def _version(item: Any, *, deleted: bool) -> Version:
    size = item.get("Size", 0)
    return Version(
        item["Key"], item["VersionId"], item["IsLatest"], deleted, size, item["LastModified"]
    )


def _code(error: ClientError | BotoCoreError) -> str:
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "?"))
    return type(error).__name__
