"""What to do about a call that AWS refuses, or that finds nobody."""

from __future__ import annotations

from typing import Any, Protocol, cast

DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
NOT_ENABLED = (
    "AuthFailure",
    "InvalidClientTokenId",
    "OptInRequired",
    "UnrecognizedClientException",
)


class Asker(Protocol):
    """Who made the call: a setting."""

    @property
    def regional(self) -> bool: ...
    @property
    def actions(self) -> tuple[str, ...]: ...


def code(error: BaseException) -> str:
    """AWS's code of *error*; empty for an error that is not of AWS."""
    return cast(Any, error).response["Error"]["Code"] if hasattr(error, "response") else ""


def denied(error: BaseException) -> bool:
    return code(error) in DENIED


def remedy(error: BaseException, asker: Asker) -> str:
    """What to do, when a function whose role has the asker's actions meets *error*."""
    if denied(error):
        elsewhere = ", or take the region out of `regions`" if asker.regional else ""
        return (
            f"the function's role has {', '.join(asker.actions)}, so a service control policy or a "
            f"permissions boundary denies it: allow it there{elsewhere}"
        )
    if code(error) in NOT_ENABLED:
        return "enable the region for this account, or take it out of `regions`"
    if type(error).__name__ in ("EndpointConnectionError", "ConnectTimeoutError"):
        return "check the region's name in `regions`, and that the service is offered there"
    return "see the function's log, then deploy again"
