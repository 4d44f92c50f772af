"""What a ledger says, read back without judging it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from cdk_soc2.evidence.layout import STATEMENT, moment
from cdk_soc2.evidence.statement import Malformed, Statement, parse_envelope, parse_statement
from cdk_soc2.evidence.store import Store, Version


def numbers(store: Store, source: str) -> tuple[dict[int, Version | None], tuple[str, ...]]:
    """Each occupied number with its first version (None: only a marker), and the paths of delete
    markers."""
    found_at: dict[int, Version | None] = {}
    markers: list[str] = []
    for version in store.versions(f"ledger/{source}/"):
        found = STATEMENT.fullmatch(version.key)
        if found is None or found[1] != source:
            continue
        number = int(found[2])
        if version.deleted:
            found_at.setdefault(number, None)
            if version.key not in markers:
                markers.append(version.key)
        else:
            found_at[number] = (
                version  # newest first, so the last one seen is the first one written
            )
    return found_at, tuple(markers)


def statements(store: Store, source: str) -> Iterator[tuple[int, Statement]]:
    """Yield number and statement of *source*'s ledger, newest first, unverified; unreadable ones
    are left out."""
    held, _ = numbers(store, source)
    for number, version in sorted(held.items(), reverse=True):
        if version is None:
            continue
        try:
            envelope = parse_envelope(
                store.get(version.key, None if version.latest else version.id)
            )
            yield number, parse_statement(envelope)
        except Malformed:
            continue


def began_at(statement: Statement) -> datetime | None:
    """Return when the statement's window began; None when it does not say. Raises `Malformed`."""
    return window_time(statement.predicate, "start")


def ended_at(statement: Statement) -> datetime | None:
    """Return when the statement's window ended; None when it does not say. Raises `Malformed`."""
    return window_time(statement.predicate, "end")


def window_time(predicate: Mapping[str, Any], field: str) -> datetime | None:
    window = predicate.get("window")
    if window is None:
        return None
    try:
        return moment(window[field])
    except (TypeError, KeyError, ValueError) as error:
        raise Malformed(f"predicate.window.{field} is no time: {error}") from None
