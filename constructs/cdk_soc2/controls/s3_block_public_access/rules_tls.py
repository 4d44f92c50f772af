"""Control 8 in a template: no bucket is read or written over a connection that others can read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cdk_soc2.control import Observed
from cdk_soc2.controls.s3_block_public_access.control import S3_BLOCK_PUBLIC_ACCESS
from cdk_soc2.documents import conditions, principals, statements, texts
from cdk_soc2.template import Resource

POLICY = "AWS::S3::BucketPolicy"


@S3_BLOCK_PUBLIC_ACCESS.rule_for(
    "AWS::S3::Bucket",
    fix="Deny s3:* to everybody where aws:SecureTransport is false, in the bucket's policy; in the CDK, "
    "enforce_ssl=True.",
    criteria=("CC6.7",),
)
def bucket_takes_tls_only(bucket: Resource) -> Observed:
    """A bucket's policy denies whatever comes without TLS."""
    policies = bucket.template.everywhere(POLICY) if bucket.template else ()
    for policy in policies:
        if policy.template is None or not _is_of(policy, bucket):
            continue
        if any(_denies_plain(s) for s in statements(policy, "PolicyDocument", "Deny")):
            return bucket.seen(True, f"{policy.id} denies what comes without TLS")
    return bucket.seen(False, "no policy denies what comes without TLS")


def _is_of(policy: Resource, bucket: Resource) -> bool:
    named = policy.properties.get("Bucket")
    if policy.template is not None and policy.template.refers(named, bucket):
        return True
    return named is not None and named == bucket.properties.get("BucketName")


def _denies_plain(statement: Mapping[str, Any]) -> bool:
    everybody = any(name == "*" for _, name in principals(statement))
    everything = {"s3:*", "*"} & set(texts(statement.get("Action")))
    objects = [r for r in texts(statement.get("Resource")) if r.endswith("*")]
    return bool(everybody and everything and objects) and any(
        (key == "aws:securetransport" and operator.startswith("Bool") and "false" in _lower(values))
        or (key == "s3:tlsversion" and operator.startswith("NumericLessThan"))
        for operator, key, values in conditions(statement)
    )


def _lower(values: list[str]) -> list[str]:
    return [value.lower() for value in values]
