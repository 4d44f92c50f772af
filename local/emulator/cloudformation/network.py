"""EC2's network types: addresses, NAT gateways, network ACLs, flow logs, peering."""

from emulator.cloudformation.resource_type import (
    Created,
    Properties,
    ResourceType,
    arguments,
    client,
    tagged,
    without,
)


def create_address(_logical: str, properties: Properties, _stack: str) -> Created:
    api = client("ec2")
    made = api.allocate_address(
        **arguments(api, "AllocateAddress", without(properties, "Tags"), Domain="vpc"),
        **tagged(properties, "elastic-ip"),
    )
    return made["PublicIp"], {key: made[key] for key in ("AllocationId", "PublicIp")}


def delete_address(physical: str, _properties: Properties) -> None:
    api = client("ec2")
    for address in api.describe_addresses(PublicIps=[physical])["Addresses"]:
        if address["PublicIp"] == physical:
            api.release_address(AllocationId=address["AllocationId"])


def create_nat_gateway(_logical: str, properties: Properties, _stack: str) -> Created:
    api = client("ec2")
    made = api.create_nat_gateway(
        **arguments(api, "CreateNatGateway", without(properties, "Tags")),
        **tagged(properties, "natgateway"),
    )["NatGateway"]["NatGatewayId"]
    return made, {"NatGatewayId": made}


def delete_nat_gateway(physical: str, _properties: Properties) -> None:
    client("ec2").delete_nat_gateway(NatGatewayId=physical)


def create_acl(_logical: str, properties: Properties, _stack: str) -> Created:
    made = client("ec2").create_network_acl(
        VpcId=properties["VpcId"], **tagged(properties, "network-acl")
    )["NetworkAcl"]["NetworkAclId"]
    return made, {"Id": made}


def delete_acl(physical: str, _properties: Properties) -> None:
    client("ec2").delete_network_acl(NetworkAclId=physical)


_ENTRY_NAMES = {"Icmp": "IcmpTypeCode"}


def _entry(properties: Properties) -> dict[str, object]:
    named = {_ENTRY_NAMES.get(name, name): value for name, value in properties.items()}
    return {"Egress": False} | named


def create_acl_entry(_logical: str, properties: Properties, _stack: str) -> Created:
    api = client("ec2")
    api.create_network_acl_entry(**arguments(api, "CreateNetworkAclEntry", _entry(properties)))
    direction = "egress" if _entry(properties)["Egress"] else "ingress"
    number = properties["RuleNumber"]
    return f"{properties['NetworkAclId']}|{direction}|{number}", {}


def update_acl_entry(physical: str, _old: Properties, new: Properties) -> Created:
    api = client("ec2")
    api.replace_network_acl_entry(**arguments(api, "ReplaceNetworkAclEntry", _entry(new)))
    return physical, {}


def delete_acl_entry(_physical: str, properties: Properties) -> None:
    api = client("ec2")
    named = {key: _entry(properties)[key] for key in ("NetworkAclId", "RuleNumber", "Egress")}
    api.delete_network_acl_entry(**arguments(api, "DeleteNetworkAclEntry", named))


def create_acl_association(_logical: str, properties: Properties, _stack: str) -> Created:
    made = _move_subnet(properties["SubnetId"], properties["NetworkAclId"])
    return made, {"AssociationId": made}


def delete_acl_association(_physical: str, properties: Properties) -> None:
    """The subnet falls back to its VPC's default ACL."""
    api = client("ec2")
    [subnet] = api.describe_subnets(SubnetIds=[properties["SubnetId"]])["Subnets"]
    [default] = api.describe_network_acls(
        Filters=[
            {"Name": "vpc-id", "Values": [subnet["VpcId"]]},
            {"Name": "default", "Values": ["true"]},
        ]
    )["NetworkAcls"]
    _move_subnet(properties["SubnetId"], default["NetworkAclId"])


def _move_subnet(subnet: str, acl: str) -> str:
    api = client("ec2")
    [current] = api.describe_network_acls(
        Filters=[{"Name": "association.subnet-id", "Values": [subnet]}]
    )["NetworkAcls"]
    [association] = [one for one in current["Associations"] if one["SubnetId"] == subnet]
    moved = api.replace_network_acl_association(
        AssociationId=association["NetworkAclAssociationId"], NetworkAclId=acl
    )
    return str(moved["NewAssociationId"])


def create_flow_log(_logical: str, properties: Properties, _stack: str) -> Created:
    api = client("ec2")
    made = api.create_flow_logs(
        **arguments(api, "CreateFlowLogs", without(properties, "ResourceId", "Tags")),
        ResourceIds=[properties["ResourceId"]],
        **tagged(properties, "vpc-flow-log"),
    )["FlowLogIds"][0]
    return made, {"Id": made}


def delete_flow_log(physical: str, _properties: Properties) -> None:
    client("ec2").delete_flow_logs(FlowLogIds=[physical])


def create_peering(_logical: str, properties: Properties, _stack: str) -> Created:
    api = client("ec2")
    made = api.create_vpc_peering_connection(
        **arguments(api, "CreateVpcPeeringConnection", without(properties, "Tags", "PeerRoleArn")),
        **tagged(properties, "vpc-peering-connection"),
    )["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    if not properties.get("PeerOwnerId"):
        api.accept_vpc_peering_connection(VpcPeeringConnectionId=made)
    return made, {"Id": made}


def delete_peering(physical: str, _properties: Properties) -> None:
    client("ec2").delete_vpc_peering_connection(VpcPeeringConnectionId=physical)


TYPES = (
    ResourceType("AWS::EC2::EIP", create_address, delete_address),
    ResourceType("AWS::EC2::NatGateway", create_nat_gateway, delete_nat_gateway),
    ResourceType("AWS::EC2::NetworkAcl", create_acl, delete_acl),
    ResourceType(
        "AWS::EC2::NetworkAclEntry",
        create_acl_entry,
        delete_acl_entry,
        update_acl_entry,
        replaced_by=("NetworkAclId", "RuleNumber", "Egress"),
    ),
    ResourceType(
        "AWS::EC2::SubnetNetworkAclAssociation", create_acl_association, delete_acl_association
    ),
    ResourceType("AWS::EC2::FlowLog", create_flow_log, delete_flow_log),
    ResourceType("AWS::EC2::VPCPeeringConnection", create_peering, delete_peering),
)
