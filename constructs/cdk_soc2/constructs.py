"""The constructs, for your own stacks: ``from cdk_soc2.constructs import EvidenceVault``."""

from cdk_soc2.controls.boundary.construct import SegmentedVpc
from cdk_soc2.controls.cloudtrail.construct import CloudTrail
from cdk_soc2.controls.ebs_encryption.construct import EbsEncryptionByDefault
from cdk_soc2.controls.evidence.construct import EvidenceVault
from cdk_soc2.controls.guardduty.construct import GuardDuty, ProtectionPlan, PublishingFrequency
from cdk_soc2.controls.mfa.construct import PasswordPolicy
from cdk_soc2.controls.s3_block_public_access.construct import S3BlockPublicAccess
from cdk_soc2.controls.vpc_flow_logs.construct import AccountFlowLogs, FlowLogs
from cdk_soc2.deploy.alerts import AlertTopic
from cdk_soc2.deploy.baseline import ComplianceBaseline
from cdk_soc2.deploy.collector import EvidenceCollector
from cdk_soc2.deploy.guard import Soc2Guard
from cdk_soc2.deploy.segmented_nacls import SegmentedNacls
from cdk_soc2.deploy.writer import EvidenceWriter, github_provider

__all__ = [
    "AccountFlowLogs",
    "AlertTopic",
    "CloudTrail",
    "ComplianceBaseline",
    "EbsEncryptionByDefault",
    "EvidenceCollector",
    "EvidenceVault",
    "EvidenceWriter",
    "FlowLogs",
    "GuardDuty",
    "PasswordPolicy",
    "ProtectionPlan",
    "PublishingFrequency",
    "S3BlockPublicAccess",
    "SegmentedNacls",
    "SegmentedVpc",
    "Soc2Guard",
    "github_provider",
]
