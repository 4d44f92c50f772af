"""Asks one Argo CD server, read-only, and keeps every answer with its status and headers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from cdk_soc2.answers import malformed
from cdk_soc2.control import CannotLook
from cdk_soc2.sources.argocd.blank import blanked

Keep = Callable[[Mapping[str, Any]], None]

ATTEMPTS = 3
AGAIN = (429, 500, 502, 503, 504)
LONGEST_WAIT = 30.0  # seconds; a server that asks for more is asked again tomorrow
TIMEOUT = urllib3.Timeout(connect=5, read=20)  # seconds; read: between two pieces of an answer
UNKEPT = ("set-cookie",)  # may hold a session, which is no evidence
BODY_KEPT = 4096  # characters of an answer that is not JSON: an error page tells enough by then
LOOPBACK = ("127.0.0.1", "::1", "localhost")
NOT_THERE = 404


class BadAddress(ValueError):
    """The server's address, or the token, cannot be used. Says what to write."""


def base_url(address: str) -> str:
    """*address* as ``https://host[:port][/path]``. As with Argo CD's own command, the scheme may be
    left out. Raises :class:`BadAddress`."""
    url = address if "://" in address else f"https://{address}"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if not host or parts.scheme not in ("https", "http") or parts.query or parts.fragment:
        raise BadAddress(f"server {address!r} is no address; write https://argocd.example.com")
    if parts.username is not None:
        raise BadAddress("the server's address holds a user; give the token in ARGOCD_AUTH_TOKEN")
    if parts.scheme == "http" and host not in LOOPBACK:
        raise BadAddress(f"server {address!r}: the token would travel in the clear; use https")
    return url.rstrip("/")


class Server:
    """One Argo CD server.

    :param token: an account's or a project's token; it is sent, and never kept.
    :param keep: takes each answer, as one record.
    :param sleep: waits that many seconds.

    Raises :class:`BadAddress`.
    """

    def __init__(
        self,
        address: str,
        token: str,
        keep: Keep,
        *,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
        timeout: urllib3.Timeout = TIMEOUT,
    ) -> None:
        self.url = base_url(address)
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            # Said here: the HTTP library would say it with the token.
            raise BadAddress("the token in ARGOCD_AUTH_TOKEN has blanks or is empty; paste it anew")
        self._keep = keep
        self._clock = clock
        self._sleep = sleep
        self._http = urllib3.PoolManager(
            headers={
                "Authorization": f"Bearer {token}",
                "Accept": "application/json",
                "User-Agent": "cdk-soc2",
            },
            timeout=timeout,
            retries=False,  # each attempt is an answer of its own, and kept
        )

    def get(
        self, path: Sequence[str], *, needs: str, **query: str | Sequence[str]
    ) -> dict[str, Any]:
        """The JSON object at *path*, a sequence of steps. Raises :class:`CannotLook`.

        :param needs: the permission that the question needs, said when it is denied.
        """
        answer = self.find(path, needs=needs, **query)
        if answer is None:
            raise CannotLook(
                f"GET {_url(path)} of {self.url}: 404 Not Found",
                "Check that --server is the address of Argo CD's API server, with its path if it "
                "has one.",
            )
        return answer

    def find(
        self, path: Sequence[str], *, needs: str, **query: str | Sequence[str]
    ) -> dict[str, Any] | None:
        """As :meth:`get`; ``None`` where the server answers 404."""
        where = _url(path)
        status, body = self._ask(where, query)
        if status == NOT_THERE:
            return None
        if status != 200:
            raise self._refused(where, status, body, needs)
        if not isinstance(body, dict):
            raise malformed(f"GET {where} of {self.url} is not a JSON object: {str(body)[:80]!r}")
        return body

    def _ask(self, where: str, query: Mapping[str, str | Sequence[str]]) -> tuple[int, Any]:
        """Status and body of the answer; asks anew what a server may answer better a moment later."""
        given = urlencode(query, doseq=True)
        url = f"{self.url}{where}" + (f"?{given}" if given else "")
        for attempt in range(1, ATTEMPTS + 1):
            line = {
                "service": "argocd",
                "operation": f"GET {where}",
                "parameters": dict(query),
                "region": None,
                "server": self.url,
                "attempt": attempt,
            }
            wait = 0.5 * 2**attempt
            try:
                answer = self._http.request("GET", url, redirect=False)
                body = _body(answer.data)
            except HTTPError as error:
                told = {"code": type(error).__name__, "message": str(error)}
                self._keep({**line, "request_id": None, "time": self._clock(), "error": told})
                if attempt == ATTEMPTS:
                    raise self._silent(where, error) from error
            else:
                headers = {k.lower(): v for k, v in answer.headers.items()}
                self._keep(
                    {
                        **line,
                        "request_id": headers.get("x-request-id"),
                        "time": self._clock(),
                        "status": answer.status,
                        "headers": {k: v for k, v in headers.items() if k not in UNKEPT},
                        "answer": blanked(body),
                    }
                )
                if answer.status not in AGAIN or attempt == ATTEMPTS:
                    return answer.status, body
                wait = _asked_for(headers.get("retry-after")) or wait
            self._sleep(min(wait, LONGEST_WAIT))
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _refused(self, where: str, status: int, body: Any, needs: str) -> CannotLook:
        said = body.get("message", "") if isinstance(body, dict) else ""
        reason = f"GET {where} of {self.url}: {status} {said}".strip()
        if status == 401:
            return CannotLook(reason, "Renew the token in ARGOCD_AUTH_TOKEN; it was not accepted.")
        if status == 403:
            return CannotLook(
                reason, f"Allow the token's account {needs} in Argo CD's RBAC policy."
            )
        if 300 <= status < 400:
            return CannotLook(
                f"{reason} (a redirect, which is not followed with a token)",
                "Give --server the final address; a login page before Argo CD must let tokens by.",
            )
        return CannotLook(reason, "Mend the server, or wait until it is well, and run again.")

    def _silent(self, where: str, error: Exception) -> CannotLook:
        return CannotLook(
            f"GET {where} of {self.url} got no answer: {type(error).__name__}: {error}",
            "Check the address, its certificate (SSL_CERT_FILE names a private authority), and "
            "that it can be reached from where this runs; then run again.",
        )


def _url(path: Sequence[str]) -> str:
    return "/" + "/".join(quote(step, safe="*") for step in path)


def _body(data: bytes) -> Any:
    """JSON if it is; else the beginning of the text."""
    try:
        return json.loads(data)
    except ValueError:
        return data.decode(errors="replace")[:BODY_KEPT]


def _asked_for(retry_after: str | None) -> float | None:
    return float(retry_after) if retry_after and retry_after.isdigit() else None
