"""GitHub on the loopback address: answers from a table, pages as GitHub does, fails when told to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from tests.sources.github.schema import complaints

Query = Mapping[str, str]


@dataclass(frozen=True)
class Error:
    """An answer that is none."""

    status: int
    message: str = "no"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass
class Hub:
    """:param answers: by path. A list is paged; a callable gets the query; an `Error` is sent as it
    is. What the table does not hold is not found.
    :param keyed: where a list is under a name, beside its count.
    :param faults: asked with path and number of the request; spoils it with what it returns.
    """

    answers: dict[str, Any] = field(default_factory=dict[str, Any])
    keyed: dict[str, str] = field(default_factory=dict[str, str])
    faults: Callable[[str, int], Error | None] = lambda path, number: None
    prefix: str = ""
    cap: int = 1000  # GitHub lists no more workflow runs than that, however many it counts
    asked: list[str] = field(default_factory=list[str])
    wrong: list[str] = field(default_factory=list[str])
    tokens: set[str] = field(default_factory=set[str])
    most: int = 0
    lock: Any = field(default_factory=threading.Lock)
    now: int = 0
    seconds: float = 0  # that an answer takes
    posts: dict[str, Callable[[], Any]] = field(default_factory=dict[str, Callable[[], Any]])

    def reply(self, path: str, query: Query) -> tuple[Any, dict[str, str]] | Error:
        time.sleep(self.seconds)
        with self.lock:
            self.asked.append(f"{path}?{urlencode(sorted(query.items()))}")
            number = len(self.asked)
        fault = self.faults(path, number)
        if fault is not None:
            return fault
        if not path.startswith(self.prefix):
            return Error(404, "Not Found")
        path = path.removeprefix(self.prefix)
        answer = self.answers.get(path, Error(404, "Not Found"))
        if callable(answer):
            answer = answer(query)
        if isinstance(answer, Error):
            return answer
        headers: dict[str, str] = {}
        if isinstance(answer, list):
            answer, headers = self._page(path, answer, query)
        self.wrong += complaints(path, answer)
        return answer, headers

    def _page(self, path: str, items: list[Any], query: Query) -> tuple[Any, dict[str, str]]:
        size, page = int(query.get("per_page", 30)), int(query.get("page", 1))
        shown = items[: self.cap] if path.endswith("/actions/runs") else items
        part = shown[(page - 1) * size : page * size]
        headers: dict[str, str] = {}
        if page * size < len(shown):
            following = urlencode({**query, "page": page + 1})
            headers["Link"] = (
                f"<https://elsewhere.example{self.prefix}{path}?{urlencode(query)}&page=1>; "
                f'rel="first", <https://elsewhere.example{self.prefix}{path}?{following}>; rel="next"'
            )
        name = next((n for end, n in self.keyed.items() if path.endswith(end)), None)
        return ({"total_count": len(items), name: part} if name else part), headers


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        hub: Hub = self.server.hub  # pyright: ignore[reportAttributeAccessIssue]
        with hub.lock:
            hub.now += 1
            hub.most = max(hub.most, hub.now)
            hub.tokens.add(self.headers.get("Authorization", ""))
        try:
            parts = urlsplit(self.path)
            query = {k: v[-1] for k, v in parse_qs(parts.query).items()}
            found = hub.reply(unquote(parts.path), query)
            if isinstance(found, Error):
                self._send(found.status, {"message": found.message}, found.headers)
                return
            body, headers = found
            tag = f'"{hash(json.dumps(body, sort_keys=True))}"'
            if self.headers.get("If-None-Match") == tag:
                self._send(304, None, {"ETag": tag})
            else:
                self._send(200, body, {**headers, "ETag": tag})
        finally:
            with hub.lock:
                hub.now -= 1

    def do_POST(self) -> None:
        hub: Hub = self.server.hub  # pyright: ignore[reportAttributeAccessIssue]
        hub.asked.append(self.path)
        hub.tokens.add(self.headers.get("Authorization", ""))
        self._send(201, hub.posts[self.path](), {})

    def _send(self, status: int, body: Any, headers: Mapping[str, str]) -> None:
        raw = b"" if status in (204, 304) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("X-GitHub-Request-Id", "ABCD:1234")
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def serving(hub: Hub) -> Iterator[str]:
    """The address of a server that answers as *hub* says."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.hub = hub  # pyright: ignore[reportAttributeAccessIssue]
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{hub.prefix}"
    finally:
        server.shutdown()
        server.server_close()
