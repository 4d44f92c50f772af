"""GuardDuty's protection plans, of which moto shows only those that the last call named.

A stub: no plan looks at anything. A detector starts with the plans that AWS starts by itself; a plan
that an update does not name stays as it is.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from emulator.answers import Answer, Parameters
from emulator.moto_bridge import answering

_FOUNDATION = ("CLOUD_TRAIL", "DNS_LOGS", "FLOW_LOGS")
_ON = (
    "S3_DATA_EVENTS",
    "EKS_AUDIT_LOGS",
    "EBS_MALWARE_PROTECTION",
    "RDS_LOGIN_EVENTS",
    "LAMBDA_NETWORK_LOGS",
)
_OFF = ("EKS_RUNTIME_MONITORING", "RUNTIME_MONITORING", "AI_ANALYST")
_AT_FIRST = dict.fromkeys((*_FOUNDATION, *_ON), "ENABLED") | dict.fromkeys(_OFF, "DISABLED")
_DETECTOR = re.compile(r"/detector(?:/(?P<id>[^/]+))?")
_detectors = answering("guardduty")


async def handle(
    method: str, path: str, headers: Mapping[str, str], body: bytes, query: Parameters
) -> Answer:
    matched = _DETECTOR.fullmatch(path)
    if method != "POST" or not matched:
        return await _detectors(method, path, headers, body, query)
    known = _AT_FIRST
    if matched["id"]:
        shown = await _detectors("GET", path, headers, b"", {})
        if shown[0] != 200:
            return shown
        known = _by_name(json.loads(shown[2]))
    request = json.loads(body or b"{}")
    changed = known | _by_name(request)
    request["features"] = [{"name": n, "status": s} for n, s in changed.items()]
    return await _detectors(method, path, headers, json.dumps(request).encode(), query)


def _by_name(detector: Mapping[str, Any]) -> dict[str, str]:
    return {f["name"]: f["status"] for f in detector.get("features") or []}
