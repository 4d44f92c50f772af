"""The auditor's question, answered from bytes alone: is this evidence whole, unchanged and whose it
says?"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from datetime import UTC, date, datetime, time
from typing import TypeVar

from cdk_soc2.evidence.chain import LARGEST_STATEMENT, Chain, Claim
from cdk_soc2.evidence.keyring import Keyring
from cdk_soc2.evidence.layout import STATEMENT, is_hidden, key_name, run_of
from cdk_soc2.evidence.locks import Locks
from cdk_soc2.evidence.result import Finding, Notes, SourceSummary, Trust, Verification
from cdk_soc2.evidence.runs import Folder, check_run, missing
from cdk_soc2.evidence.store import Locked, NotAFile, Store
from cdk_soc2.evidence.versions import History, histories, read

__all__ = ["Finding", "SourceSummary", "Verification", "verify"]

Job = TypeVar("Job")
Done = TypeVar("Done")
Fetched = tuple[str, int, History, bytes | str | None, str | None]


def verify(
    store: Store,
    *,
    now: datetime,
    sources: Sequence[str] | None = None,
    heads: Mapping[str, str] | None = None,
    keys: Mapping[str, str] | None = None,
    window: tuple[date | None, date | None] | None = None,
    period_end: date | None = None,
    progress: Callable[[int, int], None] | None = None,
    workers: int = 1,
) -> Verification:
    """Recompute a vault: every file's digest, every signature, each ledger's chain.

    *sources* limits it to those. *heads* and *keys* give, by source, the digest and the key's
    fingerprint (hex) that the auditor knows from elsewhere. *window* is the first and last UTC day
    (inclusive, None: open) whose runs' files are recomputed; ledgers are always checked whole.
    Locks must outlast *period_end*, or else *now*. *progress* is told how many of how many runs are
    done. *workers* threads read; one is best for a folder of small files.

    Raises `StoreRefused` when the store cannot be read. What is wrong in the vault is a finding,
    never an error.
    """
    heads, keys = heads or {}, keys or {}
    with ThreadPoolExecutor(workers) if workers > 1 else nullcontext() as pool:
        limit = datetime.combine(period_end, time.max, UTC) if period_end else now
        auditing = _Audit(
            store, pool, workers, Locks(store, limit) if isinstance(store, Locked) else None
        )
        auditing.read_ledgers(None if sources is None else {*sources})
        for source in sorted({*(sources or ()), *heads, *keys}):
            auditing.expect(source)
        auditing.judge_keys(keys)
        auditing.read_runs(window or (None, None), progress)
        return auditing.finish(heads, keys)


class _Audit:
    """One verification under way."""

    def __init__(
        self, store: Store, pool: ThreadPoolExecutor | None, workers: int, locks: Locks | None
    ) -> None:
        self.store = store
        self.pool = pool
        self.workers = workers
        self.locks = locks
        self.notes = Notes()
        self.keyring = Keyring(store, self.notes)
        self.chains: dict[str, Chain] = {}
        self.wanted: set[str] | None = None
        self.runs = 0
        self.files = 0

    def read_ledgers(self, wanted: set[str] | None) -> None:
        self.wanted = wanted
        for source, sequence, history, body, lock in self._ahead(self._fetch, self._statements()):
            self._chain(source).follow(sequence, history, body)
            if lock is not None:
                self.notes.find("retention", source, sequence, history.key, lock)

    def expect(self, source: str) -> None:
        if source not in self.chains:
            self._chain(source)
            path, detail = f"ledger/{source}/", "no statement of this source is in the vault"
            self.notes.find("missing", source, None, path, detail)

    def judge_keys(self, keys: Mapping[str, str]) -> None:
        signed = any(chain.signed for chain in self.chains.values())
        owners: dict[str, str] = {}
        for source, chain in sorted(self.chains.items()):
            for sequence in chain.keys.unsigned if signed else ():
                chain.find(
                    "unsigned", sequence, "nobody signed it, though other statements are signed"
                )
            for key in chain.keys.proven:
                if (owner := owners.setdefault(key, source)) != source:
                    detail = f"it signs for source {owner} too; each source has a key of its own"
                    self.notes.find("key", source, None, key_name(key), detail)
            if (
                source in keys
                and chain.summary.statements
                and keys[source] not in chain.keys.proven
            ):
                detail = f"no statement is signed by the key you trust, {keys[source]}"
                self.notes.find("key", source, None, f"ledger/{source}/", detail)
        if not signed and self.keyring.versions and self.chains:
            self.notes.warn("the vault holds keys, and no statement is signed")
        for key, version in self.keyring.versions if self.locks else ():
            if (lock := self._lock(key, version)) is not None:
                self.notes.find("retention", None, None, key, lock)

    def read_runs(
        self,
        window: tuple[date | None, date | None],
        progress: Callable[[int, int], None] | None,
    ) -> None:
        first = window[0].isoformat() if window[0] else ""
        last = window[1].isoformat() if window[1] else "9999-12-31"
        claims = {
            source: {f: c for f, c in chain.runs.items() if first <= _day(f) <= last}
            for source, chain in self.chains.items()
        }
        total = sum(len(c) for c in claims.values())
        for source, named in claims.items():
            for folder, claim in named.items():
                if claim.unsealed:
                    detail = f"statement {claim.sequence} names its files; they were not signed in their time"
                    self.notes.find("unsealed", source, claim.sequence, folder, detail)

        def jobs() -> Iterator[tuple[Folder, Claim]]:
            for folder in self._folders(first, last):
                claim = claims.get(folder.source, {}).pop(folder.path, None)
                if claim is None:
                    self._orphan(folder)
                else:
                    yield folder, claim

        def check(job: tuple[Folder, Claim]) -> tuple[int, list[Finding]]:
            locked = self._lock if self.locks else None
            return len(job[0].files), check_run(self.store, *job, locked)

        for count, found in self._ahead(check, jobs()):
            self.runs += 1
            self.files += count
            self.notes.add(found)
            if progress is not None:
                progress(self.runs, total)
        for source, named in claims.items():
            self.notes.add(missing(source, named))

    def finish(self, heads: Mapping[str, str], keys: Mapping[str, str]) -> Verification:
        for source, chain in self.chains.items():
            chain.finish(heads.get(source), keys.get(source))
        summaries = tuple(self.chains[s].summary for s in sorted(self.chains))
        held = {s.trust for s in summaries if s.statements}
        trust: Trust = "self-asserted"
        if held <= {"unsigned"}:
            trust = "unsigned"
        elif held == {"trusted"}:
            trust = "trusted"
        if self.locks is not None and self.locks.refused is not None:
            self.notes.warn(f"locks were not checked: {self.locks.refused}")
        return Verification(
            trust,
            summaries,
            self.notes.findings(),
            tuple(self.notes.warnings),
            self.runs,
            self.files,
        )

    def _chain(self, source: str) -> Chain:
        if source not in self.chains:
            self.chains[source] = Chain(source, self.keyring, self.notes)
        return self.chains[source]

    def _statements(self) -> Iterator[tuple[str, int, History]]:
        for history in histories(self.store.versions("ledger/")):
            found = STATEMENT.fullmatch(history.key)
            if found is None:
                self._stray(history.key, "not a statement's name")
            elif self.wanted is None or found[1] in self.wanted:
                yield found[1], int(found[2]), history

    def _fetch(self, job: tuple[str, int, History]) -> Fetched:
        source, sequence, history = job
        first = history.first
        if first is None:
            return source, sequence, history, None, None
        lock = self._lock(first.key, first.id)
        if first.size > LARGEST_STATEMENT:
            return source, sequence, history, f"{first.size} bytes are too many for it", lock
        try:
            return source, sequence, history, read(self.store, first), lock
        except (KeyError, NotAFile) as error:
            return source, sequence, history, f"it cannot be read: {error}", lock

    def _folders(self, first: str, last: str) -> Iterator[Folder]:
        current: Folder | None = None
        foreign: dict[str, int] = {}
        for history in histories(self.store.versions()):
            key = history.key
            if current is not None:
                if key.startswith(current.path):
                    current.files.append(history)
                    continue
                if self._asked(current, first, last):
                    yield current
                current = None
            if (found := run_of(key)) is not None:
                current = Folder(*found, [history])
            elif key.startswith(("daily/", "manual/")):
                self._stray(key, "it lies above the runs' folders")
            elif not key.startswith(("ledger/", "keys/")):
                top = key.partition("/")[0]
                foreign[top] = foreign.get(top, 0) + 1
        if current is not None and self._asked(current, first, last):
            yield current
        for top, count in foreign.items():
            self.notes.warn(
                f"foreign: {top!r} ({count} file(s)) is no part of the vault; not looked at"
            )

    def _asked(self, folder: Folder, first: str, last: str) -> bool:
        return first <= folder.day <= last and (self.wanted is None or folder.source in self.wanted)

    def _orphan(self, folder: Folder) -> None:
        for history in folder.files:
            for kind, detail in history.problems:
                self.notes.find(kind, folder.source, None, history.key, detail)
        self._chain(folder.source).orphans.append((folder.day, folder.path, len(folder.files)))

    def _stray(self, key: str, detail: str) -> None:
        if is_hidden(key):
            self.notes.warn(f"foreign: {key!r} is no part of the vault and was not looked at")
        else:
            self.notes.find("unlisted", None, None, key, detail)

    def _lock(self, key: str, version: str) -> str | None:
        return None if self.locks is None else self.locks.judge(key, version)

    def _ahead(self, work: Callable[[Job], Done], jobs: Iterable[Job]) -> Iterator[Done]:
        """Do *jobs* a few at a time, so that a vault of any size needs little memory; in order."""
        if self.pool is None:
            yield from map(work, jobs)
            return
        waiting: deque[Future[Done]] = deque()
        for job in jobs:
            waiting.append(self.pool.submit(work, job))
            if len(waiting) >= 4 * self.workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _day(folder: str) -> str:
    found = run_of(f"{folder}x")
    return found[2] if found else ""
