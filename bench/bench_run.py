"""Round trips on the critical path of a run: how much slower it gets with slower answers."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from cdk_soc2.boundary import parse
from tests.aws import FakeSession
from tests.evidence.memory import MemoryStore
from tests.evidence.vault import key
from tests.good import ACCOUNT_STATE
from tests.test_collect import run

LATENCY = 0.2
REGIONS = {2: 2, 17: 17}


class SlowStore(MemoryStore):
    """Every call of the store takes its time, too."""

    def __init__(self, latency: float) -> None:
        super().__init__()
        self._latency = latency

    def get(self, *given: Any) -> bytes:
        time.sleep(self._latency)
        return super().get(*given)

    def put(self, *given: Any) -> None:
        time.sleep(self._latency)
        super().put(*given)

    def versions(self, prefix: str = "") -> Any:
        time.sleep(self._latency)
        return super().versions(prefix)


class SlowSigner:
    """KMS, as far as time goes."""

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self.keyid, self.pem = key("a").keyid, key("a").pem

    def sign(self, message: bytes) -> bytes:
        time.sleep(self._latency)
        return key("a").sign(message)


def slow(answer: Any, latency: float) -> Callable[..., Any]:
    def call(**parameters: Any) -> Any:
        time.sleep(latency)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return call


def seconds(regions: int, latency: float) -> float:
    names = [f"eu-west-{n}" for n in range(1, regions + 1)]
    state = {question: slow(answer, latency) for question, answer in ACCOUNT_STATE.items()}
    start = time.monotonic()
    outcome = run(
        SlowStore(latency),
        signer=SlowSigner(latency),
        boundary=parse({"regions": names}),
        session=FakeSession(state),
    )
    assert outcome.recorded, outcome.trouble
    return time.monotonic() - start


def main() -> None:
    print("round trips on the critical path (first run of a source, KMS public key not counted)")
    for regions in REGIONS:
        trips = (seconds(regions, LATENCY) - seconds(regions, 0)) / LATENCY
        print(f"  {regions:3} regions: {trips:.1f}")


if __name__ == "__main__":
    main()
