"""Controls that are built and tested, and not collected yet.

They judge what this version does not provision (alert routes beyond the home region, drift detection
on a schedule, the capture of changes, scanning of every registry), so that all they could say of an
account of ours is that.
"""

from cdk_soc2.control import Control
from cdk_soc2.controls.image_scanning import IMAGE_SCANNING
from cdk_soc2.controls.incident_response import INCIDENT_RESPONSE
from cdk_soc2.controls.infrastructure_as_code import INFRASTRUCTURE_AS_CODE

NOT_COLLECTED_YET: tuple[Control, ...] = (
    INFRASTRUCTURE_AS_CODE,
    IMAGE_SCANNING,
    INCIDENT_RESPONSE,
)
