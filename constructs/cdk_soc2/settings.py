"""Makes a setting of the account, in every region it is asked for, and never weakens one.

A setting is ``controls/<name>/setting.py``: the boto3 ``service`` it belongs to, whether it is
``regional`` or of the whole account, the IAM ``actions`` it needs, ``read(client, wanted)``, which
tells the :class:`State` of a place, and ``apply(client, wanted)``, which makes it as it must be.
*wanted* are the construct's parameters, in CloudFormation's words: every number is a string.
"""

from __future__ import annotations

import importlib
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast

from cdk_soc2.custom_resource import Json, NotMade
from cdk_soc2.refusals import denied, remedy

LOG = logging.getLogger(__name__)
ALL = "all"
ACCOUNT = "account"  # how a setting of the whole account is named where regions stand
AT_ONCE = 8
# IAM lets a new permission in after some seconds, and services show a change after some.
PERMITTED_AFTER = (5.0, 10.0)
SHOWN_AFTER = (0.5, 1.0, 2.0, 4.0)
WORDS_LENGTH = 1000  # twice this, the reason and the ids must fit into CloudFormation's 4096 bytes

T = TypeVar("T")
Wanted = Mapping[str, Any]
Client = Callable[[str, str], Any]
Pause = Callable[[float], None]


class Refused(NotMade):
    """AWS denies it; tried again for some seconds, for the permission may be a new one."""


@dataclass(frozen=True, slots=True)
class State:
    """How a place is: as it must be, or not; and in a few words without a comma."""

    ok: bool
    told: str


class Setting(Protocol):
    """What ``controls/<name>/setting.py`` must hold."""

    @property
    def service(self) -> str: ...
    @property
    def regional(self) -> bool: ...
    @property
    def actions(self) -> tuple[str, ...]: ...
    def read(self, client: Any, wanted: Wanted, /) -> State: ...
    def apply(self, client: Any, wanted: Wanted, /) -> None:
        """Raises :class:`NotMade` where it knows more of the trouble than the error tells."""


def named(name: str) -> Setting:
    """The setting of the control *name*. Raises ``ModuleNotFoundError`` where there is none."""
    return cast(Setting, importlib.import_module(f"cdk_soc2.controls.{name}.setting"))


def connect(service: str, region: str) -> Any:
    """A boto3 client that gives up in time for an answer."""
    import boto3
    from botocore.config import Config

    patience = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 3})
    return boto3.client(cast(Any, service), region_name=region, config=patience)


def make(
    properties: Mapping[str, Any],
    seconds: float,
    *,
    setting: Callable[[str], Setting] = named,
    client: Client = connect,
    pause: Pause = time.sleep,
) -> Json:
    """Read, apply where needed, and read again, within *seconds*.

    The properties: ``Setting``, a control's key; ``Regions``, a list or ``all``, for every region
    that the account has enabled; ``Wanted``. Returns how each place was and is: ``Found`` and
    ``Now``, as ``us-east-1=on,eu-west-1=off``. Raises :class:`NotMade`, with every place that is not
    as it must be; the others are made nevertheless.
    """
    it = setting(properties["Setting"])
    wanted = cast(Wanted, properties.get("Wanted", {}))
    one_at_a_time = threading.Lock()  # boto3 makes clients in one thread only

    def bring(region: str) -> tuple[State, State]:
        with one_at_a_time:
            there = client(it.service, region)
        return _bring(it, there, wanted, pause)

    pool = ThreadPoolExecutor(AT_ONCE)
    runs = {p: pool.submit(bring, r) for p, r in _places(it, properties, client).items()}
    wait(runs.values(), timeout=seconds)
    pool.shutdown(wait=False, cancel_futures=True)
    done = {p: run.result() for p, run in runs.items() if not (run.cancelled() or _failed(run))}
    found, now = (_words({p: d[n] for p, d in done.items()}) for n in (0, 1))
    LOG.info("found %s, now %s", found, now)
    trouble = {p: t for p, run in runs.items() if (t := _trouble(run, it, seconds))}
    if trouble:
        raise NotMade(_by_trouble(trouble))
    return {"Found": found, "Now": now}


def _places(it: Setting, properties: Mapping[str, Any], client: Client) -> Mapping[str, str]:
    """What to call each place, and the region to ask for it."""
    home = os.environ.get("AWS_REGION", "")
    if not it.regional:
        return {ACCOUNT: home}
    regions = cast(Sequence[str] | str, properties["Regions"])
    if regions == ALL:
        try:
            answer = client("ec2", home).describe_regions()
        except Exception as error:
            raise NotMade(f"DescribeRegions: {error}; list the regions instead") from error
        regions = sorted(r["RegionName"] for r in answer["Regions"])
    return {region: region for region in regions}


def _bring(it: Setting, there: Any, wanted: Wanted, pause: Pause) -> tuple[State, State]:
    found = now = _once_permitted(lambda: it.read(there, wanted), pause)
    if not found.ok:
        _once_permitted(lambda: it.apply(there, wanted), pause)
        for seconds in (0.0, *SHOWN_AFTER):
            pause(seconds)
            now = it.read(there, wanted)
            if now.ok:
                break
    return found, now


def _once_permitted(do: Callable[[], T], pause: Pause) -> T:
    for seconds in PERMITTED_AFTER:
        try:
            return do()
        except Exception as error:
            if not (denied(error) or isinstance(error, Refused)):
                raise
        pause(seconds)
    return do()


Run = Future[tuple[State, State]]


def _failed(run: Run) -> bool:
    return not run.done() or run.exception() is not None


def _trouble(run: Run, it: Setting, seconds: float) -> str | None:
    if run.cancelled() or not run.done():
        return f"not finished within {seconds:.0f} s; deploy again: what is made is kept"
    error = run.exception()
    if isinstance(error, NotMade):
        return str(error)
    if error is not None:
        LOG.error("failed", exc_info=error)
        return f"{error}; {remedy(error, it)}"
    now = run.result()[1]
    return None if now.ok else f"applied, and yet it reads as {now.told}; deploy again"


def _by_trouble(trouble: Mapping[str, str]) -> str:
    """The same trouble in many places is told once."""
    places: dict[str, list[str]] = {}
    for place, told in trouble.items():
        places.setdefault(told, []).append(place)
    return "; ".join(f"{', '.join(where)}: {told}" for told, where in places.items())


def _words(states: Mapping[str, State]) -> str:
    return ",".join(f"{place}={state.told}" for place, state in states.items())[:WORDS_LENGTH]
