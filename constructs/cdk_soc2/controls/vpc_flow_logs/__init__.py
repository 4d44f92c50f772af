"""Control 5: VPC flow logs."""

from cdk_soc2.controls.vpc_flow_logs.control import VPC_FLOW_LOGS as VPC_FLOW_LOGS
