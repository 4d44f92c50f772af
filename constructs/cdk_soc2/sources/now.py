"""Reads from the vault what runs in production, and what scanners found in it, by the last runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cdk_soc2.answers import malformed
from cdk_soc2.evidence.layout import STATEMENT
from cdk_soc2.evidence.reading import statements
from cdk_soc2.evidence.record import sha256
from cdk_soc2.evidence.statement import Statement
from cdk_soc2.evidence.store import Store
from cdk_soc2.sources.production import (
    Running,
    Scans,
    running_applications,
    running_in,
    scans_in,
)

TABLE = "/answers/production.json"
SYNCS = "/answers/change_management"
SCANNED = "/answers/image_scanning"


def production(store: Store) -> tuple[list[Running], Scans, list[str]]:
    """What runs, what was found, and the sources whose last runs told it.

    Raises ``StoreRefused``, ``KeyError`` for a file that is gone, and :class:`CannotLook`.
    """
    last = dict(_last(store))
    running: list[Running] = []
    digests: frozenset[str] = frozenset()
    found: list[Any] = []
    for source, statement in last.items():
        if source.startswith("github-"):
            for body in _files(store, statement, TABLE):
                running += running_in(json.loads(body))
        elif source.startswith("argocd-"):
            running += running_applications(_lines(store, statement, SYNCS), source)
        elif source.startswith("aws-"):
            scans = scans_in(_lines(store, statement, SCANNED))
            digests |= scans.digests
            found += scans.found
    return running, Scans(digests, tuple(found)), sorted(last)


def _last(store: Store) -> Iterator[tuple[str, Statement]]:
    """Each source with its last statement."""
    named = {m[1] for m in (STATEMENT.fullmatch(v.key) for v in store.versions("ledger/")) if m}
    for source in sorted(named):
        for _, statement in statements(store, source):
            yield source, statement
            break


def _files(store: Store, statement: Statement, part: str) -> Iterator[bytes]:
    for path, digest in statement.subject:
        if part in path:
            body = store.get(path)
            if sha256(body) != digest:
                raise malformed(f"{path} is not what its statement names")
            yield body


def _lines(store: Store, statement: Statement, part: str) -> Iterator[Mapping[str, Any]]:
    for body in _files(store, statement, part):
        yield from map(json.loads, body.splitlines())
