"""AWS::S3::Bucket with what ministack's drops: Object Lock, encryption, ownership, tags and more."""

import re
from collections.abc import Callable
from typing import Any

from emulator.cloudformation.resource_type import (
    Completion,
    Properties,
    arguments,
    client,
    is_true,
)

# These ministack keeps by itself.
_KEPT = {
    "BucketName",
    "CorsConfiguration",
    "NotificationConfiguration",
    "PublicAccessBlockConfiguration",
    "WebsiteConfiguration",
}


def set_versioning(api: Any, bucket: str, properties: Properties) -> None:
    """A bucket with Object Lock is versioned, said or not."""
    wanted = (properties.get("VersioningConfiguration") or {}).get("Status")
    if is_true(properties.get("ObjectLockEnabled", False)):
        wanted = "Enabled"
    current = api.get_bucket_versioning(Bucket=bucket).get("Status")
    if not wanted and current == "Enabled":
        wanted = "Suspended"
    if wanted and wanted != current:
        api.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": wanted})


def set_object_lock(api: Any, bucket: str, properties: Properties) -> None:
    if not is_true(properties.get("ObjectLockEnabled", False)):
        return
    rule = (properties.get("ObjectLockConfiguration") or {}).get("Rule")
    lock = {"ObjectLockEnabled": "Enabled"} | ({"Rule": rule} if rule else {})
    api.put_object_lock_configuration(
        **arguments(
            api,
            "PutObjectLockConfiguration",
            {"ObjectLockConfiguration": lock},
            Bucket=bucket,
        )
    )


def set_encryption(api: Any, bucket: str, properties: Properties) -> None:
    """CloudFormation says ServerSideEncryptionByDefault where S3 says Apply… before it."""
    encryption = properties.get("BucketEncryption")
    if not encryption:
        api.delete_bucket_encryption(Bucket=bucket)
        return
    rules = [
        {
            f"Apply{name}" if name == "ServerSideEncryptionByDefault" else name: value
            for name, value in rule.items()
        }
        for rule in encryption["ServerSideEncryptionConfiguration"]
    ]
    wanted = {"ServerSideEncryptionConfiguration": {"Rules": rules}}
    api.put_bucket_encryption(**arguments(api, "PutBucketEncryption", wanted, Bucket=bucket))


def set_ownership(api: Any, bucket: str, properties: Properties) -> None:
    controls = properties.get("OwnershipControls")
    if controls:
        wanted = {"OwnershipControls": controls}
        api.put_bucket_ownership_controls(
            **arguments(api, "PutBucketOwnershipControls", wanted, Bucket=bucket)
        )


def set_acl(api: Any, bucket: str, properties: Properties) -> None:
    """CloudFormation says LogDeliveryWrite where S3 says log-delivery-write.

    A bucket whose owner is enforced is private and refuses every ACL, also that one.
    """
    acl = properties.get("AccessControl", "Private")
    if acl != "Private":
        api.put_bucket_acl(Bucket=bucket, ACL=re.sub(r"(?<!^)(?=[A-Z])", "-", acl).lower())


def set_tags(api: Any, bucket: str, properties: Properties) -> None:
    if properties.get("Tags"):
        wanted = {"Tagging": {"TagSet": properties["Tags"]}}
        api.put_bucket_tagging(**arguments(api, "PutBucketTagging", wanted, Bucket=bucket))
    else:
        api.delete_bucket_tagging(Bucket=bucket)


def set_logging(api: Any, bucket: str, properties: Properties) -> None:
    logging = properties.get("LoggingConfiguration")
    enabled = (
        {
            "TargetBucket": logging.get("DestinationBucketName", bucket),
            "TargetPrefix": logging.get("LogFilePrefix", ""),
        }
        if logging
        else None
    )
    status = {"LoggingEnabled": enabled} if enabled else {}
    api.put_bucket_logging(Bucket=bucket, BucketLoggingStatus=status)


def set_lifecycle(api: Any, bucket: str, properties: Properties) -> None:
    rules = (properties.get("LifecycleConfiguration") or {}).get("Rules")
    if rules:
        wanted = {"LifecycleConfiguration": {"Rules": [_lifecycle_rule(rule) for rule in rules]}}
        api.put_bucket_lifecycle_configuration(
            **arguments(api, "PutBucketLifecycleConfiguration", wanted, Bucket=bucket)
        )
    else:
        api.delete_bucket_lifecycle(Bucket=bucket)


def _lifecycle_rule(rule: Properties) -> dict[str, Any]:
    """CloudFormation flattens what S3 nests."""
    nested: dict[str, Any] = {"Filter": {"Prefix": rule.get("Prefix", "")}}
    for name, value in rule.items():
        match name:
            case "Prefix":
                pass
            case "ExpirationInDays":
                nested.setdefault("Expiration", {})["Days"] = value
            case "ExpirationDate":
                nested.setdefault("Expiration", {})["Date"] = value
            case "ExpiredObjectDeleteMarker":
                nested.setdefault("Expiration", {})[name] = value
            case "NoncurrentVersionExpirationInDays":
                nested["NoncurrentVersionExpiration"] = {"NoncurrentDays": value}
            case "Transitions" | "NoncurrentVersionTransitions":
                nested[name] = [_transition(name, one) for one in value]
            case _:
                nested[name] = value
    return nested


def _transition(kind: str, transition: Properties) -> dict[str, Any]:
    days = "Days" if kind == "Transitions" else "NoncurrentDays"
    names = {"TransitionInDays": days, "TransitionDate": "Date"}
    return {names.get(name, name): value for name, value in transition.items()}


def set_metrics(api: Any, bucket: str, properties: Properties) -> None:
    for metrics in properties.get("MetricsConfigurations") or []:
        chosen = {"Filter": {"Prefix": metrics["Prefix"]}} if metrics.get("Prefix") else {}
        api.put_bucket_metrics_configuration(
            Bucket=bucket, Id=metrics["Id"], MetricsConfiguration={"Id": metrics["Id"], **chosen}
        )


# In this order: Object Lock needs versioning.
_SETTERS: dict[Callable[[Any, str, Properties], None], tuple[str, ...]] = {
    set_versioning: ("VersioningConfiguration", "ObjectLockEnabled"),
    set_object_lock: ("ObjectLockConfiguration", "ObjectLockEnabled"),
    set_encryption: ("BucketEncryption",),
    set_ownership: ("OwnershipControls",),
    set_acl: ("AccessControl",),
    set_lifecycle: ("LifecycleConfiguration",),
    set_logging: ("LoggingConfiguration",),
    set_metrics: ("MetricsConfigurations",),
    set_tags: ("Tags",),
}


def complete(bucket: str, old: Properties, new: Properties) -> None:
    known = _KEPT.union(*_SETTERS.values())
    unknown = sorted(set(new) - known)
    if unknown:
        raise ValueError(
            f"the local AWS does not support the properties {unknown} of AWS::S3::Bucket: "
            "extend local/emulator/cloudformation/bucket.py"
        )
    api = client("s3")
    for setter, names in _SETTERS.items():
        if any(old.get(name) != new.get(name) for name in names):
            setter(api, bucket, new)


def delete(bucket: str, _properties: Properties) -> None:
    """Through the API, which refuses a bucket that is not empty."""
    client("s3").delete_bucket(Bucket=bucket)


COMPLETION = Completion("AWS::S3::Bucket", complete, delete)
