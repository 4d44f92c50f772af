"""Control 14: every change of production was asked for and approved."""

from cdk_soc2.controls.change_management.control import CHANGE_MANAGEMENT as CHANGE_MANAGEMENT
