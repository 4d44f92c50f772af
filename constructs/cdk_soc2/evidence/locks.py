"""Whether Object Lock still protects what it should, where the store can tell."""

from __future__ import annotations

from datetime import datetime

from cdk_soc2.evidence.store import Locked, StoreRefused


class Locks:
    """Judges locks against *limit*: the end of the audit's period, or now."""

    def __init__(self, store: Locked, limit: datetime) -> None:
        self._store = store
        self._limit = limit
        self.refused: str | None = None

    def judge(self, key: str, version: str) -> str | None:
        """Return what is wrong with a version's lock, or None; after a refusal, ``refused`` says
        why none is judged."""
        if self.refused is not None:
            return None
        try:
            lock = self._store.retention(key, version)
        except StoreRefused as error:
            self.refused = str(error)
            return None
        if lock is None:
            return "no lock protects it"
        mode, until = lock
        if until < self._limit:
            return f"its {mode} lock ends {until:%Y-%m-%d}, before {self._limit:%Y-%m-%d}"
        return None
