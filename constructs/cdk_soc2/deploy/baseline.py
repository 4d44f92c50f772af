"""All controls of one account, as one construct."""

# The CDK's classes name parameters otherwise than its interfaces do; jsii checks arguments itself.
# pyright: reportArgumentType=false
from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_soc2.boundary import Boundary
from cdk_soc2.controls.cloudtrail.construct import CloudTrail
from cdk_soc2.controls.ebs_encryption.construct import EbsEncryptionByDefault
from cdk_soc2.controls.evidence.construct import EvidenceVault
from cdk_soc2.controls.guardduty.construct import GuardDuty
from cdk_soc2.controls.mfa.construct import PasswordPolicy
from cdk_soc2.controls.s3_block_public_access.construct import S3BlockPublicAccess
from cdk_soc2.controls.vpc_flow_logs.construct import AccountFlowLogs
from cdk_soc2.deploy.collector import EvidenceCollector
from cdk_soc2.deploy.settings import Regions


class ComplianceBaseline(Construct):
    """Every control that one account needs, and their evidence; one an account.

    :param boundary: what is in scope; absent, this account and every region it has enabled.
    :param alert_emails: who is told of failures, changes and severe findings.
    :param break_glass_role: the one role that may delete evidence; absent, nobody may.
    :param deploy_roles: as for ``EvidenceVault``.

    A VPC is yours to make, or there already: see ``SegmentedVpc`` and ``SegmentedNacls``.

    With the id ``"Default"`` the logical ids are as if its parts stood in the stack itself.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        boundary: Boundary | None = None,
        alert_emails: Sequence[str] = (),
        break_glass_role: iam.IRole | None = None,
        deploy_roles: Sequence[iam.IRole] = (),
    ) -> None:
        super().__init__(scope, id)
        boundary = boundary or Boundary()
        regions: Regions = boundary.regions or "all"
        kept = {"break_glass_role": break_glass_role, "deploy_roles": deploy_roles}

        self.vault = EvidenceVault(self, "Vault", **kept)
        self.collector = EvidenceCollector(
            self,
            "Collector",
            vault=self.vault,
            boundary=boundary,
            alert_emails=alert_emails,
            **kept,
        )
        self.password_policy = PasswordPolicy(self, "PasswordPolicy")
        self.trail = CloudTrail(self, "CloudTrail", data_events=[self.vault.bucket], **kept)
        self.guardduty = GuardDuty(self, "GuardDuty", topic=self.collector.topic, regions=regions)
        self.flow_logs = AccountFlowLogs(self, "FlowLogs", regions=regions, **kept)
        self.ebs_encryption = EbsEncryptionByDefault(self, "EbsEncryption", regions=regions)
        self.s3_block_public_access = S3BlockPublicAccess(self, "S3BlockPublicAccess")
