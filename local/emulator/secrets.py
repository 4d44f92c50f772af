"""Secrets Manager: ministack's, with the rotation facts that a check of rotation reads.

A stub: rotating calls no function and leaves the value as it is; it only records that, and when,
the secret rotated. Nothing rotates by itself.
"""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from emulator.answers import Answer, Parameters, as_json, error
from ministack.services import secretsmanager

_SHOWN = ("LastRotatedDate", "NextRotationDate", "RotationLambdaARN", "RotationRules")
_DAY_SECONDS = 86400


def install() -> None:
    secretsmanager._rotate_secret = _rotating(secretsmanager._rotate_secret)
    secretsmanager._describe_secret = _showing(secretsmanager._describe_secret)
    secretsmanager._list_secrets = _showing(secretsmanager._list_secrets)


async def handle(
    method: str, path: str, headers: Mapping[str, str], body: bytes, query: Parameters
) -> Answer:
    if headers.get("x-amz-target", "").endswith(".CancelRotateSecret"):
        return _cancel(json.loads(body))
    return await secretsmanager.handle_request(method, path, headers, body, query)


def _rotating(ministacks: Callable[[Any], Answer]) -> Callable[[dict[str, Any]], Answer]:
    def rotate(request: dict[str, Any]) -> Answer:
        at_once = request.get("RotateImmediately", True)
        _, secret = secretsmanager._resolve(request["SecretId"])
        if secret and not at_once:
            secret |= {
                name: request[name]
                for name in ("RotationLambdaARN", "RotationRules")
                if name in request
            } | {"RotationEnabled": True}
            return as_json({"ARN": secret["ARN"], "Name": secret["Name"]})
        answer = ministacks(request)
        if secret and answer[0] == 200:
            secret["LastRotatedDate"] = int(time.time())
            days = (secret.get("RotationRules") or {}).get("AutomaticallyAfterDays")
            if days:
                secret["NextRotationDate"] = secret["LastRotatedDate"] + days * _DAY_SECONDS
        return answer

    return rotate


def _showing(ministacks: Callable[[Any], Answer]) -> Callable[[Any], Answer]:
    def show(request: dict[str, Any]) -> Answer:
        answer = ministacks(request)
        if answer[0] != 200:
            return answer
        body = json.loads(answer[2])
        for entry in body.get("SecretList", [body]):
            _, secret = secretsmanager._resolve(entry["ARN"])
            if secret and secret.get("RotationEnabled"):
                entry |= {name: secret[name] for name in _SHOWN if secret.get(name)}
        return as_json(body)

    return show


def _cancel(request: dict[str, Any]) -> Answer:
    _, secret = secretsmanager._resolve(request["SecretId"])
    if not secret:
        return error("ResourceNotFoundException", f"no secret {request['SecretId']!r}")
    secret["RotationEnabled"] = False
    return as_json({"ARN": secret["ARN"], "Name": secret["Name"]})
