"""Control 0 in a template: no database and no control plane stands on the internet."""

from __future__ import annotations

from cdk_soc2.control import Observed
from cdk_soc2.controls.boundary.control import BOUNDARY
from cdk_soc2.documents import texts
from cdk_soc2.template import Resource

EXPOSURE = ("CC6.1", "CC6.6")
WORLD = {"0.0.0.0/0", "::/0"}
BY_DEFAULT = {"AWS::DMS::ReplicationInstance": True}  # CloudFormation's own, where it is not false


@BOUNDARY.rule_for(
    "AWS::RDS::DBInstance",
    "AWS::RDS::DBCluster",
    "AWS::Redshift::Cluster",
    "AWS::RedshiftServerless::Workgroup",
    "AWS::DMS::ReplicationInstance",
    "AWS::AmazonMQ::Broker",
    "AWS::Neptune::DBInstance",
    fix="Set PubliclyAccessible to false; reach it from within the VPC.",
    criteria=EXPOSURE,
)
def database_is_not_public(database: Resource) -> Observed:
    """A database or a broker has no public address."""
    if database.value("PubliclyAccessible") is not None:
        public = database.is_true("PubliclyAccessible")
        told = f"{'a' if public else 'no'} public address"
        return database.seen(not public, told, "PubliclyAccessible")
    if BY_DEFAULT.get(database.type):
        return database.seen(False, "public, as it is by default", "PubliclyAccessible")
    # RDS makes an instance public by default where it has no subnet group: in the default VPC.
    alone = database.type == "AWS::RDS::DBInstance" and not any(
        database.has(name) for name in ("DBSubnetGroupName", "DBClusterIdentifier")
    )
    if alone:
        told = "not said; without a subnet group RDS makes it public"
        return database.seen(False, told, "PubliclyAccessible")
    return database.seen(True, "not public, as it is by default", "PubliclyAccessible")


@BOUNDARY.rule_for(
    "AWS::OpenSearchService::Domain",
    "AWS::Elasticsearch::Domain",
    fix="Give it VPCOptions with subnets of yours.",
    criteria=EXPOSURE,
)
def search_domain_is_in_vpc(domain: Resource) -> Observed:
    """A search domain is in a VPC, not on the internet."""
    return domain.given("VPCOptions.SubnetIds")


@BOUNDARY.rule_for(
    "AWS::MSK::Cluster",
    fix="Set ConnectivityInfo.PublicAccess.Type to DISABLED.",
    criteria=EXPOSURE,
)
def kafka_is_not_public(cluster: Resource) -> Observed:
    """A Kafka cluster's brokers have no public address."""
    path = "BrokerNodeGroupInfo.ConnectivityInfo.PublicAccess.Type"
    said = cluster.value(path) or "DISABLED, by default"
    return cluster.seen(str(said).startswith("DISABLED"), f"public access is {said}", path)


@BOUNDARY.rule_for(
    "AWS::EKS::Cluster",
    fix="Set EndpointPublicAccess to false, or name in PublicAccessCidrs who may reach it.",
    criteria=EXPOSURE,
)
def kubernetes_endpoint_is_not_open(cluster: Resource) -> Observed:
    """A Kubernetes cluster's endpoint is private, or open to named networks only."""
    path = "ResourcesVpcConfig.EndpointPublicAccess"
    if cluster.value(path) is not None and not cluster.is_true(path):
        return cluster.seen(True, "private", path)
    listed = texts(cluster.value("ResourcesVpcConfig.PublicAccessCidrs"))
    ok = bool(listed) and not WORLD & set(listed)
    return cluster.seen(ok, f"open to {', '.join(listed) or 'the world, by default'}", path)


@BOUNDARY.rule_for(
    "AWS::EC2::VPCEndpointServicePermissions",
    fix="Name the accounts in AllowedPrincipals.",
    criteria=EXPOSURE,
)
def endpoint_service_names_its_users(permissions: Resource) -> Observed:
    """A PrivateLink service is offered to named accounts, not to everybody."""
    ok = "*" not in texts(permissions.value("AllowedPrincipals"))
    return permissions.seen(ok, f"{'not ' if ok else ''}offered to everybody", "AllowedPrincipals")


@BOUNDARY.rule_for(
    "AWS::Lambda::Url",
    fix="Set AuthType to AWS_IAM, or put an API with an authorizer before it.",
    criteria=EXPOSURE,
)
def function_url_asks_who_calls(url: Resource) -> Observed:
    """A function's own address asks who calls."""
    kind = url.value("AuthType")
    return url.seen(kind == "AWS_IAM", f"AuthType is {kind}", "AuthType")
