"""Synthesizes the account's controls; `cdk deploy` makes them real.

Context (`-c name=value`): boundary (a file; boundary.yaml in this folder, if there is one),
alert_emails (set apart by commas), break_glass_role_arn, termination_protection (false, to be able
to delete the stack).
"""

from pathlib import Path

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from cdk_soc2.boundary import Boundary, load
from cdk_soc2.constructs import Soc2Guard
from stacks.compliance import ComplianceStack

app = cdk.App()
boundary = app.node.try_get_context("boundary") or next(Path().glob("boundary.yaml"), None)
ComplianceStack(
    app,
    "Compliance",
    boundary=load(boundary) if boundary else Boundary(),
    alert_emails=(app.node.try_get_context("alert_emails") or "").replace(",", " ").split(),
    break_glass_role_arn=app.node.try_get_context("break_glass_role_arn"),
    termination_protection=app.node.try_get_context("termination_protection") != "false",
)
Soc2Guard.add_to(app)
cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
app.synth()
