"""What a ledger says, read back without judging it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from cdk_soc2.evidence.layout import STATEMENT, moment
from cdk_soc2.evidence.statement import Malformed, Statement, parse_envelope, parse_statement
from cdk_soc2.evidence.store import Store, Version

READ_AT_ONCE = 16


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
    are left out. One at a time, for who needs only the newest; :func:`all_statements` is quicker."""
    for number, version in _newest_first(store, source):
        statement = _read(store, version)
        if statement is not None:
            yield number, statement


def all_statements(store: Store, source: str) -> list[Statement]:
    """Every readable statement of *source*'s ledger, newest first, unverified; read concurrently."""
    versions = [version for _, version in _newest_first(store, source)]
    with ThreadPoolExecutor(READ_AT_ONCE) as pool:
        read = pool.map(lambda version: _read(store, version), versions)
        return [statement for statement in read if statement is not None]


def _newest_first(store: Store, source: str) -> list[tuple[int, Version]]:
    held, _ = numbers(store, source)
    found = [(number, version) for number, version in held.items() if version is not None]
    return sorted(found, key=lambda pair: -pair[0])


def _read(store: Store, version: Version) -> Statement | None:
    body = store.get(version.key, None if version.latest else version.id)
    try:
        return parse_statement(parse_envelope(body))
    except Malformed:
        return None


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
