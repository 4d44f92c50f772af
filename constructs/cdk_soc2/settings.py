"""A CloudFormation custom resource that makes a setting of the account, and never weakens one.

A setting is ``controls/<name>/setting.py``: the boto3 ``service`` it belongs to, the IAM ``actions``
it needs, ``read(client)``, which tells whether it is as it must be, and ``apply(client)``.
"""

from __future__ import annotations

import importlib
import json
import logging
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast

LOG = logging.getLogger(__name__)
# Before Lambda ends the function there must be time for the answer, three tries of ten seconds:
# without one, CloudFormation waits for as long as an hour.
SPARE_SECONDS = 35.0
REASON_LENGTH = 1000  # CloudFormation takes 4096 bytes for the whole answer

Json = dict[str, Any]


class NotMade(Exception):
    """The setting is not as it must be in some region; says which, why and what to do."""


class Setting(Protocol):
    """What ``controls/<name>/setting.py`` must hold."""

    @property
    def service(self) -> str: ...
    @property
    def actions(self) -> tuple[str, ...]: ...
    def read(self, client: Any, /) -> bool: ...
    def apply(self, client: Any, /) -> None: ...


class Lambda(Protocol):
    """What we use of Lambda's context."""

    def get_remaining_time_in_millis(self) -> int: ...


def named(name: str) -> Setting:
    """The setting of the control *name*. Raises ``ModuleNotFoundError`` where there is none."""
    return cast(Setting, importlib.import_module(f"cdk_soc2.controls.{name}.setting"))


def connect(service: str, region: str) -> Any:
    """A boto3 client that gives up in time for an answer."""
    import boto3
    from botocore.config import Config

    patience = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 3})
    return boto3.client(cast(Any, service), region_name=region, config=patience)


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
    *,
    setting: Callable[[str], Setting] = named,
    client: Callable[[str, str], Any] = connect,
    answer: Callable[[str, bytes], None] = put,
) -> None:
    """Do what the custom resource *event* asks, and answer it whatever happens.

    Its properties: ``Setting``, a control's key, and ``Regions``. The answer's attributes say how
    each region was found and how it is now: ``Found`` and ``Now``, as ``us-east-1=on,eu-west-1=off``.
    Raises ``OSError`` when the answer itself cannot be delivered.
    """
    once = _Once(event, answer)
    left = context.get_remaining_time_in_millis() / 1000
    late = threading.Timer(
        max(left - SPARE_SECONDS, 0.1),
        lambda: once.failed("it took too long; see the function's log, then deploy again"),
    )
    late.daemon = True
    late.start()
    try:
        if event["RequestType"] == "Delete":
            data: Json = {}
            reason = "the setting stays as it is: deleting a stack never weakens an account"
        else:
            data, reason = _make(event["ResourceProperties"], setting, client), ""
    except Exception as error:  # CloudFormation waits for an answer, whatever went wrong
        LOG.exception("could not make the setting")
        late.cancel()
        once.failed(
            str(error) if isinstance(error, NotMade) else f"{type(error).__name__}: {error}"
        )
    else:
        late.cancel()
        once.done(data, reason)


def _make(
    properties: Mapping[str, Any],
    setting: Callable[[str], Setting],
    client: Callable[[str, str], Any],
) -> Json:
    """Read, apply where needed, and read again. Raises :class:`NotMade`."""
    it = setting(properties["Setting"])
    found: dict[str, bool] = {}
    now: dict[str, bool] = {}
    trouble: list[str] = []
    for region in cast(Sequence[str], properties["Regions"]):
        try:
            there = client(it.service, region)
            found[region] = now[region] = it.read(there)
            if not found[region]:
                it.apply(there)
                now[region] = it.read(there)
            if not now[region]:
                trouble.append(f"{region}: applied, and yet it reads as before; deploy again")
        except Exception as error:  # one region's trouble costs no other its setting
            LOG.exception("%s", region)
            trouble.append(f"{region}: {error}; {_remedy(error, it)}")
    LOG.info("found %s, now %s", _words(found), _words(now))
    if trouble:
        raise NotMade("; ".join(trouble))
    return {"Found": _words(found), "Now": _words(now)}


def _remedy(error: Exception, setting: Setting) -> str:
    code = cast(Any, error).response["Error"]["Code"] if hasattr(error, "response") else ""
    if code in ("UnauthorizedOperation", "AccessDenied", "AccessDeniedException"):
        return (
            f"the function's role has {', '.join(setting.actions)}, so a service control policy or a "
            "permissions boundary denies it: allow it there"
        )
    if code in (
        "AuthFailure",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "OptInRequired",
    ):
        return "enable the region for this account, or take it out of `regions`"
    if type(error).__name__ in ("EndpointConnectionError", "ConnectTimeoutError"):
        return "check the region's name in `regions`"
    return "see the function's log, then deploy again"


def _words(regions: Mapping[str, bool]) -> str:
    return ",".join(f"{region}={'on' if on else 'off'}" for region, on in regions.items())


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
            "Reason": reason[:REASON_LENGTH],
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
