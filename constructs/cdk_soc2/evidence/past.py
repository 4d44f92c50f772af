"""What earlier runs of a source left in the store, for the checks and alerts that compare."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import chain
from threading import Lock
from typing import Any, cast

from cdk_soc2.answers import malformed, want
from cdk_soc2.control import CannotLook
from cdk_soc2.evidence.layout import run_of
from cdk_soc2.evidence.reading import all_statements, began_at
from cdk_soc2.evidence.record import STATUS_FILE, sha256
from cdk_soc2.evidence.statement import Malformed, Named, Statement
from cdk_soc2.evidence.store import Store, StoreRefused, Version

DAYS_AT_ONCE = 16
RUNS_WITHIN = timedelta(minutes=20)  # longer than a Lambda function may run
FIRST_RUNS = timedelta(days=14)  # how far back to look for runs of a source without a ledger yet


class Past:
    """The ledger of *source* in *store*, read once, when first asked.

    :param bucket: the bucket's name, ``None`` for a folder.
    """

    def __init__(self, store: Store, source: str, bucket: str | None) -> None:
        self.bucket = bucket
        self._store = store
        self._source = source
        self._lock = Lock()

    def days(self) -> Mapping[date, bool]:
        """Every UTC day that has a statement: does one of its runs say that it finished?

        Raises :class:`CannotLook`.
        """
        days: dict[date, bool] = {}
        for statement in self._read():
            try:
                began = began_at(statement)
            except Malformed as error:
                raise malformed(f"statement of run {statement.run}: {error}") from None
            if began is not None:
                finished = statement.predicate.get("finished") is True
                days[began.date()] = days.get(began.date(), False) or finished
        return days

    def earlier(self) -> Mapping[str, Any] | None:
        """The last ``control-status.json``, as its statement vouches for it; ``None`` if none.

        Raises :class:`CannotLook`.
        """
        found = self._read()
        if not found:
            return None
        for path, digest in found[0].subject:
            if path.endswith(f"/{STATUS_FILE}"):
                return self._status(path, digest)
        raise malformed(f"statement of run {found[0].run} names no {STATUS_FILE}")

    def _status(self, path: str, digest: str) -> Mapping[str, Any]:
        body = self._get(path)
        if sha256(body) != digest:
            raise CannotLook(f"{path} is not what its statement names", "Run `soc2 verify`.")
        return cast(Mapping[str, Any], json.loads(body))

    def unsealed(self, now: datetime) -> list[Named]:
        """The files of earlier runs that reached their verdicts and never got a statement.

        The verdicts name the digests of the files beside them, so nothing else need be read.
        Raises :class:`CannotLook`.
        """
        found = self._read()
        last = began_at(found[0]) if found else None
        first = last.date() if last else now.date() - FIRST_RUNS
        sealed = {run_of(p) for s in found for p, _ in (*s.subject, *s.unsealed)}
        days = [first + timedelta(days=n) for n in range((now.date() - first).days + 1)]
        with ThreadPoolExecutor(DAYS_AT_ONCE) as pool:
            listed = pool.map(lambda d: self._versions(f"daily/{d}/{self._source}/"), days)
            return [
                file
                for version in chain.from_iterable(listed)
                if version.key.endswith(f"/{STATUS_FILE}") and not version.deleted
                if run_of(version.key) not in sealed and version.modified < now - RUNS_WITHIN
                for file in self._files(version.key)
            ]

    def _versions(self, prefix: str) -> list[Version]:
        try:
            return list(self._store.versions(prefix))
        except StoreRefused as error:
            raise CannotLook(
                f"{prefix} cannot be listed: {error}", f"Allow the collector to list {prefix}."
            ) from None

    def _files(self, path: str) -> list[Named]:
        """What the verdicts at *path* name beside them, and the verdicts themselves."""
        body = self._get(path)
        folder = path.removesuffix(STATUS_FILE)
        beside = want(json.loads(body), "files", dict)
        return [*((f"{folder}{n}", d) for n, d in beside.items()), (path, sha256(body))]

    def _get(self, path: str) -> bytes:
        try:
            return self._store.get(path)
        except (KeyError, StoreRefused) as error:
            raise CannotLook(f"{path} cannot be read: {error}", "Run `soc2 verify`.") from None

    def _read(self) -> list[Statement]:
        with self._lock:
            return self._statements

    @cached_property
    def _statements(self) -> list[Statement]:
        try:
            return all_statements(self._store, self._source)
        except StoreRefused as error:
            raise CannotLook(
                f"the ledger cannot be read: {error}",
                f"Allow the collector to list and read ledger/{self._source}/ in the store.",
            ) from None
