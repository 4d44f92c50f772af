"""Reads an AWS account through boto3, and keeps every answer: a check cannot forget its evidence."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from cdk_soc2.answers import malformed
from cdk_soc2.control import CannotLook, Observed, could_not
from cdk_soc2.evidence.spool import Spool
from cdk_soc2.iam import action

Item = TypeVar("Item")
Keep = Callable[[Mapping[str, Any]], None]

DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "AccessDeniedForDependencyException",
    "AuthorizationError",
    "AuthorizationErrorException",
    "UnauthorizedOperation",
    "403",
}
THROTTLED = {
    "Throttling",
    "ThrottlingException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "SlowDown",
}
EXPIRED = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "AuthFailure",
    "SignatureDoesNotMatch",
    "RequestExpired",
}
CALLS_AT_ONCE = 24
TOKENS = ("NextToken", "nextToken", "Marker", "NextMarker", "nextMarker")
POLL_AFTER = (0.5, 1, 2, 4, 8)  # seconds between askings: a report is made within a few of them


def client_config() -> Config:
    """Retries within a budget: one slow region must not cost the others their evidence."""
    return Config(
        retries={"mode": "standard", "total_max_attempts": 4},
        connect_timeout=5,
        read_timeout=20,
        max_pool_connections=CALLS_AT_ONCE,
        user_agent_extra="cdk-soc2",
    )


@dataclass(frozen=True)
class Call:
    """One question to one service.

    :param pages: how many pages are read at most; ``None`` for all.
    :param attempt: how often it was asked before, in the hope of another answer.
    """

    region: str
    service: str
    operation: str
    parameters: tuple[tuple[str, str], ...]
    pages: int | None = None
    attempt: int = 0


@dataclass
class Asked:
    """What a question brought: the pages it got, and the error that ended it, if any."""

    pages: list[dict[str, Any]]
    lines: list[dict[str, Any]]
    error: Exception | None = None


class Reader:
    """Asks AWS each question once, however many checks need the answer.

    :param session: whose credentials are used, read-only.
    :param observer: called with the :class:`Call` of every request that is really sent.
    :param sleep: waits that many seconds.
    """

    def __init__(
        self,
        session: boto3.Session,
        observer: Callable[[Call], None] | None = None,
        config: Config | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.session = session
        self.sleep = sleep
        self._config = config or client_config()
        self._observer = observer
        self._clock = clock
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}
        self._asked: dict[Call, Future[Asked]] = {}
        self._pool = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="look")

    def ask(
        self,
        region: str,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        pages: int | None = None,
        attempt: int = 0,
    ) -> Asked:
        """The pages of the answer, from memory when it was asked before."""
        given = tuple(sorted((k, repr(v)) for k, v in parameters.items()))
        call = Call(region, service, operation, given, pages, attempt)
        with self._lock:
            future = self._asked.get(call)
            first = future is None
            if future is None:
                future = self._asked[call] = Future()
        if first:
            asked = Asked([], [])
            try:
                if self._observer is not None:
                    self._observer(call)
                self._fetch(call, parameters, asked)
            except Exception as error:  # noqa: BLE001  kept for every check that asks the same
                asked.error = error
            future.set_result(asked)
        return future.result()

    def map(self, do: Callable[[Item], Observed], items: Iterable[Item]) -> Iterator[Observed]:
        """*do* for every item, concurrently, in order; in turn where already concurrent."""
        if threading.current_thread().name.startswith("look"):
            return map(do, items)
        return self._pool.map(do, items)

    def close(self) -> None:
        """Wait for nothing: questions still under way are left behind."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def client(self, service: str, region: str) -> Any:
        """The one client of *service* in *region*."""
        with self._lock:
            client = self._clients.get((service, region))
            if client is None:
                create = cast(Any, self.session).client
                client = create(service, region_name=region, config=self._config)
                self._clients[service, region] = client
            return client

    def _fetch(self, call: Call, parameters: Mapping[str, Any], asked: Asked) -> None:
        client = self.client(call.service, call.region)
        api = client.meta.method_to_api_mapping[call.operation]
        line = {
            "service": call.service,
            "operation": api,
            "parameters": dict(parameters),
            "region": call.region,
        }
        if call.pages is not None:
            line["pages_at_most"] = call.pages
        every = _pages(client, call.operation, parameters)
        try:
            for number, page in enumerate(islice(every, call.pages), 1):
                meta = page.pop("ResponseMetadata", {})
                asked.pages.append(page)
                asked.lines.append(
                    {
                        **line,
                        "page": number,
                        "request_id": meta.get("RequestId"),
                        "time": self._clock(),
                        "answer": page,
                    }
                )
        except (ClientError, BotoCoreError) as error:
            told = _error(error)
            asked.lines.append(
                {**line, "page": len(asked.pages) + 1, "time": self._clock(), **told}
            )
            asked.error = error


class LiveRegion:
    """One region of the account. Answers are kept under one control's name."""

    def __init__(self, reader: Reader, name: str, keep: Keep, account: str = "") -> None:
        self.name = name
        self.account = account
        self._reader = reader
        self._keep = keep

    def read(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        return self._one(self._ask(service, operation, parameters), service, operation)

    def find(
        self, service: str, operation: str, /, *, absent: str, **parameters: Any
    ) -> dict[str, Any] | None:
        asked = self._ask(service, operation, parameters)
        if isinstance(asked.error, ClientError) and _code(asked.error) == absent:
            return None
        return self.read(service, operation, **parameters)

    def list(
        self, service: str, operation: str, key: str, /, **parameters: Any
    ) -> list[dict[str, Any]]:
        return self._items(self._ask(service, operation, parameters), service, operation, key)

    def first(
        self, service: str, operation: str, key: str, /, *, pages: int, **parameters: Any
    ) -> tuple[list[dict[str, Any]], bool]:
        asked = self._ask(service, operation, parameters, pages=pages)
        items = self._items(asked, service, operation, key)
        return items, any(asked.pages[-1].get(token) for token in TOKENS)

    def poll(
        self,
        service: str,
        operation: str,
        /,
        *,
        until: Callable[[Mapping[str, Any]], bool],
        **parameters: Any,
    ) -> dict[str, Any]:
        for attempt, wait in enumerate(POLL_AFTER):
            asked = self._ask(service, operation, parameters, attempt=attempt)
            answer = self._one(asked, service, operation)
            if until(answer):
                return answer
            self._reader.sleep(wait)
        asked = self._ask(service, operation, parameters, attempt=len(POLL_AFTER))
        return self._one(asked, service, operation)

    def each(
        self,
        items: Iterable[Item],
        subject: Callable[[Item], str],
        look: Callable[[Item], Observed],
    ) -> Iterator[Observed]:
        def one(item: Item) -> Observed:
            try:
                return look(item)
            except Exception as error:  # noqa: BLE001  one resource's trouble costs no other
                return could_not(error, subject(item), self.name)

        return self._reader.map(one, items)

    def _ask(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        pages: int | None = None,
        attempt: int = 0,
    ) -> Asked:
        asked = self._reader.ask(
            self.name, service, operation, parameters, pages=pages, attempt=attempt
        )
        for line in asked.lines:
            self._keep(line)
        return asked

    def _one(self, asked: Asked, service: str, operation: str) -> dict[str, Any]:
        if asked.error is not None:
            raise self._cannot(asked.error, service, operation) from asked.error
        if len(asked.pages) != 1:
            raise malformed(f"{operation} gave {len(asked.pages)} pages where one was expected")
        return asked.pages[0]

    def _items(self, asked: Asked, service: str, operation: str, key: str) -> list[dict[str, Any]]:
        if asked.error is not None:
            raise self._cannot(asked.error, service, operation) from asked.error
        items: list[dict[str, Any]] = []
        for page in asked.pages:
            found = page.get(key)
            if not isinstance(found, list):
                raise malformed(f"{operation}: {key} is {found!r}, not a list")
            items += cast("list[dict[str, Any]]", found)
        return items

    def _cannot(self, error: Exception, service: str, operation: str) -> CannotLook:
        api = "".join(word.capitalize() for word in operation.split("_"))
        if isinstance(error, ClientError):
            api = error.operation_name
        return cannot(error, service, api, self.name)


class LiveAccount:
    """The account that *reader*'s credentials belong to, with the answers kept for one control."""

    def __init__(
        self, reader: Reader, id: str, home: str, regions: Sequence[str], keep: Keep
    ) -> None:
        self.id = id
        self._reader = reader
        self._keep = keep
        self._regions: dict[str, LiveRegion] = {}
        self.home = self.region(home)
        self.regions = [self.region(name) for name in regions]

    def region(self, name: str) -> LiveRegion:
        if name not in self._regions:
            self._regions[name] = LiveRegion(self._reader, name, self._keep, self.id)
        return self._regions[name]


def keeper(spool: Spool, control: str) -> Keep:
    """Keeps each answer once for *control*, though several of its checks may ask for it."""
    kept: set[int] = set()
    lock = threading.Lock()

    def keep(line: Mapping[str, Any]) -> None:
        with lock:
            if id(line) in kept:  # the reader holds every line as long as the run lasts
                return
            kept.add(id(line))
        spool.write(control, line)

    return keep


def cannot(error: Exception, service: str, operation: str, region: str) -> CannotLook:
    """Why *operation* brought no answer, and what would."""
    needs = action(service, operation)
    asked = f"{needs} in {region}"
    if not isinstance(error, ClientError):
        return CannotLook(
            f"{asked} got no answer: {type(error).__name__}: {error}",
            f"Check that {region} can be reached from where this runs, then run again.",
        )
    code, message = _code(error), error.response.get("Error", {}).get("Message", "")
    if code in DENIED:
        return CannotLook(
            f"{asked} was denied: {message}",
            f"Allow {needs} to the role that collects; if an organization's policy denies it "
            f"in {region}, list the regions in use in the boundary file.",
        )
    if code in THROTTLED:
        return CannotLook(f"{asked} was throttled: {message}", "Run again later.")
    if code in EXPIRED:
        return CannotLook(
            f"{asked}: the credentials were not accepted: {code}: {message}",
            f"Renew the credentials; if {region} is an opt-in region, enable it for the account or "
            "list the regions in use in the boundary file.",
        )
    return CannotLook(
        f"{asked} failed: {code}: {message}", "Read the error above, mend its cause, run again."
    )


def _pages(client: Any, operation: str, parameters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if client.can_paginate(operation):
        yield from client.get_paginator(operation).paginate(**parameters)
        return
    call = getattr(client, operation)
    page: dict[str, Any] = call(**parameters)
    yield page
    while token := next((name for name in TOKENS if page.get(name)), None):
        given = page[token]
        page = call(**{**parameters, token: given})
        if page.get(token) == given:
            raise malformed(f"{operation} gave the same {token} twice")
        yield page


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _error(error: Exception) -> dict[str, Any]:
    if isinstance(error, ClientError):
        meta = error.response.get("ResponseMetadata", {})
        told = error.response.get("Error", {})
        return {
            "request_id": meta.get("RequestId"),
            "error": {"code": told.get("Code"), "message": told.get("Message")},
        }
    return {"request_id": None, "error": {"code": type(error).__name__, "message": str(error)}}
