"""One object's history: an honest vault has one version of each, so anything more is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from cdk_soc2.evidence.result import Kind
from cdk_soc2.evidence.store import Store, Version


@dataclass(frozen=True, slots=True)
class History:
    """An object's versions. ``first`` is the one that counts: the first written, also under a
    delete marker."""

    key: str
    first: Version | None
    problems: tuple[tuple[Kind, str], ...]


def histories(versions: Iterator[Version]) -> Iterator[History]:
    """Group a store's listing by key."""
    for key, group in groupby(versions, key=lambda v: v.key):
        yield history(key, list(group))


def history(key: str, versions: Sequence[Version]) -> History:
    """Judge the versions of *key*, newest first."""
    if len(versions) == 1 and not versions[0].deleted:
        return History(key, versions[0], ())
    held = [v for v in versions if not v.deleted]
    problems: list[tuple[Kind, str]] = []
    if markers := [v for v in versions if v.deleted]:
        below = "the version below it was read" if held else "no version is left below it"
        when = f"{markers[-1].modified:%Y-%m-%dT%H:%M:%SZ}"
        problems.append(("deleted", f"a delete marker was put over it at {when}; {below}"))
    if len(held) > 1:
        when = ", ".join(f"{v.modified:%Y-%m-%dT%H:%M:%SZ}" for v in reversed(held[:-1]))
        problems.append(("tampered", f"written again at {when}; the first version was read"))
    return History(key, held[-1] if held else None, tuple(problems))


def read(store: Store, version: Version) -> bytes:
    """Return a version's bytes, asking for it by id only where that is needed."""
    return store.get(version.key, None if version.latest else version.id)
