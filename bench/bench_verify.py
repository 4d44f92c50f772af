"""`verify` of a year against a bare loop that reads, hashes and checks one signature a statement."""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
import time
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))

from cdk_soc2.evidence.folder import FolderStore
from cdk_soc2.evidence.keys import verify_signature
from cdk_soc2.evidence.statement import pae
from cdk_soc2.evidence.verify import verify
from tests.evidence.vault import NOW, SOURCE, key, record

DAYS, FILES, ROUNDS = 365, 17, 3


def bare(vault: Path) -> None:
    pem = key(SOURCE).pem
    for path in vault.rglob("*"):
        if path.is_file():
            body = path.read_bytes()
            hashlib.sha256(body).digest()
            if path.name.endswith(".dsse.json"):
                envelope = json.loads(body)
                message = pae(envelope["payloadType"], b64decode(envelope["payload"]))
                assert verify_signature(pem, message, b64decode(envelope["signatures"][0]["sig"]))


def whole(vault: Path) -> None:
    assert verify(FolderStore(vault), now=NOW).ok


def seconds(do: Callable[[Path], None], vault: Path) -> float:
    start = time.perf_counter()
    do(vault)
    return time.perf_counter() - start


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        vault = Path(folder)
        store = FolderStore(vault)
        for number in range(1, DAYS + 1):
            record(store, number, key(SOURCE), count=FILES)
        pairs = [(seconds(whole, vault), seconds(bare, vault)) for _ in range(ROUNDS)]
        ratio = median(ours / theirs for ours, theirs in pairs)
        print(f"verify, {DAYS} days x {FILES} files: {ratio:.2f}x the bare loop")


if __name__ == "__main__":
    main()
