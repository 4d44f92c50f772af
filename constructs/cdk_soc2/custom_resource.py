"""Answers CloudFormation for a custom resource: once, in time, whatever went wrong."""

from __future__ import annotations

import json
import logging
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any, Protocol

LOG = logging.getLogger(__name__)
# Before Lambda ends the function there must be time for the answer, three tries of ten seconds:
# without one, CloudFormation waits for as long as an hour.
SPARE_SECONDS = 35.0
REASON_LENGTH = 1500  # CloudFormation takes 4096 bytes for the whole answer

Json = dict[str, Any]
Make = Callable[[Mapping[str, Any], float], Json]


class NotMade(Exception):
    """What was asked for is not there, or not everywhere; says where, why and what to do."""


class Lambda(Protocol):
    """What we use of Lambda's context."""

    def get_remaining_time_in_millis(self) -> int: ...


def put(url: str, body: bytes) -> None:
    """Upload *body* to the presigned *url*, three times if need be. Raises ``OSError``."""
    request = urllib.request.Request(  # noqa: S310  the address is CloudFormation's
        url, data=body, method="PUT", headers={"Content-Type": ""}
    )
    for attempt in (1, 2, 3):
        try:
            with urllib.request.urlopen(request, timeout=10):  # noqa: S310  as above
                return
        except urllib.error.URLError:
            if attempt == 3:
                raise


def handle(
    event: Mapping[str, Any],
    context: Lambda,
    make: Make,
    *,
    answer: Callable[[str, bytes], None] = put,
) -> None:
    """Do what the custom resource *event* asks, and answer it whatever happens.

    *make* gets the resource's properties and the seconds it has, and returns the answer's attributes.
    It is not called on delete. Raises ``OSError`` when the answer itself cannot be delivered.
    """
    once = _Once(event, answer)
    seconds = max(context.get_remaining_time_in_millis() / 1000 - SPARE_SECONDS, 0.1)
    late = threading.Timer(
        seconds, lambda: once.failed("it took too long; see the function's log, then deploy again")
    )
    late.daemon = True
    late.start()
    try:
        if event["RequestType"] == "Delete":
            data: Json = {}
            reason = "the setting stays as it is: deleting a stack never weakens an account"
        else:
            data, reason = make(event["ResourceProperties"], seconds * 0.9), ""
    except Exception as error:  # CloudFormation waits for an answer, whatever went wrong
        LOG.exception("could not make it")
        late.cancel()
        once.failed(
            str(error) if isinstance(error, NotMade) else f"{type(error).__name__}: {error}"
        )
    else:
        late.cancel()
        once.done(data, reason)


class _Once:
    """The one answer that CloudFormation gets: the handler's, or the clock's if that is sooner."""

    def __init__(self, event: Mapping[str, Any], put: Callable[[str, bytes], None]) -> None:
        self._event = event
        self._put = put
        self._lock = threading.Lock()
        self._answered = False

    def done(self, data: Json, reason: str) -> None:
        self._answer("SUCCESS", data, reason)

    def failed(self, reason: str) -> None:
        self._answer("FAILED", {}, reason)

    def _answer(self, status: str, data: Json, reason: str) -> None:
        with self._lock:
            if self._answered:
                return
            self._answered = True
        event = self._event
        body: Json = {
            "Status": status,
            "Reason": reason.encode("ascii", "replace").decode()[:REASON_LENGTH],
            # Never another one: CloudFormation would take it for a replacement and delete the old.
            "PhysicalResourceId": event.get("PhysicalResourceId")
            or f"soc2-{event['LogicalResourceId']}",
            "StackId": event["StackId"],
            "RequestId": event["RequestId"],
            "LogicalResourceId": event["LogicalResourceId"],
            "Data": data,
        }
        LOG.info("%s %s", status, body["Reason"])
        self._put(event["ResponseURL"], json.dumps(body).encode())
