"""The table of contents: every control, in the handbook's order."""

from cdk_soc2.control import Control
from cdk_soc2.controls.cloudtrail import CLOUDTRAIL
from cdk_soc2.controls.ebs_encryption import EBS_ENCRYPTION
from cdk_soc2.controls.evidence import EVIDENCE

CONTROLS: tuple[Control, ...] = (CLOUDTRAIL, EBS_ENCRYPTION, EVIDENCE)
