"""Control 2: infrastructure as code."""

from cdk_soc2.controls.infrastructure_as_code.control import (
    INFRASTRUCTURE_AS_CODE as INFRASTRUCTURE_AS_CODE,
)
