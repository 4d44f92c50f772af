"""Control 11: incident response."""

from cdk_soc2.controls.incident_response.control import INCIDENT_RESPONSE as INCIDENT_RESPONSE
