"""Transit gateways and their VPC attachments, which ministack lacks: a way into a VPC to look for.

A stub: gateways and attachments are kept and shown; nothing is routed through them, and there are
no route tables, peerings, or shared gateways.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from emulator.answers import Answer, Scope, scope
from ministack.services import ec2

_gateways: dict[Scope, dict[str, str]] = {}
_attachments: dict[Scope, dict[str, dict[str, Any]]] = {}


def install() -> None:
    ec2._ACTION_MAP |= {
        "CreateTransitGateway": _create_gateway,
        "DeleteTransitGateway": _delete_gateway,
        "DescribeTransitGateways": _describe_gateways,
        "CreateTransitGatewayVpcAttachment": _create_attachment,
        "DeleteTransitGatewayVpcAttachment": _delete_attachment,
        "DescribeTransitGatewayAttachments": _describe_attachments,
        "DescribeTransitGatewayVpcAttachments": _describe_vpc_attachments,
    }


def _new(kind: str) -> str:
    return f"{kind}-{uuid.uuid4().hex[:17]}"


def _create_gateway(request: Mapping[str, object]) -> Answer:
    made = _new("tgw")
    _gateways.setdefault(scope(), {})[made] = "available"
    ec2._parse_tag_specs(request, "transit-gateway", made)
    element = f"<transitGateway>{_gateway(made, 'available')}</transitGateway>"
    return ec2._xml(200, "CreateTransitGatewayResponse", element)


def _delete_gateway(request: Mapping[str, object]) -> Answer:
    gone = ec2._p(request, "TransitGatewayId")
    if gone not in _gateways.get(scope(), {}):
        message = f"Transit Gateway {gone} was not found"
        return ec2._error("InvalidTransitGatewayID.NotFound", message, 400)
    del _gateways[scope()][gone]
    element = f"<transitGateway>{_gateway(gone, 'deleting')}</transitGateway>"
    return ec2._xml(200, "DeleteTransitGatewayResponse", element)


def _describe_gateways(request: Mapping[str, object]) -> Answer:
    wanted = ec2._parse_member_list(request, "TransitGatewayIds")
    items = "".join(
        f"<item>{_gateway(one, state)}</item>"
        for one, state in _gateways.get(scope(), {}).items()
        if not wanted or one in wanted
    )
    element = f"<transitGatewaySet>{items}</transitGatewaySet>"
    return ec2._xml(200, "DescribeTransitGatewaysResponse", element)


def _gateway(identity: str, state: str) -> str:
    account, region = scope()
    arn = f"arn:aws:ec2:{region}:{account}:transit-gateway/{identity}"
    return (
        f"<transitGatewayId>{identity}</transitGatewayId><transitGatewayArn>{arn}"
        f"</transitGatewayArn><state>{state}</state><ownerId>{account}</ownerId>"
        f"{ec2._tag_set_xml(identity)}"
    )


def _create_attachment(request: Mapping[str, object]) -> Answer:
    made = _new("tgw-attach")
    record = {
        "gateway": ec2._p(request, "TransitGatewayId"),
        "vpc": ec2._p(request, "VpcId"),
        "subnets": ec2._parse_member_list(request, "SubnetIds"),
    }
    _attachments.setdefault(scope(), {})[made] = record
    ec2._parse_tag_specs(request, "transit-gateway-attachment", made)
    element = f"<transitGatewayVpcAttachment>{_vpc_attachment(made, record)}"
    return ec2._xml(
        200, "CreateTransitGatewayVpcAttachmentResponse", f"{element}</transitGatewayVpcAttachment>"
    )


def _delete_attachment(request: Mapping[str, object]) -> Answer:
    gone = ec2._p(request, "TransitGatewayAttachmentId")
    record = _attachments.get(scope(), {}).pop(gone, None)
    if record is None:
        message = f"Transit Gateway Attachment {gone} was not found"
        return ec2._error("InvalidTransitGatewayAttachmentID.NotFound", message, 400)
    element = f"<transitGatewayVpcAttachment>{_vpc_attachment(gone, record)}"
    return ec2._xml(
        200, "DeleteTransitGatewayVpcAttachmentResponse", f"{element}</transitGatewayVpcAttachment>"
    )


def _describe_vpc_attachments(request: Mapping[str, object]) -> Answer:
    items = "".join(
        f"<item>{_vpc_attachment(identity, record)}</item>" for identity, record in _chosen(request)
    )
    element = f"<transitGatewayVpcAttachments>{items}</transitGatewayVpcAttachments>"
    return ec2._xml(200, "DescribeTransitGatewayVpcAttachmentsResponse", element)


def _describe_attachments(request: Mapping[str, object]) -> Answer:
    account = scope().account
    items = "".join(
        f"<item>{_common(identity, record)}<resourceType>vpc</resourceType>"
        f"<resourceId>{record['vpc']}</resourceId><resourceOwnerId>{account}</resourceOwnerId>"
        f"<transitGatewayOwnerId>{account}</transitGatewayOwnerId></item>"
        for identity, record in _chosen(request)
    )
    element = f"<transitGatewayAttachments>{items}</transitGatewayAttachments>"
    return ec2._xml(200, "DescribeTransitGatewayAttachmentsResponse", element)


def _chosen(request: Mapping[str, object]) -> list[tuple[str, dict[str, Any]]]:
    wanted = ec2._parse_member_list(request, "TransitGatewayAttachmentIds")
    filters = ec2._parse_filters(request)
    return [
        (identity, record)
        for identity, record in _attachments.get(scope(), {}).items()
        if (not wanted or identity in wanted)
        and record["vpc"] in filters.get("resource-id", [record["vpc"]])
        and record["vpc"] in filters.get("vpc-id", [record["vpc"]])
        and "vpc" in filters.get("resource-type", ["vpc"])
        and "available" in filters.get("state", ["available"])
    ]


def _common(identity: str, record: dict[str, Any]) -> str:
    return (
        f"<transitGatewayAttachmentId>{identity}</transitGatewayAttachmentId>"
        f"<transitGatewayId>{record['gateway']}</transitGatewayId><state>available</state>"
        f"{ec2._tag_set_xml(identity)}"
    )


def _vpc_attachment(identity: str, record: dict[str, Any]) -> str:
    subnets = "".join(f"<item>{subnet}</item>" for subnet in record["subnets"])
    return (
        f"{_common(identity, record)}<vpcId>{record['vpc']}</vpcId>"
        f"<vpcOwnerId>{scope().account}</vpcOwnerId><subnetIds>{subnets}</subnetIds>"
    )
