"""Control 7: EBS encryption."""

from cdk_soc2.controls.ebs_encryption.control import EBS_ENCRYPTION as EBS_ENCRYPTION
