"""How tests talk to the local AWS: resources in a template, error codes, waiting."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def code_of(call: Callable[..., Any], **arguments: Any) -> str:
    """The error code a call ends with, or an empty string when it succeeds."""
    try:
        call(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def eventually(look: Callable[[], Any], seconds: float = 5.0) -> Any:
    """What `look` returns once it is true, or its last answer when the time is up."""
    deadline = time.monotonic() + seconds
    while not (seen := look()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return seen


def finished(cloudformation: Any, stack: str) -> str:
    """The status a stack comes to rest in."""
    for _ in range(300):
        status = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
        if not status.endswith("IN_PROGRESS"):
            return status
        time.sleep(0.05)
    raise AssertionError(f"the stack {stack} is still {status}")
