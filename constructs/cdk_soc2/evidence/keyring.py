"""The public keys that a vault carries, each checked against its own name."""

from __future__ import annotations

from cdk_soc2.evidence.keys import PublicKey
from cdk_soc2.evidence.layout import KEY, key_name
from cdk_soc2.evidence.result import Notes
from cdk_soc2.evidence.store import NotAFile, Store, Version
from cdk_soc2.evidence.versions import histories, read

LARGEST_KEY = 64 * 1024


class Keyring:
    """Every good key under `keys/`; what is not one is noted. Names are digests, so no key can pass
    for another."""

    def __init__(self, store: Store, notes: Notes) -> None:
        self._keys: dict[str, PublicKey] = {}
        self._told: set[str] = set()
        self.versions: list[tuple[str, str]] = []
        for history in histories(store.versions("keys/")):
            found = KEY.fullmatch(history.key)
            if found is None:
                if history.key.rpartition("/")[2].startswith("."):
                    notes.warn(f"foreign file {history.key!r}")
                else:
                    notes.find("unlisted", None, None, history.key, "not a key named by its digest")
                continue
            for kind, detail in history.problems:
                notes.find(kind, None, None, history.key, detail)
            if history.first is None:
                continue
            self.versions.append((history.key, history.first.id))
            try:
                key = PublicKey(_small(store, history.first))
            except (KeyError, NotAFile, ValueError) as error:
                notes.find("key", None, None, history.key, f"not a usable public key: {error}")
                self._told.add(found[1])
                continue
            if key.keyid != found[1]:
                detail = f"holds key {key.keyid}, which is not the one that its name says"
                notes.find("key", None, None, history.key, detail)
                self._told.add(found[1])
                continue
            self._keys[key.keyid] = key

    def get(self, keyid: str) -> PublicKey | None:
        return self._keys.get(keyid)

    def whose(self, message: bytes, signature: bytes) -> str | None:
        """Return the id of the key that made *signature*, whatever it is labelled, or None."""
        return next((k for k, key in self._keys.items() if key.verifies(message, signature)), None)

    def lacks(self, notes: Notes, source: str, sequence: int, keyid: str) -> None:
        """Note, once a key, that *keyid* is needed and not there."""
        if keyid not in self._told:
            self._told.add(keyid)
            notes.find("key", source, sequence, _name(keyid), "the key is not in the vault")


def _small(store: Store, version: Version) -> bytes:
    if version.size > LARGEST_KEY:
        raise ValueError(f"{version.size} bytes are too many for a key")
    return read(store, version)


def _name(keyid: str) -> str:
    return key_name(keyid) if len(keyid) == 64 and keyid.isalnum() else "keys/"
