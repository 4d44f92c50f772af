"""Control 3: CloudTrail."""

from cdk_soc2.controls.cloudtrail.control import CLOUDTRAIL as CLOUDTRAIL
