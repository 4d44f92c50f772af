"""AWS Config: ministack's, with the two deletions that it lacks. No rule is ever evaluated."""

import json
from collections.abc import Mapping

from emulator.answers import Answer, Parameters, as_json, error
from ministack.services import config

# Operation: the member that names what goes, where it is kept, and the error when it is not there.
_DELETIONS = {
    "DeleteConfigurationRecorder": (
        "ConfigurationRecorderName",
        config._recorders,
        "NoSuchConfigurationRecorderException",
    ),
    "DeleteDeliveryChannel": (
        "DeliveryChannelName",
        config._delivery_channels,
        "NoSuchDeliveryChannelException",
    ),
}


async def handle(
    method: str, path: str, headers: Mapping[str, str], body: bytes, query: Parameters
) -> Answer:
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    if operation not in _DELETIONS:
        return await config.handle_request(method, path, headers, body, query)
    member, kept, missing = _DELETIONS[operation]
    name = json.loads(body)[member]
    if name not in kept:
        return error(missing, f"{name!r} does not exist")
    del kept[name]
    return as_json({})
