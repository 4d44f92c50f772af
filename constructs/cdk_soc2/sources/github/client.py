"""Puts one request to GitHub: retries, waits at the rate limits and says so, follows what moved."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import HTTPError

from cdk_soc2 import __version__

PUBLIC = "https://api.github.com"
ACCEPT = "application/vnd.github+json, application/json;q=0.9"
API_VERSION = "2022-11-28"
REQUESTS_AT_ONCE = 16
ATTEMPTS = 5
WAITS = 12  # for rate limits, a request; the primary one is lifted within the hour
REDIRECTS = 5
REDIRECTED = (301, 302, 307, 308)
TIMEOUT = urllib3.Timeout(connect=10, read=60)
NEXT = re.compile(r'<([^>]+)>\s*;[^,]*\brel="?next"?')
SECONDS_APART = 60 / 900  # what GitHub allows of requests in a minute, before its secondary limit


class NoAnswer(Exception):
    """The request got no answer at all, or none that could be read."""


@dataclass(frozen=True)
class Answer:
    """What GitHub said.

    :param status: of HTTP; 200 also where the body is unchanged and was kept here (``etag``).
    :param next: the address of the next page, ``None`` after the last.
    """

    status: int
    body: Any
    headers: Mapping[str, str]
    next: str | None = None
    unchanged: bool = False

    @property
    def message(self) -> str:
        """What GitHub says of an error."""
        told: Any = self.body.get("message") if isinstance(self.body, Mapping) else None
        return told if isinstance(told, str) else ""


class Token(Protocol):
    """Whose eyes we look with; a GitHub App's token is renewed as it expires."""

    def value(self) -> str: ...


@dataclass(frozen=True)
class PlainToken:
    """A personal access token, or an installation token that somebody else renews."""

    text: str

    def value(self) -> str:
        return self.text


class Unchanged(Protocol):
    """Answers of earlier runs, by address, for conditional requests, which cost nothing."""

    def get(self, url: str) -> tuple[str, Any, str | None] | None:
        """The ETag, the body, and the next page's address."""
        ...

    def put(self, url: str, etag: str, body: Any, next: str | None) -> None: ...


class Client:
    """One API address, one token, a bounded number of requests at once.

    :param say: told in words whenever we wait.
    :param sleep: waits that many seconds.
    """

    def __init__(
        self,
        token: Token,
        api_url: str = PUBLIC,
        *,
        say: Callable[[str], None] = lambda words: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
        unchanged: Unchanged | None = None,
    ) -> None:
        self.api_url = api_url.rstrip("/")
        self.requests = 0
        self._token = token
        self._say = say
        self._clock = clock
        self._sleep = sleep
        self._unchanged = unchanged
        self._lock = threading.Lock()
        self._wait_until = 0.0
        self._apart = SECONDS_APART if self.api_url == PUBLIC else 0.0
        self._turn = 0.0
        self._pool = pool_for(self.api_url)

    def url(self, path: str, parameters: Mapping[str, Any]) -> str:
        query = urlencode(sorted((k, _word(v)) for k, v in parameters.items()))
        return f"{self.api_url}{path}{'?' + query if query else ''}"

    def get(self, url: str) -> Answer:
        """The answer at *url*. Raises :class:`NoAnswer`."""
        attempt = waits = 0
        while True:
            try:
                answer = self._follow(url)
            except HTTPError as error:
                attempt += 1
                if attempt == ATTEMPTS:
                    raise NoAnswer(f"{type(error).__name__}: {error}") from None
                self._sleep(2.0**attempt / 4)
                continue
            if self._limited(answer) and waits < WAITS:
                waits += 1
                continue
            if answer.status in (500, 502, 503, 504) and attempt < ATTEMPTS - 1:
                attempt += 1
                self._sleep(2.0**attempt / 4)
                continue
            return answer

    def _follow(self, url: str) -> Answer:
        """A repository that was renamed or moved answers with where it is now."""
        for _ in range(REDIRECTS):
            answer = self._send(url)
            location = answer.headers.get("location")
            if answer.status not in REDIRECTED or not location:
                return answer
            there = urljoin(url, location)
            if urlsplit(there)[:2] != urlsplit(url)[:2]:
                return answer  # the token is for this host only
            url = there
        raise NoAnswer(f"{url} redirects without end")

    def _send(self, url: str) -> Answer:
        known = self._unchanged.get(url) if self._unchanged else None
        headers = {
            "Accept": ACCEPT,
            "Authorization": f"Bearer {self._token.value()}",
            "User-Agent": f"cdk-soc2/{__version__}",
            "X-GitHub-Api-Version": API_VERSION,
            **({"If-None-Match": known[0]} if known else {}),
        }
        self._take_turn()
        response = self._pool.request(
            "GET", url, headers=headers, timeout=TIMEOUT, retries=False, redirect=False
        )
        told = {name.lower(): value for name, value in response.headers.items()}
        if response.status == 304 and known:
            return Answer(200, known[1], told, known[2], unchanged=True)
        answer = Answer(response.status, _json(response), told, self._next(told.get("link", "")))
        if self._unchanged and answer.status == 200 and "etag" in told:
            self._unchanged.put(url, told["etag"], answer.body, answer.next)
        return answer

    def _next(self, link: str) -> str | None:
        """The next page, at our own address: the token goes nowhere else."""
        found = NEXT.search(link)
        if not found:
            return None
        there, here = urlsplit(found[1]), urlsplit(self.api_url)
        return there._replace(scheme=here.scheme, netloc=here.netloc).geturl()

    def _take_turn(self) -> None:
        """Wait for whatever limit was met by any thread, then for our place in the row."""
        while True:
            with self._lock:
                now = self._clock().timestamp()
                wait = max(self._wait_until, self._turn) - now
                if wait <= 0:
                    self._turn = now + self._apart
                    self.requests += 1
                    return
            self._sleep(wait)

    def _limited(self, answer: Answer) -> bool:
        """Did a rate limit refuse this request? Then every thread waits until it is lifted."""
        if answer.status not in (403, 429):
            return False
        now = self._clock().timestamp()
        after, reset = (answer.headers.get(n, "") for n in ("retry-after", "x-ratelimit-reset"))
        if after.isdigit():
            until, which = now + int(after), "secondary"
        elif answer.headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
            until, which = float(reset) + 1, "primary"  # its clock may differ by a moment
        elif answer.status == 429 or "rate limit" in answer.message.lower():
            until, which = now + 60, "secondary"  # as GitHub asks when it names no time
        else:
            return False
        with self._lock:
            longer = until > self._wait_until + 1
            self._wait_until = max(self._wait_until, until)
        if longer:
            at = datetime.fromtimestamp(until, UTC)
            self._say(f"GitHub's {which} rate limit is reached; waiting until {at:%H:%M:%S} UTC")
        return True


def pool_for(api_url: str) -> urllib3.PoolManager:
    parts = urlsplit(api_url)
    proxy = None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)
    if proxy:
        return urllib3.ProxyManager(proxy, maxsize=REQUESTS_AT_ONCE, block=True)
    return urllib3.PoolManager(maxsize=REQUESTS_AT_ONCE, block=True)


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _json(response: urllib3.BaseHTTPResponse) -> Any:
    if not response.data:
        return None
    try:
        return json.loads(response.data)
    except ValueError:
        if response.status >= 400:
            return {"message": response.data[:300].decode(errors="replace")}
        raise NoAnswer(f"status {response.status}, and not JSON") from None
