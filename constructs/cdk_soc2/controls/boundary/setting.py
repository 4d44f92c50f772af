"""The default security group of a VPC, closed: CloudFormation makes it and cannot change it."""

from __future__ import annotations

from typing import Any

from cdk_soc2.custom_resource import NotMade
from cdk_soc2.settings import State, Wanted

service = "ec2"
regional = True
REVOKE = ("ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress")
actions = ("ec2:DescribeSecurityGroups", *REVOKE)


def read(client: Any, wanted: Wanted) -> State:
    """Has the default group of the VPC ``wanted["Vpc"]`` no rule, in either direction?"""
    group = _group(client, wanted)
    rules = len(group["IpPermissions"]) + len(group["IpPermissionsEgress"])
    return State(rules == 0, f"{group['GroupId']} has {rules or 'no'} rules")


def apply(client: Any, wanted: Wanted) -> None:
    """Revoke whatever rules the group has."""
    group = _group(client, wanted)
    for rules, revoke in (
        ("IpPermissions", client.revoke_security_group_ingress),
        ("IpPermissionsEgress", client.revoke_security_group_egress),
    ):
        if group[rules]:
            revoke(GroupId=group["GroupId"], IpPermissions=group[rules])


def _group(client: Any, wanted: Wanted) -> dict[str, Any]:
    filters = [
        {"Name": "vpc-id", "Values": [wanted["Vpc"]]},
        {"Name": "group-name", "Values": ["default"]},
    ]
    groups = client.describe_security_groups(Filters=filters)["SecurityGroups"]
    if len(groups) != 1:
        raise NotMade(
            f"{wanted['Vpc']} has {len(groups)} security groups named default; check the VPC's id"
        )
    return groups[0]
