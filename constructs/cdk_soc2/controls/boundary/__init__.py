"""Control 0: Boundary."""

from cdk_soc2.controls.boundary.control import BOUNDARY as BOUNDARY
