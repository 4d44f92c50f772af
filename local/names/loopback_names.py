"""Resolves `<account>.127.0.0.1`, the host that SDKs make of our endpoint for S3 Control."""

import socket

_resolve = socket.getaddrinfo
LOOPBACK = "127.0.0.1"


def install() -> None:
    """Resolve names below the loopback address to it, in this process. May be repeated."""
    socket.getaddrinfo = _getaddrinfo  # type: ignore[assignment]


def _getaddrinfo(host, *arguments, **options):  # type: ignore[no-untyped-def]
    if isinstance(host, str) and host.endswith((f".{LOOPBACK}", ".localhost")):
        host = LOOPBACK
    return _resolve(host, *arguments, **options)
