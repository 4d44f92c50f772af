"""Vaults as the collector leaves them, made by the code that it uses."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cdk_soc2.evidence.keys import PemSigner
from cdk_soc2.evidence.layout import run_folder
from cdk_soc2.evidence.ledger import Appended, append
from cdk_soc2.evidence.signer import Signer
from cdk_soc2.evidence.store import Store
from cdk_soc2.evidence.verify import Verification, verify

SOURCE = "aws-123456789012"
OTHER = "aws-210987654321"
DAY = date(2026, 9, 1)
NOW = datetime(2026, 11, 23, tzinfo=UTC)


@cache
def key(name: str) -> PemSigner:
    """A private key of that name, made once."""
    private = ec.generate_private_key(ec.SECP256R1())
    return PemSigner(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def run_id(number: int) -> str:
    return f"{number % 24:02d}0003Z-{number:08x}"


def folder(number: int, source: str = SOURCE) -> str:
    """The folder of the run of day *number*, counting from 1."""
    control = "tabletop" if source == "manual" else None
    return run_folder(source, DAY + timedelta(days=number - 1), run_id(number), control)


def window(number: int) -> dict[str, str]:
    began = datetime.combine(DAY, datetime.min.time(), UTC) + timedelta(days=number - 1)
    return {"start": f"{began:%Y-%m-%dT%H:%M:%SZ}", "end": f"{began:%Y-%m-%dT00:05:00Z}"}


def write_files(
    store: Store, number: int, source: str = SOURCE, count: int = 2
) -> list[tuple[str, str]]:
    """Store the files of run *number*; return their names and digests."""
    verdicts = "attachment.json" if source == "manual" else "control-status.json"
    names = [verdicts, *(f"answers/control-{n}.ndjson" for n in range(count - 1))]
    named: list[tuple[str, str]] = []
    for name in names:
        body = f'{{"file":"{name}","run":{number},"source":"{source}"}}\n'.encode()
        path = folder(number, source) + name
        store.put(path, body)
        named.append((path, hashlib.sha256(body).hexdigest()))
    return named


def record(
    store: Store,
    number: int,
    signer: Signer | None,
    source: str = SOURCE,
    *,
    count: int = 2,
    unsealed: Sequence[tuple[str, str]] = (),
    next_key: str | None = None,
    predicate: Mapping[str, Any] | None = None,
) -> Appended:
    """Make run *number* from its files to its statement."""
    said = {
        "regions": {"expected": ["us-east-1"], "collected": ["us-east-1"]},
        "checks": {"expected": ["cloudtrail"], "run": ["cloudtrail"], "errors": []},
        "collector": {"version": "0.1.0"},
        "window": window(number),
        "finished": True,
    }
    return append(
        store,
        signer,
        source=source,
        run=run_id(number),
        subject=write_files(store, number, source, count),
        predicate=said if predicate is None else predicate,
        unsealed=unsealed,
        next_key=next_key,
        sleep=lambda seconds: None,
    )


def fill(store: Store, runs: int = 4, sources: Sequence[str] = (SOURCE, OTHER)) -> None:
    """A vault of *runs* days and *sources*, each with its own key."""
    for source in sources:
        for number in range(1, runs + 1):
            record(store, number, key(source), source)


def check(store: Store, **given: Any) -> Verification:
    return verify(store, now=NOW, **given)


def found(result: Verification) -> list[tuple[str, int | None, str]]:
    """Kind, number and path of every finding."""
    return [(f.kind, f.sequence, f.path) for f in result.findings]
