"""An AWS account in which every automated check passes, made of each control's own good state."""

from __future__ import annotations

from typing import Any

from tests.aws import api, refused
from tests.controls import (
    test_access_reviews,
    test_backup_verification,
    test_boundary,
    test_cloudtrail,
    test_ebs_encryption,
    test_evidence,
    test_guardduty,
    test_image_scanning,
    test_incident_response,
    test_infrastructure_as_code,
    test_mfa,
    test_s3_block_public_access,
    test_secrets_manager,
    test_vpc_flow_logs,
)
from tests.controls.test_evidence import POLICY, TLS, policy
from tests.fakes import ACCOUNT, Absent

ARN = f"arn:aws:sts::{ACCOUNT}:assumed-role/collector/run"
VPC = {**test_vpc_flow_logs.VPC, **test_boundary.vpc(test_vpc_flow_logs.VPC["VpcId"])}
STATES: tuple[dict[tuple[str, ...], Any], ...] = (
    test_cloudtrail.STATES["good"][0],
    test_guardduty.STATES["good"][0],
    test_mfa.state(
        test_mfa.ROOT,
        test_mfa.row("bot", keys=(("true", test_mfa.ago(5)), ("false", "N/A"))),
    ),
    test_s3_block_public_access.STATES["good"][0],
    test_boundary.state(vpcs=[VPC]),
    test_vpc_flow_logs.state(test_vpc_flow_logs.LOG, vpcs=(VPC,)),
    test_ebs_encryption.state(
        volumes=(test_ebs_encryption.volume(),), instances=(test_ebs_encryption.instance(),)
    ),
    test_secrets_manager.STATES["good"][0],
    test_image_scanning.STATES["good"][0],
    test_backup_verification.STATES["good"][0],
    test_infrastructure_as_code.STATES["good"][0],
    test_incident_response.STATES["good"][0],
    test_access_reviews.STATES["good"][0],
    test_evidence.GOOD,
)


def for_session(state: dict[tuple[str, ...], Any]) -> dict[tuple[str, ...], Any]:
    """A control's table as a session's: it asks by service and operation alone."""
    return {
        key[:2]: refused(answer.code, api(key[1])) if isinstance(answer, Absent) else answer
        for key, answer in state.items()
    }


ACCOUNT_STATE: dict[tuple[str, ...], Any] = {
    ("sts", "get_caller_identity"): {"Account": ACCOUNT, "Arn": ARN},
    ("ec2", "describe_regions"): {
        "Regions": [{"RegionName": "us-east-1"}, {"RegionName": "eu-west-1"}]
    },
    **{key: answer for state in STATES for key, answer in for_session(state).items()},
    POLICY: policy({**TLS, "Resource": ["arn:aws:s3:::memory", "arn:aws:s3:::memory/*"]}),
}
