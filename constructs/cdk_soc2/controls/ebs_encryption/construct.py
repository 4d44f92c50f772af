"""Turns EBS encryption by default on."""

from __future__ import annotations

from constructs import Construct

from cdk_soc2.controls.ebs_encryption import setting
from cdk_soc2.controls.ebs_encryption.control import EBS_ENCRYPTION
from cdk_soc2.deploy.claim import claim
from cdk_soc2.deploy.settings import AccountSetting, Regions


class EbsEncryptionByDefault(Construct):
    """Every new EBS volume is encrypted, in *regions*.

    :param regions: a list, or ``"all"`` for every region that the account has enabled when the stack
        is deployed; absent, the stack's own.

    The setting is one a region. It stays when the stack is deleted, and does nothing to volumes that
    exist already.
    """

    def __init__(self, scope: Construct, id: str, *, regions: Regions | None = None) -> None:
        super().__init__(scope, id)
        self.setting = AccountSetting(
            self, "Setting", control=EBS_ENCRYPTION, setting=setting, regions=regions
        )
        claim(self, EBS_ENCRYPTION)
