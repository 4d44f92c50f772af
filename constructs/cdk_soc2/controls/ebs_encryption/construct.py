"""Turns EBS encryption by default on."""

from __future__ import annotations

from collections.abc import Sequence

from constructs import Construct

from cdk_soc2.controls.ebs_encryption import setting
from cdk_soc2.controls.ebs_encryption.control import EBS_ENCRYPTION
from cdk_soc2.deploy.claim import claim
from cdk_soc2.deploy.settings import AccountSetting


class EbsEncryptionByDefault(Construct):
    """Every new EBS volume is encrypted, in *regions*; by default in the stack's own.

    The setting is one a region. It stays when the stack is deleted, and does nothing to volumes that
    exist already.
    """

    def __init__(self, scope: Construct, id: str, *, regions: Sequence[str] | None = None) -> None:
        super().__init__(scope, id)
        self.setting = AccountSetting(
            self, "Setting", setting="ebs_encryption", actions=setting.actions, regions=regions
        )
        claim(self, EBS_ENCRYPTION)
