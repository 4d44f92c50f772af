"""Realistic templates: a well-made one raises no alarm, a hurried one is told all its problems."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cdk_soc2.findings import HELD, findings
from cdk_soc2.template import Template, together
from cdk_soc2.template_file import templates
from tests.deploy.synth import compliance

TODAY = date(2026, 11, 23)
FOLDER = Path(__file__).parent / "templates"

PLANTED = """
FAIL AdaKey no_access_key
FAIL AdminPassword template_parameter_hides_its_secret
FAIL Ada no_iam_user
FAIL Ada user_has_no_password
FAIL Ada password_is_not_in_the_template
FAIL Balancer load_balancer_has_access_log
FAIL Bastion security_group_is_closed_to_the_world
FAIL Database backups_are_kept_a_week
FAIL Database database_is_encrypted
FAIL Database database_is_not_public
FAIL Database database_is_protected_from_deletion
FAIL Database password_is_not_in_the_template
FAIL Everything policy_names_actions_or_resources
FAIL Everything web_identity_names_its_subject
FAIL Files bucket_blocks_public_access
FAIL Files bucket_has_no_public_acl
FAIL Files bucket_keeps_versions
FAIL Files bucket_takes_tls_only
FAIL FilesPolicy policy_lets_in_named_principals
FAIL Forgotten network_acl_is_associated
FAIL Group log_group_has_retention
FAIL Host instance_disks_are_encrypted
FAIL Host user_data_has_no_secret
FAIL Images repository_scans_on_push
FAIL Images repository_tags_are_immutable
FAIL Jobs queue_is_encrypted
FAIL Old function_has_no_secret_in_environment
FAIL Old function_runtime_is_supported
FAIL Plain http_listener_redirects
FAIL Replica database_is_protected_from_deletion
FAIL Shared file_system_is_backed_up
FAIL ToTheLab way_in_is_reviewed
FAIL Told topic_is_encrypted
FAIL Vpc vpc_has_flow_log
UNKNOWN FromTheOffice security_group_is_closed_to_the_world
UNKNOWN Nested nested_stack_is_seen
UNKNOWN Replica database_is_encrypted
UNKNOWN Shared file_system_is_encrypted
"""


def told(name: str, **parameters: str) -> list[str]:
    read, _ = templates([FOLDER / name], today=TODAY, parameters=parameters)
    return sorted(
        f"{f.finding.status} {f.finding.resource} {f.finding.rule}" for f in findings(read, HELD)
    )


@pytest.mark.parametrize("name", ["shop.yaml", "orders.yaml", "platform.json"])
def test_a_well_made_template_raises_no_alarm(name: str) -> None:
    assert told(name) == []


def test_every_planted_problem_is_found_and_nothing_else() -> None:
    assert told("planted.yaml") == sorted(PLANTED.strip().splitlines())


def test_our_own_stack_raises_no_alarm() -> None:
    template = Template(compliance().body, today=TODAY)
    assert [f.to_json() for f in findings([template], HELD)] == []


def test_a_parameter_that_is_given_is_judged() -> None:
    assert "UNKNOWN FromTheOffice security_group_is_closed_to_the_world" in told("planted.yaml")
    closed = told("planted.yaml", Office="203.0.113.0/24")
    assert not [line for line in closed if "FromTheOffice" in line]
    open = told("planted.yaml", Office="0.0.0.0/0")
    assert "FAIL FromTheOffice security_group_is_closed_to_the_world" in open


def part(**resources: Any) -> Template:
    return Template({"Resources": resources}, today=TODAY)


def test_templates_that_are_deployed_together_hold_for_each_other() -> None:
    vpc = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}
    export = {"Vpc": {"Value": {"Ref": "V"}, "Export": {"Name": "net-vpc"}}}
    network = Template({"Resources": {"V": vpc}, "Outputs": export}, today=TODAY)
    properties = {"ResourceType": "VPC", "TrafficType": "ALL"}
    log = {"Type": "AWS::EC2::FlowLog", "Properties": properties}

    def alarms(reference: Any) -> int:
        logs = part(L={**log, "Properties": {**properties, "ResourceId": reference}})
        return len(list(findings(together([network, logs]), HELD)))

    assert alarms({"Fn::ImportValue": "net-vpc"}) == 0
    assert alarms({"Fn::GetStackOutput": {"StackName": "net", "OutputName": "Vpc"}}) == 0
    assert alarms({"Fn::ImportValue": "another"}) == 1


CONDITIONS: dict[str, tuple[Any, str | None]] = {
    "met or not": ({"Fn::If": ["Prod", True, False]}, "UNKNOWN"),
    "good either way": ({"Fn::If": ["Prod", True, "true"]}, None),
    "bad either way": ({"Fn::If": ["Prod", False, {"Ref": "AWS::NoValue"}]}, "FAIL"),
    "one in another": ({"Fn::If": ["Prod", {"Fn::If": ["Big", True, True]}, True]}, None),
    "by a map that agrees": ({"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "on"]}, None),
    "by a map that does not": ({"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "mixed"]}, "UNKNOWN"),
    "a condition that is known": ({"Fn::If": ["Always", True, False]}, None),
    "a parameter of one value": ({"Ref": "Only"}, None),
    "a parameter with a default": ({"Ref": "Default"}, "UNKNOWN"),
    "a function nobody knows": ({"Fn::Acme": 1}, "UNKNOWN"),
    "not what it should be": ({"a": 1, "b": 2}, "FAIL"),
}  # fmt: skip


@pytest.mark.parametrize("name", CONDITIONS)
def test_what_is_decided_at_deploy_time(name: str) -> None:
    value, expected = CONDITIONS[name]
    body = {
        "Parameters": {
            "Env": {"Type": "String"},
            "Only": {"Type": "String", "AllowedValues": ["true"]},
            "Default": {"Type": "String", "Default": "true"},
        },
        "Mappings": {"M": {"a": {"on": True, "mixed": True}, "b": {"on": True, "mixed": False}}},
        "Conditions": {
            "Prod": {"Fn::Equals": [{"Ref": "Env"}, "prod"]},
            "Big": {"Fn::Not": [{"Condition": "Prod"}]},
            "Always": {"Fn::Equals": ["a", "a"]},
        },
        "Resources": {"S": {"Type": "AWS::Redshift::Cluster", "Properties": {"Encrypted": value}}},
    }
    found = {f.finding.rule: f.finding.status for f in findings([Template(body)], HELD)}
    assert found.get("warehouse_is_encrypted") == expected


def test_it_is_quick() -> None:
    """A bound that even a slow machine keeps; the ratio is measured in bench/."""
    import time

    bucket = json.loads(json.dumps(compliance().body["Resources"]))
    many = {f"{id}{n}": body for n in range(12) for id, body in bucket.items()}
    began = time.perf_counter()
    assert len(many) > 400
    list(findings([Template({**compliance().body, "Resources": many}, today=TODAY)], HELD))
    assert time.perf_counter() - began < 2
