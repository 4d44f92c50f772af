"""EC2's transit gateways and their attachments."""

from emulator.cloudformation.resource_type import (
    Created,
    Properties,
    ResourceType,
    arguments,
    client,
    tagged,
    without,
)


def create_gateway(_logical: str, properties: Properties, _stack: str) -> Created:
    made = client("ec2").create_transit_gateway(**tagged(properties, "transit-gateway"))[
        "TransitGateway"
    ]["TransitGatewayId"]
    return made, {"Id": made}


def delete_gateway(physical: str, _properties: Properties) -> None:
    client("ec2").delete_transit_gateway(TransitGatewayId=physical)


def create_attachment(_logical: str, properties: Properties, _stack: str) -> Created:
    api = client("ec2")
    made = api.create_transit_gateway_vpc_attachment(
        **arguments(api, "CreateTransitGatewayVpcAttachment", without(properties, "Tags")),
        **tagged(properties, "transit-gateway-attachment"),
    )["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"]
    return made, {"Id": made}


def delete_attachment(physical: str, _properties: Properties) -> None:
    client("ec2").delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=physical)


TYPES = (
    ResourceType("AWS::EC2::TransitGateway", create_gateway, delete_gateway),
    ResourceType("AWS::EC2::TransitGatewayAttachment", create_attachment, delete_attachment),
    ResourceType("AWS::EC2::TransitGatewayVpcAttachment", create_attachment, delete_attachment),
)
