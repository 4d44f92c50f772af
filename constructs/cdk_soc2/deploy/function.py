"""Our Lambda functions: what they have in common."""

# The CDK's classes name parameters otherwise than its interfaces do; jsii checks arguments itself.
# pyright: reportArgumentType=false
from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk_soc2.deploy.bundle import code_sha256
from cdk_soc2.deploy.checkov import skip_checkov

ENCRYPTED = {
    "CKV_AWS_158": "CloudWatch Logs encrypts every group; with a key of the account's, whoever ends the "
    "key ends the log, and these lines hold names and numbers of requests, no customer's data."
}
ON_ITS_OWN = {
    "CKV_AWS_115": "Reserved concurrency is taken from the account's, of which a new one has ten: the "
    "deployment would fail there. Nothing but one schedule and CloudFormation calls the function.",
    "CKV_AWS_116": "A run that failed is not lost: the collector's goes to its on-failure destination, "
    "which an alarm watches; of the settings' CloudFormation is told, and rolls back.",
    "CKV_AWS_117": "It talks to AWS's public APIs alone, with its role. In a VPC that takes NAT or some "
    "ten endpoints a region, and what it looks at could cut it off.",
}
NAMES_ONLY = {
    "CKV_AWS_173": "The variables are a bucket's name and two ARNs, which the template shows as well; "
    "Lambda encrypts them with its own key."
}


def python_function(
    scope: Construct,
    *,
    zip_file: bytes,
    role: iam.Role,
    description: str,
    memory_size: int,
    timeout: cdk.Duration,
    environment: Mapping[str, str] | None = None,
) -> lambda_.Function:
    """The function of *scope*, running *zip_file*, and its log, which outlives the stack.

    *role* is let write to that log group alone. The asset's hash is that of the bytes, so that an
    unchanged function is not deployed again.
    """
    log_group = logs.LogGroup(
        scope,
        "Log",
        retention=logs.RetentionDays.TWO_YEARS,
        removal_policy=cdk.RemovalPolicy.RETAIN,
    )
    skip_checkov(log_group, ENCRYPTED)
    log_group.grant_write(role)
    digest = code_sha256(zip_file)
    with tempfile.TemporaryDirectory() as folder:  # the CDK copies when the function is made
        path = Path(folder) / f"{digest}.zip"
        path.write_bytes(zip_file)
        function = lambda_.Function(
            scope,
            "Function",
            description=description,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            handler="handler.lambda_handler",
            code=lambda_.Code.from_asset(str(path), asset_hash=digest),
            role=role,
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
            memory_size=memory_size,
            timeout=timeout,
            environment=environment,
        )
    skip_checkov(function, ON_ITS_OWN | (NAMES_ONLY if environment else {}))
    cdk.Validations.of(function).acknowledge(
        cdk.Acknowledgment(
            id="AwsSolutions::AwsSolutions-L1",
            reason="Python 3.13 is a supported runtime with security updates, and the one these "
            "functions are tested on; a newer one is taken with a release, after its tests.",
        )
    )
    return function
