"""EC2 as the regional checks read it: regions, encryption by default, flow logs, ways in."""

from __future__ import annotations

from typing import Any

import pytest

from local.launch import LocalAws
from tests.local.calls import code_of


@pytest.fixture
def ec2(aws: LocalAws, account: str) -> Any:
    return aws.client("ec2", account=account)


def test_regions(ec2: Any) -> None:
    on = {one["RegionName"]: one["OptInStatus"] for one in ec2.describe_regions()["Regions"]}
    every = {
        one["RegionName"]: one["OptInStatus"]
        for one in ec2.describe_regions(AllRegions=True)["Regions"]
    }
    assert len(on) == 17
    assert set(on.values()) == {"opt-in-not-required"}
    assert every["me-south-1"] == "not-opted-in"
    assert {name for name, status in every.items() if status != "not-opted-in"} == set(on)
    asked = [{"Name": "opt-in-status", "Values": ["opt-in-not-required", "opted-in"]}]
    filtered = ec2.describe_regions(AllRegions=True, Filters=asked)["Regions"]
    assert {one["RegionName"] for one in filtered} == set(on)
    named = ec2.describe_regions(RegionNames=["eu-west-1"])["Regions"]
    assert [one["Endpoint"] for one in named] == ["ec2.eu-west-1.amazonaws.com"]
    assert code_of(ec2.describe_regions, RegionNames=["xx-1"]) == "InvalidParameterValue"


def test_encryption_by_default_is_per_account_and_region(
    aws: LocalAws, account: str, ec2: Any
) -> None:
    elsewhere = aws.client("ec2", account=account, region="eu-west-1")
    stranger = aws.client("ec2", account="000000999999")
    assert not ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"]
    ec2.enable_ebs_encryption_by_default()
    assert ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"]
    assert not elsewhere.get_ebs_encryption_by_default()["EbsEncryptionByDefault"]
    assert not stranger.get_ebs_encryption_by_default()["EbsEncryptionByDefault"]
    ec2.disable_ebs_encryption_by_default()
    assert not ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"]


@pytest.mark.parametrize(
    ("default", "asked", "encrypted"),
    [
        (False, False, False),
        (False, True, True),
        (True, False, True),
        (True, True, True),
    ],
)
def test_volume_follows_the_default(ec2: Any, default: bool, asked: bool, encrypted: bool) -> None:
    if default:
        ec2.enable_ebs_encryption_by_default()
    made = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=asked)["VolumeId"]
    [shown] = ec2.describe_volumes(VolumeIds=[made])["Volumes"]
    assert shown["Encrypted"] is encrypted


@pytest.mark.parametrize(
    "destination",
    [
        {"LogGroupName": "/flow"},
        {"LogDestination": "arn:aws:logs:us-east-1:000000000001:log-group:/flow:*"},
    ],
)
def test_flow_log_shows_its_group(ec2: Any, destination: dict[str, str]) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = ec2.create_flow_logs(
        ResourceIds=[vpc],
        ResourceType="VPC",
        TrafficType="ALL",
        MaxAggregationInterval=60,
        DeliverLogsPermissionArn="arn:aws:iam::000000000001:role/flow",
        TagSpecifications=[{"ResourceType": "vpc-flow-log", "Tags": [{"Key": "a", "Value": "b"}]}],
        **destination,
    )["FlowLogIds"]
    [shown] = ec2.describe_flow_logs(Filters=[{"Name": "resource-id", "Values": [vpc]}])["FlowLogs"]
    assert shown["FlowLogId"] == made[0]
    assert shown["LogGroupName"] == "/flow"
    assert shown.get("LogDestination") == destination.get("LogDestination")
    assert shown["DeliverLogsStatus"] == "SUCCESS"
    assert shown["FlowLogStatus"] == "ACTIVE"
    assert shown["MaxAggregationInterval"] == 60
    assert shown["Tags"] == [{"Key": "a", "Value": "b"}]
    other = [{"Name": "traffic-type", "Values": ["REJECT"]}]
    assert ec2.describe_flow_logs(Filters=other)["FlowLogs"] == []
    ec2.delete_flow_logs(FlowLogIds=made)
    assert ec2.describe_flow_logs()["FlowLogs"] == []


def test_transit_gateway_attachment_is_seen(ec2: Any) -> None:
    assert ec2.describe_transit_gateway_attachments()["TransitGatewayAttachments"] == []
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    gateway = ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
    made = ec2.create_transit_gateway_vpc_attachment(
        TransitGatewayId=gateway, VpcId=vpc, SubnetIds=[subnet]
    )["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"]
    [shown] = ec2.describe_transit_gateway_attachments()["TransitGatewayAttachments"]
    assert (shown["ResourceId"], shown["ResourceType"], shown["State"]) == (
        vpc,
        "vpc",
        "available",
    )
    [attached] = ec2.describe_transit_gateway_vpc_attachments(
        Filters=[{"Name": "vpc-id", "Values": [vpc]}]
    )["TransitGatewayVpcAttachments"]
    assert attached["SubnetIds"] == [subnet]
    ec2.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=made)
    assert ec2.describe_transit_gateway_attachments()["TransitGatewayAttachments"] == []


READS = {
    "describe_customer_gateways": "CustomerGateways",
    "describe_vpc_endpoint_connections": "VpcEndpointConnections",
    "describe_vpc_endpoint_service_configurations": "ServiceConfigurations",
    "describe_vpc_peering_connections": "VpcPeeringConnections",
    "describe_vpn_connections": "VpnConnections",
    "describe_vpn_gateways": "VpnGateways",
    "describe_egress_only_internet_gateways": "EgressOnlyInternetGateways",
    "describe_transit_gateway_peering_attachments": "TransitGatewayPeeringAttachments",
}


@pytest.mark.parametrize("operation", READS)
def test_reads_of_a_fresh_account_are_empty(ec2: Any, operation: str) -> None:
    assert getattr(ec2, operation)()[READS[operation]] == []


def test_subnet_is_in_the_default_acl_until_it_is_moved(ec2: Any) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    asked = {"Filters": [{"Name": "association.subnet-id", "Values": [subnet]}]}
    [default] = ec2.describe_network_acls(**asked)["NetworkAcls"]
    assert default["IsDefault"]
    [association] = default["Associations"]
    own = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    ec2.replace_network_acl_association(
        AssociationId=association["NetworkAclAssociationId"], NetworkAclId=own
    )
    [moved] = ec2.describe_network_acls(**asked)["NetworkAcls"]
    assert moved["NetworkAclId"] == own
    last = {(one["RuleNumber"], one["Egress"], one["RuleAction"]) for one in moved["Entries"]}
    assert last == {(32767, False, "deny"), (32767, True, "deny")}


@pytest.mark.parametrize(
    "shape",
    [
        {"Protocol": "6", "CidrBlock": "10.0.0.0/8", "PortRange": {"From": 22, "To": 23}},
        {"Protocol": "17", "Ipv6CidrBlock": "::/0", "PortRange": {"From": 0, "To": 65535}},
        {"Protocol": "1", "CidrBlock": "0.0.0.0/0", "IcmpTypeCode": {"Code": -1, "Type": 8}},
        {"Protocol": "-1", "CidrBlock": "0.0.0.0/0"},
    ],
)
def test_acl_entry_is_kept_whole(ec2: Any, shape: dict[str, Any]) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    entry = {"RuleNumber": 100, "Egress": False, "RuleAction": "deny"} | shape
    ec2.create_network_acl_entry(NetworkAclId=acl, **entry)
    assert code_of(ec2.create_network_acl_entry, NetworkAclId=acl, **entry) == (
        "NetworkAclEntryAlreadyExists"
    )
    [shown] = ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"]
    assert [one for one in shown["Entries"] if one["RuleNumber"] == 100] == [entry]
    ec2.replace_network_acl_entry(NetworkAclId=acl, **(entry | {"RuleAction": "allow"}))
    [shown] = ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"]
    actions = [one["RuleAction"] for one in shown["Entries"] if one["RuleNumber"] == 100]
    assert actions == ["allow"]
