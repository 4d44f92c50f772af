"""Control 10: container image scanning."""

from cdk_soc2.controls.image_scanning.control import IMAGE_SCANNING as IMAGE_SCANNING
