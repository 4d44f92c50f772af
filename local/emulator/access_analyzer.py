"""IAM Access Analyzer, as a stub: analyzers can be made, read and deleted.

A stub: nothing is analysed, so the lists of findings are always empty, and say nothing about the
account. There are no archive rules, policy checks, or access previews.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from emulator.answers import Answer, Parameters, Scope, as_json, error, not_implemented, scope

_analyzers: dict[Scope, dict[str, dict[str, Any]]] = {}


async def handle(
    method: str, path: str, headers: Mapping[str, str], body: bytes, query: Parameters
) -> Answer:
    analyzers = _analyzers.setdefault(scope(), {})
    parts = unquote(path).strip("/").split("/", 1)
    if parts == ["analyzer"] and method == "PUT":
        return _create(analyzers, json.loads(body))
    if parts == ["analyzer"] and method == "GET":
        return as_json({"analyzers": list(analyzers.values())})
    if parts[0] == "analyzer" and method in ("GET", "DELETE"):
        if parts[1] not in analyzers:
            message = f"the analyzer {parts[1]!r} does not exist"
            return error("ResourceNotFoundException", message, 404)
        if method == "GET":
            return as_json({"analyzer": analyzers[parts[1]]})
        del analyzers[parts[1]]
        return as_json({})
    if parts in (["finding"], ["findingv2"]) and method == "POST":
        return as_json({"findings": []})
    return not_implemented("access-analyzer", method, path)


def _create(analyzers: dict[str, dict[str, Any]], request: dict[str, Any]) -> Answer:
    name, (account, region) = request["analyzerName"], scope()
    if name in analyzers:
        return error("ConflictException", f"an analyzer named {name!r} exists already", 409)
    arn = f"arn:aws:access-analyzer:{region}:{account}:analyzer/{name}"
    analyzers[name] = {
        "arn": arn,
        "name": name,
        "type": request["type"],
        "status": "ACTIVE",
        "createdAt": datetime.now(UTC).isoformat(),
        "tags": request.get("tags", {}),
    } | {key: request[key] for key in ("configuration",) if request.get(key)}
    return as_json({"arn": arn})
