"""ECR: ministack's, with the registry's scanning configuration that it lacks.

A stub: the configuration is kept and told; nothing is ever scanned by it.
"""

import json
from collections.abc import Mapping
from typing import Any

from emulator.answers import Answer, Parameters, Scope, as_json, scope
from ministack.services import ecr

_DEFAULT: dict[str, Any] = {"scanType": "BASIC", "rules": []}
_configured: dict[Scope, dict[str, Any]] = {}


async def handle(
    method: str, path: str, headers: Mapping[str, str], body: bytes, query: Parameters
) -> Answer:
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    if operation == "PutRegistryScanningConfiguration":
        given = json.loads(body)
        _configured[scope()] = {name: given.get(name, _DEFAULT[name]) for name in _DEFAULT}
        return as_json({"registryScanningConfiguration": _configured[scope()]})
    if operation == "GetRegistryScanningConfiguration":
        return as_json(
            {
                "registryId": scope().account,
                "scanningConfiguration": _configured.get(scope(), _DEFAULT),
            }
        )
    return await ecr.handle_request(method, path, headers, body, query)
