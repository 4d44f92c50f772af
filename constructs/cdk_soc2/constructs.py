"""The constructs, for your own stacks: ``from cdk_soc2.constructs import EvidenceVault``."""

from cdk_soc2.controls.cloudtrail.construct import CloudTrail
from cdk_soc2.controls.ebs_encryption.construct import EbsEncryptionByDefault
from cdk_soc2.controls.evidence.construct import EvidenceVault
from cdk_soc2.deploy.alerts import AlertTopic
from cdk_soc2.deploy.collector import EvidenceCollector
from cdk_soc2.deploy.guard import Soc2Guard

__all__ = [
    "AlertTopic",
    "CloudTrail",
    "EbsEncryptionByDefault",
    "EvidenceCollector",
    "EvidenceVault",
    "Soc2Guard",
]
