"""EC2 lists of what cannot be made in this emulator, and of which there are therefore none.

A stub: the lists are constants; only their permission check is real.
"""

from collections.abc import Callable

from emulator.answers import Answer
from ministack.services import ec2

_LISTS = {
    "DescribeCarrierGateways": "carrierGatewaySet",
    "DescribeClientVpnEndpoints": "clientVpnEndpoint",
    "DescribeClientVpnTargetNetworks": "clientVpnTargetNetworks",
    "DescribeTransitGatewayPeeringAttachments": "transitGatewayPeeringAttachments",
    "DescribeVpcEndpointConnections": "vpcEndpointConnectionSet",
    "DescribeVpcEndpointServiceConfigurations": "serviceConfigurationSet",
    "DescribeVpcEndpointServicePermissions": "allowedPrincipals",
}


def install() -> None:
    ec2._ACTION_MAP |= {operation: _empty(operation, name) for operation, name in _LISTS.items()}


def _empty(operation: str, element: str) -> Callable[[object], Answer]:
    return lambda _request: ec2._xml(200, f"{operation}Response", f"<{element}/>")
