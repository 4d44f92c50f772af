"""CloudTrail: ministack's trails, with the delivery times that a check of a live trail reads.

A stub: nothing is written to the bucket, neither log files nor digests. A logging trail reports
the deliveries that CloudTrail would have tried: every five minutes, digests every hour, with an
error when the bucket is gone or its policy does not name CloudTrail.
"""

import json
import time
from typing import Any

from emulator.answers import Answer, as_json
from ministack.services import cloudtrail, s3

DELIVERY_SECONDS = 300
DIGEST_SECONDS = 3600


def install() -> None:
    ministacks_answer = cloudtrail._get_trail_status

    def get_trail_status(request: dict[str, Any]) -> Answer:
        answer = ministacks_answer(request)
        if answer[0] != 200:
            return answer
        _name, _home, trail = cloudtrail._find_visible_trail(request["Name"])
        return as_json(json.loads(answer[2]) | _deliveries(trail, time.time()))

    cloudtrail._DISPATCH["GetTrailStatus"] = get_trail_status


def _deliveries(trail: dict[str, Any], now: float) -> dict[str, Any]:
    started = trail.get("_StartedAt")
    if started is None:
        return {}
    until = now if trail.get("IsLogging") else trail.get("_StoppedAt", now)
    problem = _bucket_problem(trail["S3BucketName"])
    if problem:
        return {"LatestDeliveryError": problem}
    latest = _latest(started, until, DELIVERY_SECONDS)
    shown: dict[str, Any] = {"LatestDeliveryTime": latest}
    if trail.get("CloudWatchLogsLogGroupArn"):
        shown["LatestCloudWatchLogsDeliveryTime"] = latest
    if trail.get("LogFileValidationEnabled"):
        shown["LatestDigestDeliveryTime"] = _latest(started, until, DIGEST_SECONDS)
    return shown


def _latest(started: float, until: float, every: int) -> int:
    """The last whole interval; the first is counted at once, so that a test need not wait."""
    return int(started + (until - started) // every * every)


def _bucket_problem(bucket: str) -> str:
    if s3._bucket_owner_account(bucket) is None:
        return "NoSuchBucket"
    if "cloudtrail.amazonaws.com" not in str(s3._bucket_policies.get(bucket) or ""):
        return "AccessDenied"
    return ""
