"""Control 4 in a template: a detector that is deployed looks for threats."""

from __future__ import annotations

from cdk_soc2.control import Observed
from cdk_soc2.controls.guardduty.control import GUARDDUTY
from cdk_soc2.template import Resource


@GUARDDUTY.rule_for("AWS::GuardDuty::Detector", fix="Set Enable to true.")
def detector_is_enabled(detector: Resource) -> Observed:
    """A detector is enabled."""
    return detector.true("Enable")
