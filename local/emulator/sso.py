"""IAM Identity Center: moto's, with the attributes for access control that it lacks.

A stub: the attributes are kept and shown; no session ever carries them.
"""

import json
from collections.abc import Mapping
from typing import Any

from emulator.answers import Answer, Parameters, as_json, error
from emulator.moto_bridge import answering

_SUFFIX = "InstanceAccessControlAttributeConfiguration"
_attributes: dict[str, dict[str, Any]] = {}
_moto = answering("sso")


async def handle(
    method: str, path: str, headers: Mapping[str, str], body: bytes, query: Parameters
) -> Answer:
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    if not operation.endswith(_SUFFIX):
        return await _moto(method, path, headers, body, query)
    request = json.loads(body)
    instance = request["InstanceArn"]
    if operation in (f"Create{_SUFFIX}", f"Update{_SUFFIX}"):
        _attributes[instance] = request[_SUFFIX]
        return as_json({})
    if instance not in _attributes:
        message = f"the instance {instance} has no attributes for access control"
        return error("ResourceNotFoundException", message)
    if operation == f"Delete{_SUFFIX}":
        del _attributes[instance]
        return as_json({})
    return as_json({"Status": "ENABLED", _SUFFIX: _attributes[instance]})
