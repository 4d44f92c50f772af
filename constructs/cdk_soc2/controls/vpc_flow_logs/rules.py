"""Control 5 in a template: every VPC that is deployed has its traffic recorded."""

from __future__ import annotations

from cdk_soc2.claims import sets_account
from cdk_soc2.control import Observed
from cdk_soc2.controls.vpc_flow_logs.control import VPC_FLOW_LOGS
from cdk_soc2.template import Resource

FLOW_LOG = "AWS::EC2::FlowLog"


@VPC_FLOW_LOGS.rule_for(
    "AWS::EC2::VPC", fix="Add a flow log of the VPC; in the CDK, vpc.add_flow_log(...)."
)
def vpc_has_flow_log(vpc: Resource) -> Observed:
    """A VPC has a flow log of all traffic in the same deployment, its own or the account's."""
    logs = vpc.template.everywhere(FLOW_LOG) if vpc.template else ()
    for log in logs:
        if log.value("ResourceType") != "VPC" or log.value("TrafficType") != "ALL":
            continue
        if log.template and log.template.refers(log.properties.get("ResourceId"), vpc):
            return vpc.seen(True, f"recorded by {log.id}")
    ok = sets_account(vpc, VPC_FLOW_LOGS.key)
    told = "recorded with every other VPC of the account" if ok else "no flow log of all traffic"
    return vpc.seen(ok, told)


@VPC_FLOW_LOGS.rule_for(FLOW_LOG, fix="Set TrafficType to ALL.")
def flow_log_records_all_traffic(log: Resource) -> Observed | None:
    """A flow log of a VPC records all traffic, not only what was accepted or rejected."""
    if log.value("ResourceType") != "VPC":
        return None
    traffic = log.value("TrafficType")
    return log.seen(traffic == "ALL", f"records {traffic}", "TrafficType")
