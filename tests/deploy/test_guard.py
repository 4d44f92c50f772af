import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_ec2 as ec2
from constructs import RootConstruct

from cdk_soc2.constructs import CloudTrail, Soc2Guard
from cdk_soc2.controls.cloudtrail.control import CLOUDTRAIL
from cdk_soc2.findings import HELD
from tests.deploy.synth import OUR_FLAGS, app

PARTIAL = {
    "is_logging": True,
    "s3_bucket_name": "logs",
    "is_multi_region_trail": False,
    "include_global_service_events": True,
    "enable_log_file_validation": True,
}


def trail(stack: cdk.Stack, id: str = "Trail", **props: Any) -> cloudtrail.CfnTrail:
    return cloudtrail.CfnTrail(stack, id, **{**PARTIAL, **props})


def guarded() -> tuple[cdk.App, cdk.Stack]:
    it = app(OUR_FLAGS)
    Soc2Guard.add_to(it)
    return it, cdk.Stack(it, "S")


def report(it: cdk.App) -> dict[str, Any]:
    """What the guard reported, with what was acknowledged."""
    document = json.loads((Path(it.outdir) / "validation-report.json").read_text())
    [mine] = [r for r in document["pluginReports"] if r["pluginName"] == "soc2"]
    return mine


def test_lets_good_stacks_pass():
    it, stack = guarded()
    CloudTrail(stack, "CloudTrail")
    it.synth()


def test_refuses_a_broken_control_and_says_how_to_mend_it():
    it, stack = guarded()
    trail(stack)
    with pytest.raises(RuntimeError) as refused:
        it.synth()
    said = str(refused.value)
    assert "soc2::trail_covers_all_regions" in said
    assert "S/Trail" in said
    [violation] = report(it)["violations"]
    assert violation["severity"] == "error"
    assert violation["ruleMetadata"] == {
        "control": "cloudtrail",
        "criteria": " ".join(CLOUDTRAIL.criteria),
        "status": "FAIL",
    }
    assert "IsMultiRegionTrail" in json.dumps(violation)


def test_what_it_cannot_judge_is_no_pass():
    it, stack = guarded()
    parameter = cdk.CfnParameter(stack, "All", default="true")
    trail(stack).add_property_override("IsMultiRegionTrail", {"Ref": parameter.logical_id})
    with pytest.raises(RuntimeError, match="could not be judged"):
        it.synth()


def test_one_acknowledged_finding_lets_no_other_pass():
    it, stack = guarded()
    accepted, other = trail(stack, "Accepted"), trail(stack, "Other")
    cdk.Validations.of(accepted).acknowledge(
        cdk.Acknowledgment(id="soc2::trail_covers_all_regions", reason="A copy for one region.")
    )
    with pytest.raises(RuntimeError) as refused:
        it.synth()
    assert other.node.path in str(refused.value)


def test_acknowledged_findings_are_reported_with_their_reason():
    it, stack = guarded()
    cdk.Validations.of(trail(stack)).acknowledge(
        cdk.Acknowledgment(id="soc2::trail_covers_all_regions", reason="A copy for one region.")
    )
    it.synth()
    [accepted] = report(it)["suppressedViolations"]
    assert accepted["reason"] == "A copy for one region."


def test_reports_once_though_added_twice():
    it, stack = guarded()
    Soc2Guard.add_to(stack)
    trail(stack)
    with pytest.raises(RuntimeError):
        it.synth()
    assert len(report(it)["violations"]) == 1


def test_guards_a_stage():
    it = app(OUR_FLAGS)
    stage = cdk.Stage(it, "Prod")
    stack = cdk.Stack(stage, "S")
    ec2.CfnVolume(stack, "Volume", availability_zone="eu-west-1a", size=1, encrypted=False)
    Soc2Guard.add_to(stack)
    with pytest.raises(RuntimeError, match="soc2::volume_is_encrypted"):
        it.synth()


def test_refuses_to_guard_what_is_in_no_app():
    with pytest.raises(ValueError, match="not in an App"):
        Soc2Guard.add_to(RootConstruct("alone"))


def test_lists_every_rule():
    rules = [f"soc2::{rule}" for control in HELD for rule in control.rules]
    assert Soc2Guard().rule_ids == rules
    assert len(rules) == len(set(rules))
