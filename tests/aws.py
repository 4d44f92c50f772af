"""A boto3 session held in a table: clients that page, deny and fail as botocore's do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

Answer = dict[str, Any] | list[dict[str, Any]] | Exception | Callable[..., dict[str, Any]]


def refused(code: str, operation: str, message: str = "no") -> ClientError:
    told = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"RequestId": "req-error", "HTTPStatusCode": 400},
    }
    return ClientError(told, operation)  # pyright: ignore[reportArgumentType]


def api(operation: str) -> str:
    return "".join(word.capitalize() for word in operation.split("_"))


@dataclass
class FakeSession:
    """:param answers: by (service, operation) or (region, service, operation). A list is pages, an
    exception is raised, a callable is called with the parameters. Unknown questions are denied."""

    answers: Mapping[tuple[str, ...], Answer]
    region_name: str = "us-east-1"
    calls: list[tuple[str, str, str, dict[str, Any]]] = field(default_factory=list)
    made: list[tuple[str, str]] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)

    def client(self, service: str, region_name: str, config: object = None) -> FakeClient:
        self.made.append((service, region_name))
        return FakeClient(self, service, region_name)

    def pages(
        self, region: str, service: str, operation: str, parameters: dict[str, Any]
    ) -> list[dict[str, Any]]:
        with self.lock:
            self.calls.append((region, service, operation, parameters))
        answer = self.answers.get((region, service, operation))
        if answer is None:
            answer = self.answers.get((service, operation), refused("AccessDenied", api(operation)))
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            answer = answer(**parameters)
        return answer if isinstance(answer, list) else [answer]


class FakeClient:
    def __init__(self, session: FakeSession, service: str, region: str) -> None:
        self._session = session
        self._service = service
        self._region = region
        self.meta = SimpleNamespace(method_to_api_mapping=_Names())

    def can_paginate(self, operation: str) -> bool:
        answers = self._session.answers
        keys = ((self._region, self._service, operation), (self._service, operation))
        return any(isinstance(answers.get(key), list) for key in keys)

    def get_paginator(self, operation: str) -> SimpleNamespace:
        def paginate(**parameters: Any) -> Iterator[dict[str, Any]]:
            for page in self._session.pages(self._region, self._service, operation, parameters):
                if isinstance(page, Exception):
                    raise page
                yield {**page, "ResponseMetadata": {"RequestId": "req-1"}}

        return SimpleNamespace(paginate=paginate)

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        def call(**parameters: Any) -> dict[str, Any]:
            [page] = self._session.pages(self._region, self._service, operation, parameters)
            return {**page, "ResponseMetadata": {"RequestId": "req-1"}}

        return call


class _Names(dict[str, str]):
    def __missing__(self, operation: str) -> str:
        return api(operation)
