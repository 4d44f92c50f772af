"""A VPC of three tiers, in the midst of networks that are not production."""

import aws_cdk as cdk

from cdk_soc2.constructs import FlowLogs, SegmentedVpc, Soc2Guard

app = cdk.App()
stack = cdk.Stack(app, "Network")
network = SegmentedVpc(
    stack,
    "Production",
    cidr="10.1.0.0/16",
    non_production_cidrs=["10.0.0.0/8", "192.168.0.0/16", "fd00::/8"],
    nat_gateways=1,
)
FlowLogs(stack, "FlowLogs", vpcs=[network.vpc])
Soc2Guard.add_to(app)
app.synth()
