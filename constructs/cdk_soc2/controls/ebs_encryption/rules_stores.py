"""Control 7 in a template: nothing else that keeps data keeps it in the clear."""

from __future__ import annotations

from cdk_soc2.control import Observed
from cdk_soc2.controls.ebs_encryption.control import EBS_ENCRYPTION
from cdk_soc2.template import Resource

SYMMETRIC = "SYMMETRIC_DEFAULT"


@EBS_ENCRYPTION.rule_for(
    "AWS::EFS::FileSystem", fix="Set Encrypted to true; it cannot be changed later."
)
def file_system_is_encrypted(system: Resource) -> Observed:
    """A file system is encrypted."""
    return system.true("Encrypted")


@EBS_ENCRYPTION.rule_for(
    "AWS::OpenSearchService::Domain",
    "AWS::Elasticsearch::Domain",
    fix="Set EncryptionAtRestOptions.Enabled to true.",
)
def search_domain_is_encrypted(domain: Resource) -> Observed:
    """A search domain is encrypted at rest."""
    return domain.true("EncryptionAtRestOptions.Enabled")


@EBS_ENCRYPTION.rule_for("AWS::Redshift::Cluster", fix="Set Encrypted to true.")
def warehouse_is_encrypted(cluster: Resource) -> Observed:
    """A Redshift cluster is encrypted."""
    return cluster.true("Encrypted")


@EBS_ENCRYPTION.rule_for(
    "AWS::ElastiCache::ReplicationGroup",
    fix="Set AtRestEncryptionEnabled to true; it cannot be changed later.",
)
def cache_is_encrypted(group: Resource) -> Observed:
    """A cache that keeps copies is encrypted at rest."""
    return group.true("AtRestEncryptionEnabled")


@EBS_ENCRYPTION.rule_for("AWS::DAX::Cluster", fix="Set SSESpecification.SSEEnabled to true.")
def table_cache_is_encrypted(cluster: Resource) -> Observed:
    """A DynamoDB Accelerator cluster is encrypted at rest."""
    return cluster.true("SSESpecification.SSEEnabled")


@EBS_ENCRYPTION.rule_for(
    "AWS::Kinesis::Stream",
    fix="Set StreamEncryption to EncryptionType KMS and a KeyId, such as alias/aws/kinesis.",
)
def stream_is_encrypted(stream: Resource) -> Observed:
    """A stream is encrypted at rest."""
    kind = stream.value("StreamEncryption.EncryptionType")
    return stream.seen(kind == "KMS", f"encryption: {kind or 'none'}", "StreamEncryption")


@EBS_ENCRYPTION.rule_for(
    "AWS::SQS::Queue",
    fix="Leave SqsManagedSseEnabled out or set it to true; or give a KmsMasterKeyId.",
)
def queue_is_encrypted(queue: Resource) -> Observed:
    """A queue is encrypted at rest, as SQS does where the template does not turn it off."""
    if queue.has("KmsMasterKeyId"):
        return queue.seen(True, "encrypted by KMS", "KmsMasterKeyId")
    said = queue.value("SqsManagedSseEnabled")
    ok = said is None or queue.is_true("SqsManagedSseEnabled")
    return queue.seen(ok, "encrypted by SQS" if ok else "not encrypted", "SqsManagedSseEnabled")


@EBS_ENCRYPTION.rule_for(
    "AWS::SNS::Topic", fix="Give a KmsMasterKeyId: SNS encrypts nothing by default."
)
def topic_is_encrypted(topic: Resource) -> Observed:
    """A topic is encrypted at rest."""
    return topic.given("KmsMasterKeyId")


@EBS_ENCRYPTION.rule_for(
    "AWS::EKS::Cluster", fix="Set EncryptionConfig with a key of yours, for the resource secrets."
)
def kubernetes_secrets_are_encrypted(cluster: Resource) -> Observed:
    """A Kubernetes cluster's secrets are encrypted with a key of the account."""
    return cluster.given("EncryptionConfig")


@EBS_ENCRYPTION.rule_for("AWS::KMS::Key", fix="Set EnableKeyRotation to true.")
def key_rotates(key: Resource) -> Observed | None:
    """A symmetric key, of material that KMS made, rotates every year."""
    spec, origin = key.value("KeySpec") or SYMMETRIC, key.value("Origin") or "AWS_KMS"
    if spec != SYMMETRIC or origin != "AWS_KMS":
        return None
    return key.true("EnableKeyRotation")
