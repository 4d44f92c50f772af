"""Vaults whose bytes are vouched for and make no sense: an answer or a sentence, never a crash."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from cdk_soc2.audit.archive import Archive
from cdk_soc2.audit.cells import to_json
from cdk_soc2.audit.documents import read_documents
from cdk_soc2.audit.observation import NothingToObserve, observe
from cdk_soc2.audit.plan import plan
from cdk_soc2.audit.readiness import readiness
from cdk_soc2.control import matrix
from tests.audit.year import FEW, START, A, Bucket, Year
from tests.fakes import ACCOUNT

JUNK = (
    None, True, -1, 1e308, "", "9999-12-31", "0001-01-01 to 9999-12-31", "2026-13-01",
    [], {}, [None], {"a": 1}, "\x1b[31m", "../../x", 10**400,
)  # fmt: skip
Files = dict[str, bytes]


@pytest.fixture(scope="module")
def honest() -> Files:
    year = Year(5)
    for n in (1, 2, 4, 5):
        year.record(n, ACCOUNT)
    for document in ("runbook", "identity_provider_mfa"):
        year.attach(1, document)
    year.explain(4, ("evidence", None, None, A), 3, 3)
    return {v.key: year.store.get(v.key) for v in year.store.versions()}


def nodes(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every holder in *value* with every key or index of it."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from nodes(value[key])


def spoil(body: bytes, chance: random.Random) -> bytes:
    """*body* with one value gone, or another in its place."""
    document = json.loads(body)
    holder, key = chance.choice(list(nodes(document)))
    if chance.random() < 0.3:
        del holder[key]
    else:
        holder[key] = copy.deepcopy(chance.choice(JUNK))
    return json.dumps(document).encode()


def restate(envelope: bytes, change: Any) -> bytes:
    """*envelope* with its statement changed; nobody here looks at the signature."""
    document = json.loads(envelope)
    payload = change(base64.b64decode(document["payload"]))
    document["payload"] = base64.b64encode(payload).decode()
    return json.dumps(document).encode()


def hostile(honest: Files, seed: int) -> Bucket:
    """The vault with one file spoilt, and named by its statement as if it were right."""
    chance = random.Random(seed)
    files = dict(honest)
    key = chance.choice([k for k in files if k.endswith(".json")])
    if key.startswith("ledger/"):
        files[key] = restate(files[key], lambda payload: spoil(payload, chance))
    else:
        files[key] = spoil(files[key], chance)
        old, new = (hashlib.sha256(f[key]).hexdigest().encode() for f in (honest, files))
        for name in [k for k in files if k.startswith("ledger/")]:
            files[name] = restate(files[name], lambda payload: payload.replace(old, new))
    store = Bucket()
    for name, body in files.items():
        store.put(name, body)
    return store


def look(store: Bucket) -> None:
    year = Year(5)
    seen = year.observe(store)
    told = (
        to_json(seen.coverage, seen.begins),
        [g.to_json() for g in seen.gaps],
        plan(START, year.day(5), seen).to_json(),
    )
    assert json.loads(json.dumps(told))
    archive = Archive(store, year.at(5))
    documents = read_documents(store, archive.manual) if archive.manual else {}
    assert readiness(matrix(FEW), archive.as_of(year.day(5)), documents, year.day(5)).rows
    assert observe(archive, matrix(FEW), year.day(2), year.day(4)).gaps


@pytest.mark.parametrize(
    "hundred", [0, *(pytest.param(n, marks=pytest.mark.judge) for n in range(1, 20))]
)
def test_nothing_breaks(honest: Files, hundred: int) -> None:
    for seed in range(hundred * 100, hundred * 100 + 100):
        try:
            look(hostile(honest, seed))
        except NothingToObserve:
            continue
        except Exception as error:
            raise AssertionError(f"seed {seed}") from error
