"""One source's statements, from the first to the last: whose they are, and whether each follows the
one before."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from cdk_soc2.evidence.keyring import Keyring
from cdk_soc2.evidence.layout import MANUAL, is_plain, run_of, statement_name
from cdk_soc2.evidence.ledger import OVERLAP
from cdk_soc2.evidence.reading import began_at, ended_at
from cdk_soc2.evidence.result import Kind, Notes, SourceSummary
from cdk_soc2.evidence.statement import Malformed, Statement, parse_envelope, parse_statement
from cdk_soc2.evidence.succession import Succession
from cdk_soc2.evidence.versions import History

LARGEST_STATEMENT = 16 * 1024 * 1024


@dataclass(slots=True)
class Claim:
    """What a statement says of one run: its files, or None when the statement itself cannot be
    believed."""

    sequence: int
    files: Mapping[str, str] | None
    unsealed: bool = False


@dataclass(slots=True)
class Lost:
    """Statements in a row that cannot be read, and the runs of the statements around them."""

    first: int
    last: int
    after: tuple[str, str] | None
    before: tuple[str, str] | None = None


class Chain:
    """Takes a source's statements in order with `follow`, then `finish`; afterwards ``runs`` holds
    what they name."""

    def __init__(self, source: str, keyring: Keyring, notes: Notes) -> None:
        self.summary = SourceSummary(source)
        self.runs: dict[str, Claim] = {}
        self.lost: list[Lost] = []
        self.digests: dict[str, int] = {}
        self.orphans: list[tuple[str, str, int]] = []
        self._source = source
        self.keys = Succession(source, keyring, notes)
        self._notes = notes
        self._before: tuple[int, str | None] | None = None
        self._next = 1
        self._run: tuple[str, str] | None = None
        self._began: datetime | None = None

    def follow(self, sequence: int, history: History, body: bytes | str | None) -> None:
        """Judge the statement at *sequence*: its bytes, the reason why they cannot be read, or None
        if there are none."""
        if sequence > self._next:
            count = sequence - self._next
            what = (
                "this statement is" if count == 1 else f"{count} statements, to {sequence - 1}, are"
            )
            self.find("hole", self._next, f"{what} missing from the ledger")
            self._lose(self._next, sequence - 1)
        self._next = sequence + 1
        for kind, detail in history.problems:
            self.find(kind, sequence, detail)
        if body is None:
            self._lose(sequence, sequence)
            return
        summary = self.summary
        summary.statements += 1
        summary.first = summary.first or sequence
        summary.last = sequence
        before, self._before = self._before, (sequence, None)
        if isinstance(body, str):
            self.find("tampered", sequence, body)
            self._lose(sequence, sequence)
            return
        summary.head = digest = hashlib.sha256(body).hexdigest()
        self.digests.setdefault(digest, sequence)
        self._before = sequence, digest
        try:
            envelope = parse_envelope(body)
            statement = parse_statement(envelope)
        except Malformed as error:
            self.find("tampered", sequence, str(error))
            self._lose(sequence, sequence)
            return
        believed = self.keys.believes(sequence, envelope, statement)
        if statement.source != self._source:
            self.find("tampered", sequence, f"it is a statement of source {statement.source!r}")
        if statement.sequence != sequence:
            self.find("tampered", sequence, f"it says that its number is {statement.sequence}")
        if believed:
            self._check_link(sequence, statement, before)
            if statement.sequence == sequence:  # the order of strays says nothing about time
                self._check_window(sequence, statement)
        self._take_runs(sequence, statement, believed)

    @property
    def signed(self) -> bool:
        """Whether any statement carries a signature, good or bad."""
        return self.keys.key is not None

    def finish(self, head: str | None, key: str | None) -> None:
        """Close the books with the *head* and the *key* that the auditor knows, if any."""
        summary = self.summary
        summary.key, summary.keys = self.keys.key, self.keys.proven
        if self.signed:
            summary.trust = "trusted" if key in self.keys.proven else "self-asserted"
        self._judge_orphans()
        if head is None or not summary.statements:
            return
        summary.vouched = self.digests.get(head)
        if summary.vouched is None:
            detail = (
                f"no statement has the known head {head}: the ledger's end was cut off or rewritten"
            )
            self._notes.find("missing", self._source, None, f"ledger/{self._source}/", detail)

    def _judge_orphans(self) -> None:
        """A run without a statement is unfinished, unless a lost statement may have named it."""
        for gap in self.lost:
            low, high = gap.after or ("", ""), gap.before or ("~", "")
            between = [
                orphan
                for orphan in self.orphans
                # A document lies under the day it is effective, which tells nothing of its turn.
                if self._source == MANUAL or low < (orphan[0], _id(orphan[1])) < high
            ]
            if len(between) <= gap.last - gap.first + 1:
                for orphan in between:
                    self.orphans.remove(orphan)
                    lost = statement_name(self._source, gap.first)
                    self._notes.warn(f"{orphan[1]}: its statement may have been the lost {lost}")
        for _, folder, count in self.orphans:
            detail = f"no statement names this run and its {count} file(s)"
            self._notes.find("unfinished", self._source, None, folder, detail)

    def _check_link(
        self, sequence: int, statement: Statement, before: tuple[int, str | None] | None
    ) -> None:
        if sequence == 1:
            if statement.previous is not None:
                self.find("tampered", sequence, "it is the first, and names one before it")
            return
        if statement.previous is None:
            self.find("tampered", sequence, "it does not name the statement before it")
            return
        name, digest = statement.previous
        direct = statement_name(self._source, sequence - 1)
        if before is None or before[0] != sequence - 1:
            # What lay between is gone, and said to be; a writer may have met only its marker.
            if name == direct:
                return
            if before is None or name != statement_name(self._source, before[0]):
                self.find("tampered", sequence, f"it follows {name!r}, not {direct!r}")
                return
        elif name != direct:
            self.find("tampered", sequence, f"it follows {name!r}, not {direct!r}")
            return
        if before[1] != digest:
            detail = (
                f"statement {sequence} recorded it with digest {digest}; its bytes have {before[1]}"
            )
            self.find("tampered", before[0], detail)

    def _check_window(self, sequence: int, statement: Statement) -> None:
        try:
            began, ended = began_at(statement), ended_at(statement)
        except Malformed as error:
            self.find("tampered", sequence, str(error))
            return
        name = statement_name(self._source, sequence)
        if began is None or ended is None:
            self._notes.warn(f"{name}: it does not say when its run began and ended")
            return
        window = statement.predicate["window"]
        self.summary.began = self.summary.began or window["start"]
        self.summary.ended = window["end"]
        earlier, self._began = self._began, began
        if earlier is None or began >= earlier:
            return
        together = earlier <= ended and earlier - began <= OVERLAP
        if together and statement.predicate.get("overlaps") == sequence - 1:
            self._notes.warn(f"{name}: its run and the one before it ran at the same time")
            return
        detail = f"its window begins at {window['start']}, before that of the statement before it"
        self.find("backdated", sequence, detail)

    def _take_runs(self, sequence: int, statement: Statement, believed: bool) -> None:
        folders: set[str] = set()
        files: dict[str, str] = {}
        for path, digest in statement.subject:
            found = run_of(path) if is_plain(path) else None
            if (
                found is None
                or found[1] != self._source
                or not found[0].endswith(f"/{statement.run}/")
            ):
                self._amiss(
                    sequence, path, "it is named as a file of a run in whose folder it is not"
                )
                continue
            if path in files:
                self._amiss(sequence, path, "it is named twice")
            files[path] = digest
            folders.add(found[0])
            self._run = found[2], statement.run
        if len(folders) > 1:
            self.find("tampered", sequence, f"it names {len(folders)} folders for one run")
        self._close_gap(sequence)
        for folder in folders:
            if statement.predicate.get("finished") is False:
                detail = f"statement {sequence} itself says that the run did not finish"
                self._notes.find("unfinished", self._source, sequence, folder, detail)
            self._check_day(sequence, folder, statement)
            if folder in self.runs and not self.runs[folder].unsealed:
                name = statement_name(self._source, sequence)
                self._notes.warn(
                    f"{name}: statement {self.runs[folder].sequence} names {folder} too"
                )
            own = (
                files
                if len(folders) == 1
                else {p: d for p, d in files.items() if p.startswith(folder)}
            )
            self.runs[folder] = Claim(sequence, own if believed else None)
        late: dict[str, dict[str, str]] = {}
        for path, digest in statement.unsealed:
            found = run_of(path) if is_plain(path) else None
            if found is None or found[1] != self._source or found[0] in folders:
                self._amiss(
                    sequence, path, "it is named as unsealed, and in no earlier run of the source"
                )
                continue
            late.setdefault(found[0], {})[path] = digest
        for folder, named in late.items():
            self.runs.setdefault(
                folder, Claim(sequence, named if believed else None, unsealed=True)
            )

    def _check_day(self, sequence: int, folder: str, statement: Statement) -> None:
        try:
            began = began_at(statement)
        except Malformed:
            return
        if began is None or not folder.startswith("daily/"):
            return
        day = began.astimezone(UTC).date().isoformat()
        if folder.split("/", 2)[1] != day:
            self.find("backdated", sequence, f"its run lies in {folder}, but it began on {day}")

    def _lose(self, first: int, last: int) -> None:
        if self.lost and self.lost[-1].last == first - 1:
            self.lost[-1].last = last
        else:
            self.lost.append(Lost(first, last, self._run))

    def _close_gap(self, sequence: int) -> None:
        if self.lost and self.lost[-1].last == sequence - 1:
            self.lost[-1].before = self._run

    def find(self, kind: Kind, sequence: int, detail: str) -> None:
        name = statement_name(self._source, sequence)
        self._notes.find(kind, self._source, sequence, name, detail)

    def _amiss(self, sequence: int, path: str, detail: str) -> None:
        self._notes.find("tampered", self._source, sequence, path, detail)


def _id(folder: str) -> str:
    return folder.rstrip("/").rpartition("/")[2]
