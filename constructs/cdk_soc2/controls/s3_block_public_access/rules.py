"""Control 8 in a template: every bucket blocks public access itself, too."""

from __future__ import annotations

from cdk_soc2.claims import sets_account
from cdk_soc2.control import Observed
from cdk_soc2.controls.s3_block_public_access import (
    rules_open as rules_open,
)  # they attach themselves
from cdk_soc2.controls.s3_block_public_access import rules_tls as rules_tls
from cdk_soc2.controls.s3_block_public_access.control import FLAGS, S3_BLOCK_PUBLIC_ACCESS
from cdk_soc2.template import Resource

BLOCK = "PublicAccessBlockConfiguration"


@S3_BLOCK_PUBLIC_ACCESS.rule_for(
    "AWS::S3::Bucket",
    fix=f"Set all four of {BLOCK} to true; in the CDK, "
    "block_public_access=s3.BlockPublicAccess.BLOCK_ALL.",
)
def bucket_blocks_public_access(bucket: Resource) -> Observed:
    """A bucket blocks public access in all four ways, or the same deployment does for the account."""
    if bucket.value(BLOCK) is None and sets_account(bucket, S3_BLOCK_PUBLIC_ACCESS.key):
        return bucket.seen(True, "blocked for the whole account", BLOCK)
    off = [f for f in FLAGS if not bucket.is_true(f"{BLOCK}.{f}")]
    return bucket.seen(not off, f"{', '.join(off)} not set" if off else "all four set", BLOCK)
