"""GuardDuty: moto keeps the detectors, and this stub keeps the findings that moto lacks.

A stub: nothing is detected. Findings come only from CreateSampleFindings, with AWS's names and
severities for a few types, and each is published to EventBridge as GuardDuty would. ListFindings
knows the criteria on `severity`, `service.archived`, `type`, `id` and the two times; it refuses
others. There are no members, filters, or publishing destinations.
"""

import asyncio
import json
import operator
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from emulator import guardduty_plans
from emulator.answers import Answer, Parameters, Scope, as_json, error, not_implemented, scope
from ministack.services import eventbridge

SAMPLE_SEVERITIES = {
    "CryptoCurrency:EC2/BitcoinTool.B!DNS": 8.0,
    "Policy:S3/BucketAnonymousAccessGranted": 8.0,
    "Recon:EC2/PortProbeUnprotectedPort": 2.0,
    "Recon:IAMUser/MaliciousIPCaller": 5.0,
    "Stealth:IAMUser/CloudTrailLoggingDisabled": 2.0,
    "UnauthorizedAccess:EC2/SSHBruteForce": 2.0,
    "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS": 8.0,
}
DEFAULT_SEVERITY = 5.0
_PATH = re.compile(r"/detector/(?P<detector>[^/]+)/findings(?:/(?P<verb>\w+))?")
_PAGE = 50

Finding = dict[str, Any]
_findings: dict[tuple[Scope, str], dict[str, Finding]] = {}
_detectors = guardduty_plans.handle


async def handle(
    method: str, path: str, headers: Mapping[str, str], body: bytes, query: Parameters
) -> Answer:
    matched = _PATH.fullmatch(path)
    if not matched:
        return await _detectors(method, path, headers, body, query)
    detector, verb = matched["detector"], matched["verb"] or "list"
    known = await _detectors("GET", f"/detector/{detector}", headers, b"", {})
    if known[0] != 200:
        return known
    stored = _findings.setdefault((scope(), detector), {})
    request = json.loads(body or b"{}")
    if verb == "create":
        return await _create_samples(detector, stored, request)
    if verb not in _VERBS:
        return not_implemented("guardduty", method, path)
    return _VERBS[verb](stored, request)


async def _create_samples(detector: str, stored: dict[str, Finding], request: Finding) -> Answer:
    for kind in request.get("findingTypes") or SAMPLE_SEVERITIES:
        finding = _sample(detector, kind)
        stored[finding["id"]] = finding
        # In a thread, because a rule's target may call back into this server.
        await asyncio.to_thread(_publish, finding)
    return as_json({})


def _sample(detector: str, kind: str) -> Finding:
    account, region = scope()
    identity = uuid.uuid4().hex
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return {
        "schemaVersion": "2.0",
        "accountId": account,
        "region": region,
        "partition": "aws",
        "id": identity,
        "arn": f"arn:aws:guardduty:{region}:{account}:detector/{detector}/finding/{identity}",
        "type": kind,
        "severity": SAMPLE_SEVERITIES.get(kind, DEFAULT_SEVERITY),
        "title": f"[SAMPLE] {kind}",
        "description": "A sample finding; nothing happened.",
        "createdAt": now,
        "updatedAt": now,
        "resource": {"resourceType": "Instance"},
        "service": {
            "serviceName": "guardduty",
            "detectorId": detector,
            "archived": False,
            "count": 1,
            "eventFirstSeen": now,
            "eventLastSeen": now,
            "additionalInfo": {"value": '{"sample":true}', "type": "default"},
        },
    }


def _publish(finding: Finding) -> None:
    entry = {
        "Source": "aws.guardduty",
        "DetailType": "GuardDuty Finding",
        "Detail": json.dumps(finding),
        "Resources": [],
    }
    # The public PutEvents refuses `aws.*` sources, as on AWS.
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def _list(stored: dict[str, Finding], request: Finding) -> Answer:
    criterion = (request.get("findingCriteria") or {}).get("criterion") or {}
    unknown = sorted(set(criterion) - set(_FIELDS))
    if unknown:
        return error("BadRequestException", f"the local AWS cannot filter by {unknown}")
    chosen = [found for found in stored.values() if _meets(found, criterion)]
    sort = request.get("sortCriteria") or {}
    chosen.sort(
        key=_FIELDS.get(sort.get("attributeName", "updatedAt"), _FIELDS["updatedAt"]),
        reverse=sort.get("orderBy") == "DESC",
    )
    start = int(request.get("nextToken") or 0)
    end = start + int(request.get("maxResults") or _PAGE)
    return as_json(
        {
            "findingIds": [found["id"] for found in chosen[start:end]],
            "nextToken": str(end) if end < len(chosen) else "",
        }
    )


def _milliseconds(name: str) -> Callable[[Finding], float]:
    return lambda finding: datetime.fromisoformat(finding[name]).timestamp() * 1000


_FIELDS: dict[str, Callable[[Finding], Any]] = {
    "id": operator.itemgetter("id"),
    "type": operator.itemgetter("type"),
    "severity": operator.itemgetter("severity"),
    "service.archived": lambda finding: str(finding["service"]["archived"]).lower(),
    "createdAt": _milliseconds("createdAt"),
    "updatedAt": _milliseconds("updatedAt"),
}
_ORDERS = {
    "gt": operator.gt,
    "greaterThan": operator.gt,
    "gte": operator.ge,
    "greaterThanOrEqual": operator.ge,
    "lt": operator.lt,
    "lessThan": operator.lt,
    "lte": operator.le,
    "lessThanOrEqual": operator.le,
}


def _meets(finding: Finding, criterion: Mapping[str, Mapping[str, Any]]) -> bool:
    for field, conditions in criterion.items():
        value = _FIELDS[field](finding)
        for condition, wanted in conditions.items():
            if condition in _ORDERS:
                met = _ORDERS[condition](value, wanted)
            else:
                met = str(value) in wanted or _is_number_in(value, wanted)
                met = not met if condition in ("neq", "notEquals") else met
            if not met:
                return False
    return True


def _is_number_in(value: object, wanted: list[str]) -> bool:
    return isinstance(value, float) and value in {float(text) for text in wanted}


def _get(stored: dict[str, Finding], request: Finding) -> Answer:
    return as_json({"findings": [stored[i] for i in request["findingIds"] if i in stored]})


def _archiving(archived: bool) -> Callable[[dict[str, Finding], Finding], Answer]:
    def change(stored: dict[str, Finding], request: Finding) -> Answer:
        for identity in request["findingIds"]:
            if identity not in stored:
                return error("BadRequestException", f"the finding {identity} does not exist")
            stored[identity]["service"]["archived"] = archived
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
            stored[identity]["updatedAt"] = now
        return as_json({})

    return change


def _statistics(stored: dict[str, Finding], request: Finding) -> Answer:
    criterion = (request.get("findingCriteria") or {}).get("criterion") or {}
    counts: dict[str, int] = {}
    for finding in stored.values():
        if _meets(finding, criterion):
            counts[str(finding["severity"])] = counts.get(str(finding["severity"]), 0) + 1
    return as_json({"findingStatistics": {"countBySeverity": counts}})


_VERBS = {
    "list": _list,
    "get": _get,
    "archive": _archiving(True),
    "unarchive": _archiving(False),
    "statistics": _statistics,
}
