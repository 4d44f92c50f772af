"""Blocks public access to every bucket of the account."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from cdk_soc2.controls.s3_block_public_access import setting
from cdk_soc2.controls.s3_block_public_access.control import S3_BLOCK_PUBLIC_ACCESS
from cdk_soc2.deploy.claim import claim
from cdk_soc2.deploy.settings import AccountSetting


class S3BlockPublicAccess(Construct):
    """All four settings of Block Public Access, for the whole account and all its regions.

    It acts at once on buckets that are public today, and stays when the stack is deleted. Where an
    S3 policy of the organization decides, and has all four on, there is nothing to do, and that is
    found; where it has not, the deployment fails and says so.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        self.setting = AccountSetting(
            self,
            "Setting",
            control=S3_BLOCK_PUBLIC_ACCESS,
            setting=setting,
            wanted={"Account": cdk.Stack.of(self).account},
        )
        claim(self, S3_BLOCK_PUBLIC_ACCESS)
