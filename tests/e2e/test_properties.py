"""Every property in the template, read back through the service's own API after the deploy.

It is read back as ``read_back.READ`` says for its type, or stands in ``NOT_SECURITY`` or ``DROPPED``
with the reason why not. One that stands nowhere fails, so that a new property cannot slip by.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import Deployed
from tests.e2e.read_back import READ, DeployedTemplate

pytestmark = pytest.mark.local_aws

LABEL = "a text for people"
NOT_SECURITY: dict[tuple[str, str], str] = {
    ("*", "Description"): LABEL,
    ("*", "Tags"): "labels; tests/deploy/test_claim.py holds them against the controls",
    ("AWS::CDK::Metadata", "Analytics"): "how the CDK counts its constructs; makes nothing",
    ("AWS::CloudWatch::Alarm", "AlarmDescription"): LABEL,
    ("AWS::SNS::Topic", "DisplayName"): LABEL,
    ("Custom::AccountSetting", "Code"): "has CloudFormation look again at what new code makes",
    ("Custom::AccountSetting", "ServiceTimeout"): "how long CloudFormation waits",
    ("Custom::AccountSetting", "ServiceToken"): "who makes the setting; what is made is read back",
}

# What the emulator drops, and so what the template itself must say.
DROPPED: dict[tuple[str, str], Any] = {
    ("AWS::Scheduler::Schedule", "ScheduleExpressionTimezone"): "Etc/UTC",
}


@pytest.fixture(scope="module")
def template(deployed: Deployed) -> DeployedTemplate:
    return DeployedTemplate(deployed)


def same(value: Any) -> Any:
    """*value* without what services and CloudFormation write differently and mean alike."""
    if isinstance(value, dict):
        kept = {k: same(v) for k, v in value.items()}
        return {k: kept[k] for k in sorted(kept) if kept[k] not in (None, "", [], {})}
    if isinstance(value, list | tuple):
        items = sorted((same(v) for v in value), key=repr)
        return items[0] if len(items) == 1 else items
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:g}" if value < 1e6 else str(int(value))
    return value


def test_every_type_is_read_back(template: DeployedTemplate) -> None:
    assert {r["Type"] for r in template.resources.values()} <= set(READ)


@pytest.mark.parametrize("type", READ)
def test_every_property_is_as_the_template_says(
    type: str, deployed: Deployed, template: DeployedTemplate
) -> None:
    wrong = dict(differences(type, deployed, template))
    assert wrong == {}


def differences(
    type: str, deployed: Deployed, template: DeployedTemplate
) -> Iterator[tuple[str, Any]]:
    for id, properties in template.all(type).items():
        made = READ[type](deployed, template.ids.get(id, id), properties)
        for name, wanted in properties.items():
            if (type, name) in NOT_SECURITY or ("*", name) in NOT_SECURITY:
                continue
            if name not in made and (type, name) not in DROPPED:
                yield f"{id}.{name}", "neither read back nor said why not"
                continue
            found = DROPPED.get((type, name), made.get(name))
            if same(found) != same(wanted):
                yield f"{id}.{name}", {"template": same(wanted), "found": same(found)}


def test_nothing_listed_has_gone(template: DeployedTemplate) -> None:
    there = {
        (type, name)
        for resource in template.resources.values()
        for type in (resource["Type"], "*")
        for name in resource.get("Properties", {})
    }
    assert set(NOT_SECURITY) | set(DROPPED) <= there


def test_roles_have_the_policies_of_the_template_and_no_others(
    deployed: Deployed, template: DeployedTemplate
) -> None:
    iam = deployed.client("iam")
    wanted: dict[str, set[str]] = {template.ids[r]: set() for r in template.all("AWS::IAM::Role")}
    for type in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        for id, policy in template.all(type).items():
            for role in policy["Roles"]:
                wanted[role].add(policy.get("PolicyName", template.ids[id]))
    for role, policies in wanted.items():
        attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        found = iam.list_role_policies(RoleName=role)["PolicyNames"]
        assert {*found, *(policy["PolicyArn"] for policy in attached)} == policies
