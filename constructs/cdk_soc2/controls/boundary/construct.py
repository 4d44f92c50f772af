"""Networks that non-production cannot enter."""

# The CDK's classes name parameters otherwise than its interfaces do; jsii checks arguments itself.
# pyright: reportArgumentType=false
from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from cdk_soc2.controls.boundary import setting
from cdk_soc2.controls.boundary.control import BOUNDARY
from cdk_soc2.controls.boundary.tiers import HTTPS, QUOTA, cidr, is_ipv6, not_production
from cdk_soc2.deploy.claim import claim
from cdk_soc2.deploy.segmented_nacls import SegmentedNacls
from cdk_soc2.deploy.settings import AccountSetting

Endpoint = ec2.GatewayVpcEndpointAwsService | ec2.InterfaceVpcEndpointAwsService


class SegmentedVpc(Construct):
    """A VPC that non-production networks cannot enter.

    Public subnets take HTTPS from the internet. Private ones, made when there is NAT or an endpoint,
    reach out and are reached from within the VPC only; isolated ones speak to nothing else. The
    default security group is closed. Flow logs are another construct's.

    :param cidr: the VPC's block, /16 to /28.
    :param non_production_cidrs: as for :class:`SegmentedNacls`.
    :param max_azs: at most so many availability zones; two in a stack without a region of its own.
    :param nat_gateways: for the private tier to reach the internet; AWS bills each by the hour.
    :param endpoints: AWS services to reach from the private tier without the internet, such as
        ``ec2.GatewayVpcEndpointAwsService.S3``.
    :param ipv6: with a block of IPv6 from Amazon, too. Without it, no IPv6 packet is admitted.
    :param public_ports: the TCP ports that the internet may come in on; add 80 to redirect from it.
    :raises ValueError: as for :class:`SegmentedNacls`.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        cidr: str,
        non_production_cidrs: Sequence[str],
        max_azs: int = 2,
        nat_gateways: int = 0,
        endpoints: Sequence[Endpoint] = (),
        ipv6: bool = False,
        public_ports: Sequence[int] = (HTTPS,),
        rule_quota: int = QUOTA,
    ) -> None:
        super().__init__(scope, id)
        _check_vpc(cidr, non_production_cidrs)
        isolated = ec2.SubnetType.PRIVATE_ISOLATED
        tiers = {"public": ec2.SubnetType.PUBLIC, "isolated": isolated}
        if nat_gateways or endpoints:
            tiers["private"] = ec2.SubnetType.PRIVATE_WITH_EGRESS if nat_gateways else isolated
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(cidr),
            ip_protocol=ec2.IpProtocol.DUAL_STACK if ipv6 else ec2.IpProtocol.IPV4_ONLY,
            max_azs=max_azs,
            nat_gateways=nat_gateways,
            # The CDK's own way needs a function in JavaScript, whose role may open groups, too.
            restrict_default_security_group=False,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name=name,
                    subnet_type=kind,
                    map_public_ip_on_launch=False if kind is ec2.SubnetType.PUBLIC else None,
                )
                for name, kind in tiers.items()
            ],
        )
        subnets = {name: self.vpc.select_subnets(subnet_group_name=name).subnets for name in tiers}
        self.public_subnets = subnets["public"]
        self.private_subnets = subnets.get("private", [])
        self.isolated_subnets = subnets["isolated"]
        self._reach(endpoints, cidr)
        self.nacls = SegmentedNacls(
            self,
            "Nacls",
            vpc=self.vpc,
            non_production_cidrs=non_production_cidrs,
            own_cidrs=[cidr, *([cdk.Fn.select(0, self.vpc.vpc_ipv6_cidr_blocks)] if ipv6 else [])],
            public=self.public_subnets,
            private=self.private_subnets,
            isolated=self.isolated_subnets,
            public_ports=public_ports,
            private_reaches_out=nat_gateways > 0 or any(map(_is_gateway, endpoints)),
            rule_quota=rule_quota,
        )
        groups = cdk.Stack.of(self).format_arn(
            service="ec2", resource="security-group", resource_name="*"
        )
        self.default_group = AccountSetting(
            self,
            "DefaultGroup",
            control=BOUNDARY,
            setting=setting,
            wanted={"Vpc": self.vpc.vpc_id},
            narrowed={action: [groups] for action in setting.REVOKE},
        )
        cdk.Validations.of(self.vpc).acknowledge(
            cdk.Acknowledgment(
                id="AwsSolutions::AwsSolutions-VPC7",
                reason="Flow logs are a control of their own, with its own construct and check: "
                "vpc_flow_logs finds every VPC without one, this one too.",
            )
        )
        claim(self, BOUNDARY)

    def _reach(self, endpoints: Sequence[Endpoint], cidr: str) -> None:
        private = ec2.SubnetSelection(subnets=self.private_subnets)
        group: ec2.SecurityGroup | None = None
        for n, service in enumerate(endpoints):
            if isinstance(service, ec2.GatewayVpcEndpointAwsService):
                self.vpc.add_gateway_endpoint(f"Gateway{n}", service=service, subnets=[private])
                continue
            if group is None:
                group = self._endpoint_group(cidr)
            self.vpc.add_interface_endpoint(
                f"Interface{n}",
                service=service,
                subnets=private,
                security_groups=[group],
                open=False,
            )

    def _endpoint_group(self, cidr: str) -> ec2.SecurityGroup:
        """Names the VPC by its literal block, which others can check before the deploy."""
        group = ec2.SecurityGroup(
            self,
            "Endpoints",
            vpc=self.vpc,
            description="HTTPS from this VPC to AWS services",
            allow_all_outbound=False,
        )
        group.add_ingress_rule(ec2.Peer.ipv4(cidr), ec2.Port.tcp(HTTPS), "HTTPS from this VPC")
        return group


def _check_vpc(value: str, non_production_cidrs: Sequence[str]) -> None:
    """Before anything is made, so that the error is ours, and tells what to do."""
    block = cidr(value, "cidr")
    if is_ipv6(value) or not 16 <= block.prefixlen <= 28:
        raise ValueError(
            f"cidr: {value!r} is not an IPv4 block from /16 to /28, as EC2 wants for a VPC"
        )
    not_production(non_production_cidrs, [block])


def _is_gateway(service: Endpoint) -> bool:
    return isinstance(service, ec2.GatewayVpcEndpointAwsService)
