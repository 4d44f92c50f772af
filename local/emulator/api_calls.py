"""Records API calls as CloudTrail events, and sends the writes to EventBridge.

ministack names most calls after their HTTP verb and every caller a user. Here the name is that of
the IAM action, and the identity that of the caller.

A stub: calls that were refused are not recorded, a few names differ from CloudTrail's (those of S3
and Lambda, where the IAM action has another name than the API), responseElements is always empty,
and of what a stack makes only the types of emulator/cloudformation show.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from emulator.access import role_behind
from emulator.answers import Parameters
from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.services import cloudtrail, eventbridge

CLOUDFORMATION = "cloudformation.amazonaws.com"
# Data events: no trail records them unless asked, and LookupEvents never shows them.
_DATA_ACTIONS = {
    "cloudwatch:PutMetricData",
    "events:PutEvents",
    "lambda:InvokeFunction",
    "logs:PutLogEvents",
    "sns:Publish",
    "sqs:DeleteMessage",
    "sqs:ReceiveMessage",
    "sqs:SendMessage",
}
# What CloudTrail marks as read only: by its name's beginning, or in spite of it.
_READS = ("BatchGet", "Describe", "Get", "Head", "List", "Lookup", "Search", "Simulate")
_READS_TOO = {
    "AssumeRole",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "Sign",
    "Verify",
}
_under_way: set[asyncio.Task[None]] = set()


def install() -> None:
    app._maybe_record_cloudtrail = record


def record(
    service: str,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    query: Parameters,
    request_id: str,
    region: str,
) -> None:
    """Called for each request that was let through, in ministack's place."""
    asked = app._routing_params(method, path, headers, body, query)
    action = iam_actions.extract_iam_action(service, method, path, headers, body, asked)
    if path.startswith("/_") or action is None or _is_data(action, path):
        return
    cloudtrail.record_event(
        service=service,
        event_name=action.partition(":")[2],
        username="",
        access_key_id=app.extract_access_key_id(headers, query),
        resources=app._ct_resources(service, method, path, body),
        region=region,
        request_id=request_id,
        user_agent=headers.get("user-agent", ""),
        request_params=app._ct_request_params(headers, body, query),
        method=method,
    )
    record = cloudtrail._get_event_queue()[-1]
    event = json.loads(record["CloudTrailEvent"])
    event["userIdentity"], record["Username"] = _caller(headers, query)
    if event["userIdentity"].get("invokedBy"):
        event["sourceIPAddress"] = event["userAgent"] = CLOUDFORMATION
    event |= {"eventCategory": "Management", "managementEvent": True}
    event["readOnly"] = _is_read(record["EventName"])
    record["ReadOnly"] = str(event["readOnly"]).lower()
    record["CloudTrailEvent"] = json.dumps(event)
    if not event["readOnly"] and _is_trailed():
        task = asyncio.get_running_loop().create_task(asyncio.to_thread(_publish, event))
        _under_way.add(task)
        task.add_done_callback(_under_way.discard)


def _is_data(action: str, path: str) -> bool:
    names_an_object = action.startswith("s3:") and "/" in path.strip("/")
    return names_an_object or action in _DATA_ACTIONS or action.startswith("s3:ListBucket")


def _is_read(name: str) -> bool:
    return name.startswith(_READS) or name in _READS_TOO


def _caller(headers: Mapping[str, str], query: Parameters) -> tuple[dict[str, Any], str]:
    if CLOUDFORMATION in headers.get("user-agent", ""):
        return {"type": "AWSService", "invokedBy": CLOUDFORMATION}, CLOUDFORMATION
    arn = iam_evaluator.request_caller_arn(headers, query)
    account, name = arn.split(":")[4], arn.rpartition("/")[2]
    identity: dict[str, Any] = {"arn": arn, "accountId": account}
    if ":assumed-role/" in arn:
        role = role_behind(arn)
        issuer = {
            "type": "Role",
            "arn": role,
            "accountId": account,
            "userName": role.rpartition("/")[2],
        }
        return identity | {"type": "AssumedRole", "sessionContext": {"sessionIssuer": issuer}}, name
    if ":user/" in arn:
        return identity | {"type": "IAMUser", "userName": name}, name
    return identity | {"type": "Root", "principalId": account}, "root"


def _is_trailed() -> bool:
    """EventBridge hears of API calls only where a trail is logging."""
    return any(trail.get("IsLogging") for _, _, trail in cloudtrail._visible_trail_items())


def _publish(event: dict[str, Any]) -> None:
    entry = {
        "Source": f"aws.{event['eventSource'].partition('.')[0]}",
        "DetailType": "AWS API Call via CloudTrail",
        "Detail": json.dumps(event),
        "Resources": [],
        "Time": event["eventTime"],
    }
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
