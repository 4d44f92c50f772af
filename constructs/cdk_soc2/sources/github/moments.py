"""Times as GitHub writes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cdk_soc2.answers import malformed, want


def moment(answer: Mapping[str, Any], name: str) -> datetime:
    """The time in the field *name*, UTC. Raises :class:`~cdk_soc2.control.CannotLook`."""
    told = want(answer, name, str)
    try:
        at = datetime.fromisoformat(told)
    except ValueError:
        raise malformed(f"{name} is {told!r}, not a time") from None
    if at.tzinfo is None:
        raise malformed(f"{name} is {told!r}, without a time zone")
    return at.astimezone(UTC)


def moment_if(answer: Mapping[str, Any], name: str) -> datetime | None:
    """As ``moment``; ``None`` where GitHub leaves it out."""
    return moment(answer, name) if answer.get(name) is not None else None


def written(moment: datetime) -> str:
    """*moment* as GitHub's queries take it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
