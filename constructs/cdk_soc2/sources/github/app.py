"""Whose token is used: one that is given, or that of a GitHub App's installation, renewed in time."""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from urllib3.exceptions import HTTPError

from cdk_soc2.sources.github.client import ACCEPT, PlainToken, Token, pool_for

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

EARLY = timedelta(minutes=5)  # a token lives for an hour; a request must not outlive it
APP = ("GITHUB_APP_ID", "GITHUB_APP_PRIVATE_KEY", "GITHUB_APP_INSTALLATION_ID")


def token_from(api_url: str, environment: Mapping[str, str] = os.environ) -> Token:
    """What the environment gives. Raises `ValueError` when that is nothing, or not enough."""
    given = [environment.get(name, "") for name in APP]
    if all(given):
        id, key, installation = given
        pem = key if key.lstrip().startswith("-----") else _read(key)
        return AppToken(api_url, id, pem.encode(), installation)
    if any(given):
        missing = ", ".join(n for n, value in zip(APP, given, strict=True) if not value)
        raise ValueError(f"{missing} missing; a GitHub App needs {', '.join(APP)}")
    token = environment.get("GITHUB_TOKEN", "")
    if not token:
        raise ValueError(f"no token; set GITHUB_TOKEN, or for a GitHub App {', '.join(APP)}")
    return PlainToken(token)


class AppToken:
    """The token of one installation of a GitHub App, bought with the app's private key."""

    def __init__(
        self,
        api_url: str,
        app: str,
        pem: bytes,
        installation: str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._url = f"{api_url.rstrip('/')}/app/installations/{installation}/access_tokens"
        self._pool = pool_for(api_url)
        self._app = app
        self._key = _key(pem)
        self._clock = clock
        self._lock = threading.Lock()
        self._held: tuple[str, datetime] | None = None

    def value(self) -> str:
        """Raises ``urllib3``'s ``HTTPError`` when GitHub does not give one."""
        with self._lock:
            if self._held is None or self._clock() > self._held[1] - EARLY:
                self._held = self._buy()
            return self._held[0]

    def _buy(self) -> tuple[str, datetime]:
        headers = {
            "Accept": ACCEPT,
            "Authorization": f"Bearer {self._jwt()}",
            "User-Agent": "cdk-soc2",
        }
        response = self._pool.request("POST", self._url, headers=headers, timeout=30, retries=False)
        told: Any = json.loads(response.data or b"{}")
        if response.status != 201:
            raise HTTPError(
                f"GitHub gave the app {self._app} no token: {response.status} {told.get('message')}"
            )
        return told["token"], datetime.fromisoformat(told["expires_at"])

    def _jwt(self) -> str:
        """Signed with RS256, for ten minutes at most, dated back for clocks that differ."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        now = int(self._clock().timestamp())
        claims = {"iat": now - 60, "exp": now + 540, "iss": self._app}
        text = f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part(claims)}"
        signature = self._key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{text}.{_base64(signature)}"


def _key(pem: bytes) -> RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, None)
    except (TypeError, ValueError) as error:
        raise ValueError(f"GITHUB_APP_PRIVATE_KEY is no private key in PEM: {error}") from None
    if not isinstance(key, RSAPrivateKey):
        kind = type(key).__name__
        raise ValueError(f"GITHUB_APP_PRIVATE_KEY is {kind}; give the RSA key that GitHub made")  # noqa: TRY004  its user gave the wrong text
    return key


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(
            f"GITHUB_APP_PRIVATE_KEY {path!r}: {error.strerror}; give the PEM or its path"
        ) from None


def _part(document: Mapping[str, Any]) -> str:
    return _base64(json.dumps(document, separators=(",", ":")).encode())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
