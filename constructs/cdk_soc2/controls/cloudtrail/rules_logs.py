"""Control 3 in a template: what faces users, and what runs their work, leaves a record, kept so long."""

from __future__ import annotations

from cdk_soc2.control import Observed
from cdk_soc2.controls.cloudtrail.control import CLOUDTRAIL
from cdk_soc2.intrinsics import mentions
from cdk_soc2.template import Resource

RECORD = ("CC7.2", "CC7.3")


@CLOUDTRAIL.rule_for(
    "AWS::Logs::LogGroup",
    fix="Set RetentionInDays, to at least the audit's period; in the CDK, retention=...",
    criteria=("CC7.2", "C1.2"),
)
def log_group_has_retention(group: Resource) -> Observed:
    """A log group says how long it keeps its entries."""
    return group.given("RetentionInDays")


@CLOUDTRAIL.rule_for(
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    fix="Set the attributes access_logs.s3.enabled to true and access_logs.s3.bucket.",
    criteria=RECORD,
)
def load_balancer_has_access_log(balancer: Resource) -> Observed | None:
    """A load balancer writes access logs."""
    if balancer.value("Type") == "gateway":
        return None  # it sees packets only, and has no access log
    attributes = [balancer.part(a) for a in balancer.nodes("LoadBalancerAttributes")]
    on = [
        a for a in attributes if a.value("Key") == "access_logs.s3.enabled" and a.is_true("Value")
    ]
    told = f"access log {'on' if on else 'off'}"
    return balancer.seen(bool(on), told, "LoadBalancerAttributes")


@CLOUDTRAIL.rule_for(
    "AWS::ElasticLoadBalancing::LoadBalancer",
    fix="Set AccessLoggingPolicy.Enabled to true.",
    criteria=RECORD,
)
def classic_load_balancer_has_access_log(balancer: Resource) -> Observed:
    """A classic load balancer writes access logs."""
    return balancer.true("AccessLoggingPolicy.Enabled")


@CLOUDTRAIL.rule_for(
    "AWS::CloudFront::Distribution",
    fix="Set DistributionConfig.Logging.Bucket, or deliver its logs (AWS::Logs::DeliverySource).",
    criteria=RECORD,
)
def distribution_has_access_log(distribution: Resource) -> Observed:
    """A distribution writes access logs, by itself or by a delivery in the same deployment."""
    path = "DistributionConfig.Logging.Bucket"
    if distribution.has(path):
        return distribution.given(path)
    sources = (
        distribution.template.everywhere("AWS::Logs::DeliverySource")
        if distribution.template
        else ()
    )
    delivered = any(mentions(s.properties, distribution.id) for s in sources)
    return distribution.seen(delivered, f"{'' if delivered else 'not '}delivered", path)


@CLOUDTRAIL.rule_for(
    "AWS::ApiGateway::Stage",
    "AWS::ApiGatewayV2::Stage",
    fix="Set the access log's DestinationArn (AccessLogSetting, in version 2 AccessLogSettings).",
    criteria=RECORD,
)
def api_stage_has_access_log(stage: Resource) -> Observed | None:
    """A stage of an API writes access logs."""
    two = stage.type == "AWS::ApiGatewayV2::Stage"
    if two and _is_websocket(stage):
        return None
    return stage.given(f"AccessLogSetting{'s' if two else ''}.DestinationArn")


def _is_websocket(stage: Resource) -> bool:
    found = stage.template.target(stage.properties.get("ApiId")) if stage.template else None
    api = found[0].find(found[1]) if found else None
    return api is not None and api.properties.get("ProtocolType") == "WEBSOCKET"


@CLOUDTRAIL.rule_for(
    "AWS::EKS::Cluster",
    fix="Enable the log types api, audit and authenticator in Logging.ClusterLogging.",
    criteria=RECORD,
)
def kubernetes_has_audit_log(cluster: Resource) -> Observed:
    """A Kubernetes cluster writes its audit log."""
    path = "Logging.ClusterLogging.EnabledTypes"
    kinds = [kind.get("Type") for kind in cluster.nodes(path)]
    return cluster.seen("audit" in kinds, f"logs {', '.join(map(str, kinds)) or 'nothing'}", path)


@CLOUDTRAIL.rule_for(
    "AWS::ECS::TaskDefinition",
    fix="Give every container a LogConfiguration; in the CDK, logging=ecs.LogDrivers.aws_logs(...).",
    criteria=RECORD,
)
def container_has_log(task: Resource) -> Observed | None:
    """Every container of a task writes a log."""
    containers = task.nodes("ContainerDefinitions")
    silent = [str(c.get("Name")) for c in containers if not c.get("LogConfiguration")]
    told = f"no log of {', '.join(silent)}" if silent else "every container has a log"
    return task.seen(not silent, told, "ContainerDefinitions") if containers else None


@CLOUDTRAIL.rule_for(
    "AWS::Redshift::Cluster",
    fix="Set LoggingProperties with a bucket, or with the log destination CloudWatch.",
    criteria=RECORD,
)
def warehouse_has_audit_log(cluster: Resource) -> Observed:
    """A Redshift cluster writes its audit log."""
    return cluster.given("LoggingProperties")
