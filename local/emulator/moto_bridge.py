"""Lets moto answer, in this process, the services that ministack lacks."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping

from emulator.answers import Answer, Parameters, Scope, not_implemented, scope
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import Client
from werkzeug.wrappers import Response

Handler = Callable[[str, str, Mapping[str, str], bytes, Parameters], Awaitable[Answer]]

_moto = Client(DomainDispatcherApplication(create_backend_app), Response)
_one_at_a_time = threading.Lock()  # moto's backends are not thread-safe
_FORWARDED = {"authorization", "content-type", "x-amz-date", "x-amz-target"}
_OURS = {"connection", "content-length", "date", "server"}


def answering(service: str) -> Handler:
    """A handler for a service, by the name it signs with; state is kept per account and region."""

    async def handle(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Parameters
    ) -> Answer:
        return await asyncio.to_thread(_ask, service, scope(), method, path, headers, body, query)

    return handle


def _ask(
    service: str,
    where: Scope,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    query: Parameters,
) -> Answer:
    host = f"{service}.{where.region}.amazonaws.com"
    sent = {name: value for name, value in headers.items() if name.lower() in _FORWARDED}
    flat = {name: value[0] if isinstance(value, list) else value for name, value in query.items()}
    with _one_at_a_time:
        answer = _moto.open(
            path,
            method=method,
            headers=sent | {"Host": host, "x-moto-account-id": where.account},
            data=body,
            query_string=flat,
            base_url=f"http://{host}/",
        )
    if answer.status_code == 404 and answer.data[:9].lower() == b"<!doctype":
        return not_implemented(service, method, path)
    kept = {name: value for name, value in answer.headers.items() if name.lower() not in _OURS}
    return answer.status_code, kept, answer.data
