"""The files of a run, recomputed from their bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cdk_soc2.evidence.chain import Claim
from cdk_soc2.evidence.result import Finding
from cdk_soc2.evidence.store import NotAFile, Store, Version
from cdk_soc2.evidence.versions import History

BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Folder:
    """A run's folder as it was listed."""

    path: str
    source: str
    day: str
    files: list[History]


def check_run(
    store: Store,
    folder: Folder,
    claim: Claim,
    locked: Callable[[str, str], str | None] | None,
) -> list[Finding]:
    """Compare the files in *folder* with what their statement says; *locked* tells what is wrong
    with a file's lock."""
    found: list[Finding] = []
    source, sequence = folder.source, claim.sequence
    named = claim.files
    seen: set[str] = set()
    for history in folder.files:
        key, first = history.key, history.first
        seen.add(key)
        for kind, detail in history.problems:
            found.append(Finding(kind, source, sequence, key, detail))
        if first is None:
            continue
        if named is not None:
            if key not in named:
                detail = f"it lies in the run's folder, and statement {sequence} does not name it"
                found.append(Finding("unlisted", source, sequence, key, detail))
            else:
                found += _compare(store, first, source, sequence, named[key])
        if locked is not None and (detail := locked(key, first.id)) is not None:
            found.append(Finding("retention", source, sequence, key, detail))
    for key in named or ():
        if key not in seen:
            found.append(gone(source, sequence, key))
    return found


def gone(source: str, sequence: int, key: str) -> Finding:
    """Return the finding for a file that is named and not there."""
    return Finding(
        "missing", source, sequence, key, f"statement {sequence} names it; it is not there"
    )


def _compare(
    store: Store, version: Version, source: str, sequence: int, digest: str
) -> list[Finding]:
    key = version.key
    try:
        actual = digest_of(store, version)
    except KeyError:
        return [gone(source, sequence, key)]
    except NotAFile as error:
        return [Finding("tampered", source, sequence, key, str(error))]
    if actual == digest:
        return []
    detail = f"statement {sequence} recorded digest {digest}; its bytes have {actual}"
    return [Finding("tampered", source, sequence, key, detail)]


def digest_of(store: Store, version: Version) -> str:
    """Return the hex SHA-256 of a version, streamed."""
    sha256 = hashlib.sha256()
    # One read more than it needs finds what the listing did not know; small files need small buffers.
    block = min(BLOCK, version.size + 1)
    with store.open(version.key, None if version.latest else version.id) as file:
        while data := file.read(block):
            sha256.update(data)
    return sha256.hexdigest()


def missing(source: str, claims: Mapping[str, Claim]) -> list[Finding]:
    """Return a finding for each file of the runs that were never met in the vault."""
    return [gone(source, c.sequence, key) for c in claims.values() for key in c.files or ()]
