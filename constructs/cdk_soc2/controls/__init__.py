"""The table of contents: every control, in the handbook's order."""

from cdk_soc2.control import Control
from cdk_soc2.controls.access_reviews import ACCESS_REVIEWS
from cdk_soc2.controls.backup_verification import BACKUP_VERIFICATION
from cdk_soc2.controls.boundary import BOUNDARY
from cdk_soc2.controls.cloudtrail import CLOUDTRAIL
from cdk_soc2.controls.ebs_encryption import EBS_ENCRYPTION
from cdk_soc2.controls.evidence import EVIDENCE
from cdk_soc2.controls.guardduty import GUARDDUTY
from cdk_soc2.controls.mfa import MFA
from cdk_soc2.controls.s3_block_public_access import S3_BLOCK_PUBLIC_ACCESS
from cdk_soc2.controls.secrets_manager import SECRETS_MANAGER
from cdk_soc2.controls.vpc_flow_logs import VPC_FLOW_LOGS

CONTROLS: tuple[Control, ...] = (
    BOUNDARY,
    MFA,
    CLOUDTRAIL,
    GUARDDUTY,
    VPC_FLOW_LOGS,
    SECRETS_MANAGER,
    EBS_ENCRYPTION,
    S3_BLOCK_PUBLIC_ACCESS,
    ACCESS_REVIEWS,
    BACKUP_VERIFICATION,
    EVIDENCE,
)
