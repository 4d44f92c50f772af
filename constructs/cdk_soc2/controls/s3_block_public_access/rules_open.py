"""Control 8 in a template: no bucket, queue, topic, key or snapshot is open to everybody."""

from __future__ import annotations

from cdk_soc2.control import Observed
from cdk_soc2.controls.s3_block_public_access.control import S3_BLOCK_PUBLIC_ACCESS
from cdk_soc2.documents import lets_anyone, statements, texts
from cdk_soc2.template import Resource

OPEN = ("CC6.1", "CC6.3")
POLICIES = {
    "AWS::Backup::BackupVault": "AccessPolicy",
    "AWS::ECR::Repository": "RepositoryPolicyText",
    "AWS::Elasticsearch::Domain": "AccessPolicies",
    "AWS::Events::EventBusPolicy": "Statement",
    "AWS::KMS::Key": "KeyPolicy",
    "AWS::Kinesis::ResourcePolicy": "ResourcePolicy",
    "AWS::OpenSearchService::Domain": "AccessPolicies",
    "AWS::S3::BucketPolicy": "PolicyDocument",
    "AWS::SNS::TopicPolicy": "PolicyDocument",
    "AWS::SQS::QueuePolicy": "PolicyDocument",
    "AWS::SecretsManager::ResourcePolicy": "ResourcePolicy",
}
IN_A_VPC = ("AWS::Elasticsearch::Domain", "AWS::OpenSearchService::Domain")
NARROWED = (
    "SourceAccount",
    "SourceArn",
    "PrincipalOrgID",
    "EventSourceToken",
    "FunctionUrlAuthType",
)
ACLS = {"PublicRead", "PublicReadWrite", "AuthenticatedRead"}


@S3_BLOCK_PUBLIC_ACCESS.rule_for(
    *POLICIES,
    fix="Name the principals; or say by a condition on aws:SourceAccount, aws:SourceArn or "
    "aws:PrincipalOrgID whom you mean.",
    criteria=OPEN,
)
def policy_lets_in_named_principals(resource: Resource) -> Observed | None:
    """A resource's policy lets nobody in who is not named, neither directly nor by a condition."""
    path = POLICIES[resource.type]
    if not resource.has(path):
        return None
    if resource.type in IN_A_VPC and resource.has("VPCOptions"):
        return None  # only who is in the VPC comes as far as the policy
    written = {"Statement": resource.value(path)} if path == "Statement" else resource.properties
    asked = resource.part({path: written} if path == "Statement" else written)
    open = [
        ", ".join(texts(s.get("Action"))) or "everything but some actions"
        for s in statements(asked, path)
        if lets_anyone(s)
    ]
    return resource.seen(not open, f"everybody may {open[0]}" if open else "no one unnamed", path)


@S3_BLOCK_PUBLIC_ACCESS.rule_for(
    "AWS::Lambda::Permission",
    "AWS::Lambda::LayerVersionPermission",
    fix="Name the principal; for a service, its SourceAccount or SourceArn, too.",
    criteria=OPEN,
)
def function_is_called_by_named_principals(permission: Resource) -> Observed:
    """A function or a layer may not be used by everybody."""
    wide = permission.value("Principal") == "*"
    narrowed = any(permission.has(name) for name in (*NARROWED, "OrganizationId"))
    ok = not wide or narrowed
    return permission.seen(ok, "named principals" if ok else "everybody may", "Principal")


@S3_BLOCK_PUBLIC_ACCESS.rule_for(
    "AWS::S3::Bucket", fix="Leave AccessControl out; grant access by a policy.", criteria=OPEN
)
def bucket_has_no_public_acl(bucket: Resource) -> Observed:
    """A bucket's access control list does not let everybody in."""
    acl = bucket.value("AccessControl")
    return bucket.seen(
        str(acl) not in ACLS, f"access control list: {acl or 'none'}", "AccessControl"
    )


@S3_BLOCK_PUBLIC_ACCESS.rule_for(
    "AWS::EC2::SnapshotBlockPublicAccess",
    fix="Set State to block-all-sharing.",
    criteria=OPEN,
)
def snapshots_are_not_public(setting: Resource) -> Observed:
    """A setting for snapshots keeps them from being public."""
    state = setting.value("State")
    return setting.seen(state == "block-all-sharing", f"State is {state}", "State")
