"""Whether a resource's policy lets EventBridge use it, as far as that can be decided."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, cast

from cdk_soc2.answers import malformed
from cdk_soc2.controls.incident_response.pattern import every, some

EVENTS = "events.amazonaws.com"
Known = Mapping[str, str | None]  # a request's condition keys; None: EventBridge does not send it


def lets_events(text: str, action: str, resource: str, known: Known) -> bool | None:
    """Does the policy in *text* let EventBridge do *action*? A key of conditions that is not *known*
    leaves it open: ``None``. Raises :class:`CannotLook`."""
    try:
        policy: Any = json.loads(text)
    except ValueError:
        raise malformed("the policy is not JSON") from None
    given: Any = policy.get("Statement") if isinstance(policy, Mapping) else None
    statements = _many(given)
    if not all(isinstance(s, Mapping) for s in statements):
        raise malformed(f"Statement of the policy is {given!r}")
    applies = [(s.get("Effect"), _applies(s, action, resource, known)) for s in statements]
    denied = some(ok for effect, ok in applies if effect == "Deny")
    allowed = some(ok for effect, ok in applies if effect == "Allow")
    return every((allowed, None if denied is None else not denied))


def _applies(statement: Mapping[str, Any], action: str, resource: str, known: Known) -> bool | None:
    if {"NotPrincipal", "NotAction", "NotResource"} & statement.keys():
        return None
    return every(
        (
            _principal(statement.get("Principal")),
            any(_like(str(a).lower(), action.lower()) for a in _many(statement.get("Action"))),
            any(_like(str(r), resource) for r in _many(statement.get("Resource"))),
            _conditions(statement.get("Condition") or {}, known),
        )
    )


def _principal(principal: Any) -> bool | None:
    if principal == "*":
        return True
    if not isinstance(principal, Mapping):
        return None
    given = cast(Mapping[str, Any], principal)
    return EVENTS in _many(given.get("Service")) or "*" in _many(given.get("AWS"))


def _conditions(conditions: Any, known: Known) -> bool | None:
    if not isinstance(conditions, Mapping):
        return None
    return every(
        _condition(operator, key.lower(), _many(values), known)
        for operator, keys in cast(Mapping[str, Mapping[str, Any]], conditions).items()
        for key, values in keys.items()
    )


def _condition(operator: str, key: str, values: list[Any], known: Known) -> bool | None:
    if key not in known:
        return None
    value = known[key]
    if operator == "Bool":
        return value in [str(v).lower() for v in values]
    if operator == "StringEquals":
        return value in values
    if operator in ("StringLike", "ArnEquals", "ArnLike"):
        return value is not None and any(_like(str(v), value) for v in values)
    return None


def _like(pattern: str, value: str) -> bool:
    """Does *value* match *pattern*, in which * is any text and ? any character?"""
    parts = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(parts, value, re.DOTALL) is not None


def _many(value: Any) -> list[Any]:
    return cast(list[Any], value) if isinstance(value, list) else [] if value is None else [value]
