"""Control 4: GuardDuty."""

from cdk_soc2.controls.guardduty.control import GUARDDUTY as GUARDDUTY
