"""S3 where ministack differs from AWS: locked buckets' versioning, checksums, unnamed KMS keys."""

import re
from collections.abc import Mapping
from typing import Any

from emulator.answers import Answer, scope
from ministack.services import s3

_SUSPENDED = re.compile(rb"<(?:\w+:)?Status>\s*Suspended\s*<")
_ENCRYPTION = "x-amz-server-side-encryption"
_KEY = f"{_ENCRYPTION}-aws-kms-key-id"


def install() -> None:
    _keep_locked_buckets_versioned()
    _fall_back_to_the_managed_key()
    _return_checksums()


def _keep_locked_buckets_versioned() -> None:
    ministacks_answer = s3._put_bucket_versioning

    def put_bucket_versioning(bucket: str, body: bytes) -> Answer:
        if _SUSPENDED.search(body) and s3._bucket_object_lock.get(bucket):
            message = (
                "An Object Lock configuration is present on this bucket, "
                "so the versioning state cannot be changed."
            )
            return s3._error("InvalidBucketState", message, 409)
        return ministacks_answer(bucket, body)

    s3._put_bucket_versioning = put_bucket_versioning


def _fall_back_to_the_managed_key() -> None:
    """`aws:kms` without a key means AWS's own key for S3; ministack refuses it."""
    ministacks_answer = s3._resolve_sse_write_headers

    def resolve(headers: Mapping[str, str], bucket: str) -> Any:
        if headers.get(_ENCRYPTION) == "aws:kms" and not headers.get(_KEY):
            account, region = scope()
            headers = {**headers, _KEY: f"arn:aws:kms:{region}:{account}:alias/aws/s3"}
        return ministacks_answer(headers, bucket)

    s3._resolve_sse_write_headers = resolve


def _return_checksums() -> None:
    """A put answers with the checksum it was given, which ministack only keeps."""
    ministacks_answer = s3._put_object

    def put_object(bucket: str, key: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        answer = ministacks_answer(bucket, key, body, headers)
        if answer[0] == 200:
            checksums, _ = s3._resolve_object_checksums(body, headers)
            for algorithm, value in (checksums or {}).items():
                answer[1][f"x-amz-checksum-{algorithm.lower()}"] = value
        return answer

    s3._put_object = put_object
