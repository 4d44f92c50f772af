"""Which IAM action an API operation needs: mostly its own name, and here is where it is not."""

from __future__ import annotations

PREFIXES = {
    "accessanalyzer": "access-analyzer",
    "inspector2": "inspector2",
    "s3control": "s3",
    "sso-admin": "sso",
}
ACTIONS = {
    # boto3 writes describe_db_clusters; the action keeps its capitals
    ("rds", "DescribeDbClusters"): "rds:DescribeDBClusters",
    ("rds", "DescribeDbInstances"): "rds:DescribeDBInstances",
    ("s3", "GetBucketEncryption"): "s3:GetEncryptionConfiguration",
    ("s3", "GetObjectLockConfiguration"): "s3:GetBucketObjectLockConfiguration",
    ("s3", "GetPublicAccessBlock"): "s3:GetBucketPublicAccessBlock",
    ("s3", "HeadBucket"): "s3:ListBucket",
    ("s3", "ListObjectVersions"): "s3:ListBucketVersions",
    ("s3", "ListObjectsV2"): "s3:ListBucket",
    ("s3control", "GetPublicAccessBlock"): "s3:GetAccountPublicAccessBlock",
}


def action(service: str, operation: str) -> str:
    """The IAM action for boto3's *service* and the API's *operation*, such as ``DescribeTrails``."""
    return ACTIONS.get((service, operation), f"{PREFIXES.get(service, service)}:{operation}")
