"""``assert_soc2`` in users' own tests."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_sns as sns

from cdk_soc2.boundary import parse
from cdk_soc2.constructs import CloudTrail, FlowLogs, SegmentedVpc, Soc2Guard
from cdk_soc2.testing import assert_soc2
from tests.deploy.synth import OUR_FLAGS, app

TODAY = date(2026, 11, 23)


def accept(construct: cdk.CfnResource, reason: str) -> None:
    cdk.Validations.of(construct).acknowledge(
        cdk.Acknowledgment(id="soc2::topic_is_encrypted", reason=reason)
    )


def test_a_good_stack_passes() -> None:
    stack = cdk.Stack(app(OUR_FLAGS), "S")
    CloudTrail(stack, "CloudTrail")
    assert_soc2(stack)


def test_a_finding_is_a_line() -> None:
    stack = cdk.Stack(app(OUR_FLAGS), "S")
    sns.CfnTopic(stack, "Topic")
    ec2.CfnVolume(stack, "Volume", availability_zone="eu-west-1a", size=1)
    with pytest.raises(AssertionError) as raised:
        assert_soc2(stack)
    first, *lines = str(raised.value).splitlines()
    assert first == "2 SOC 2 finding(s):"
    assert len(lines) == 2
    assert any(line.startswith("FAIL soc2::topic_is_encrypted: S/Topic: ") for line in lines)


def test_a_guard_on_the_app_does_not_come_first() -> None:
    it = app(OUR_FLAGS)
    Soc2Guard.add_to(it)
    stack = cdk.Stack(it, "S")
    sns.CfnTopic(stack, "Topic")
    with pytest.raises(AssertionError, match="topic_is_encrypted"):
        assert_soc2(stack)


def test_acknowledged_findings_are_none_until_they_end() -> None:
    stack = cdk.Stack(app(OUR_FLAGS), "S")
    accept(sns.CfnTopic(stack, "Topic"), "Told to nobody [owner: ada] [until: 2026-11-23]")
    assert_soc2(stack, today=TODAY)
    with pytest.raises(AssertionError, match="ended on 2026-11-23"):
        assert_soc2(stack, today=date(2026, 11, 24))


def test_only_what_is_asked_for_is_judged() -> None:
    it = app(OUR_FLAGS)
    good, bad = cdk.Stack(it, "Good"), cdk.Stack(cdk.Stage(it, "Prod"), "Bad")
    sns.CfnTopic(bad, "Topic")
    assert_soc2(good)
    for scope in (bad, it):
        with pytest.raises(AssertionError):
            assert_soc2(scope)


def test_another_stack_may_hold_what_this_one_needs() -> None:
    it = app(OUR_FLAGS)
    network, logs = cdk.Stack(it, "Network"), cdk.Stack(it, "Logs")
    vpc = SegmentedVpc(network, "Vpc", cidr="10.20.0.0/16", non_production_cidrs=["10.0.0.0/8"])
    FlowLogs(logs, "FlowLogs", vpcs=[vpc.vpc])
    boundary = parse({"non_production_cidrs": ["10.0.0.0/8"]})
    assert_soc2(network, boundary=boundary)
    assert_soc2(it, boundary=boundary)


def test_a_segmented_vpc_without_flow_logs_is_told_so_and_no_more() -> None:
    stack = cdk.Stack(app(OUR_FLAGS), "S")
    SegmentedVpc(stack, "Vpc", cidr="10.20.0.0/16", non_production_cidrs=["10.0.0.0/8"], ipv6=True)
    with pytest.raises(AssertionError) as raised:
        assert_soc2(stack, boundary=parse({"non_production_cidrs": ["10.0.0.0/8"]}))
    [_, line] = str(raised.value).splitlines()
    assert "vpc_has_flow_log" in line


def test_the_light_library_does_not_load_the_cdk() -> None:
    source = (Path(__file__).parents[2] / "constructs/cdk_soc2/testing.py").read_text()
    assert "aws_cdk" not in source
