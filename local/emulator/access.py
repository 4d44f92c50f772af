"""IAM's decisions where ministack's differ from AWS's: condition keys, resources, one more check.

A stub: aws:SecureTransport is always true, because the loopback hop stands in for TLS. So a policy
that refuses plain HTTP is never seen to refuse anything here.
"""

from collections.abc import Mapping
from typing import Any

from emulator.answers import Parameters
from ministack.core import iam_actions, iam_evaluator
from ministack.services import ec2, iam

_RETENTION_HEADERS = ("x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date")
_LEGAL_HOLD_HEADER = "x-amz-object-lock-legal-hold"


def install() -> None:
    _answer_condition_keys()
    _check_retention_set_by_a_put()
    _name_resources()


def _answer_condition_keys() -> None:
    ministacks_answer = iam_evaluator._resolve_condition_key

    def resolve(key: str, context: Any) -> object:
        match key.lower():
            case "aws:securetransport":
                return "true"
            case "aws:principalarn":
                return role_behind(context.principal_arn)
            case _:
                return ministacks_answer(key, context)

    iam_evaluator._resolve_condition_key = resolve


def role_behind(principal: str) -> str:
    """The role's ARN for a session of it, which is what aws:PrincipalArn holds on AWS."""
    if ":assumed-role/" not in principal:
        return principal
    name = iam_evaluator._role_name_from_assumed_arn(principal)
    account = principal.split(":")[4]
    role = iam._roles.get_scoped(account, None, name)
    return role["Arn"] if role else f"arn:aws:iam::{account}:role/{name}"


def _check_retention_set_by_a_put() -> None:
    """A put that names a retention or a legal hold needs the permission to set it."""
    ministacks_answer = iam_actions.s3_additional_checks

    def checks(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Parameters
    ) -> list[tuple[str, str]]:
        found = ministacks_answer(method, path, headers, body, query)
        target = f"arn:aws:s3:::{path.lstrip('/')}"
        if method in ("PUT", "POST") and any(headers.get(name) for name in _RETENTION_HEADERS):
            found.append(("s3:PutObjectRetention", target))
        if method in ("PUT", "POST") and headers.get(_LEGAL_HOLD_HEADER):
            found.append(("s3:PutObjectLegalHold", target))
        return found

    iam_actions.s3_additional_checks = checks


def _name_resources() -> None:
    """The ARN that a statement must allow, of requests where ministack asks for any resource."""
    ministacks_answer = iam_actions.extract_resource_arn

    def extract(
        service: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        query: Parameters,
        region: str,
        account: str,
    ) -> str:
        where = f"{region}:{account}"
        if service == "guardduty" and path.startswith("/detector/"):
            return f"arn:aws:guardduty:{where}:detector/{path.split('/')[2]}"
        if service == "ec2" and ec2._p(query, "Action") == "CreateFlowLogs":
            return f"arn:aws:ec2:{where}:vpc/{ec2._p(query, 'ResourceId.1')}"
        return ministacks_answer(service, method, path, headers, body, query, region, account)

    iam_actions.extract_resource_arn = extract
