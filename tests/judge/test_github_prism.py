"""GitHub's own examples, served by Prism from GitHub's own description: every request is one that
GitHub knows, and no example, sound or not, breaks the collector."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from cdk_soc2.boundary import Boundary
from cdk_soc2.sources.github.client import Client, PlainToken
from cdk_soc2.sources.github.collect import Wanted, collect
from tests.evidence.memory import MemoryStore
from tests.sources.github.world import lines, verdicts

PRISM = "@stoplight/prism-cli@5.16.0"
DESCRIPTION = "@octokit/openapi@23.0.2"
WHOLE = "package/generated/api.github.com.json"

pytestmark = [
    pytest.mark.judge,
    pytest.mark.skipif(shutil.which("npx") is None, reason="needs node"),
]


@pytest.fixture(scope="module")
def prism(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a mock of api.github.com."""
    folder = tmp_path_factory.mktemp("github")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    call = ["npx", "--yes", PRISM, "mock", "-h", "127.0.0.1", "-p", port, str(_description(folder))]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(call, start_new_session=True, **quiet)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(f"{address}/rate_limit")
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)  # npx starts it as a child
        server.wait(30)


def _description(folder: Path) -> Path:
    """What GitHub publishes, but for one mistake: `created` takes ranges, which are no date-time."""
    packed = ["npm", "pack", "--silent", DESCRIPTION]
    done = subprocess.run(packed, cwd=folder, check=True, capture_output=True, text=True)
    with tarfile.open(folder / done.stdout.strip()) as archive:
        document = json.load(archive.extractfile(WHOLE))  # pyright: ignore[reportArgumentType]
    del document["components"]["parameters"]["created"]["schema"]["format"]
    path = folder / "github.openapi.json"
    path.write_text(json.dumps(document))
    return path


def _wait(url: str) -> None:
    for _ in range(360):
        try:
            with urlopen(url):
                return
        except (URLError, ConnectionError):
            time.sleep(0.5)
    raise AssertionError(f"{url} did not answer within 3 minutes")


def test_githubs_examples_are_read_and_nothing_is_asked_that_github_does_not_know(
    prism: str,
) -> None:
    store = MemoryStore()
    outcome = collect(
        Wanted("octocat", ("Hello-World",)), Boundary(), Client(PlainToken("t"), prism), store,
        None, collector={"version": "0"}, clock=lambda: datetime.now(UTC),
    )  # fmt: skip
    assert outcome.recorded
    found = verdicts(outcome)
    assert found["organization_two_factor"] == "PASS"
    assert found["branch_protection"] == "FAIL"  # GitHub's example does not forbid deletion
    assert found["image_scanning"] == "FAIL"  # it is of CodeQL
    assert found["change_log"] == "UNKNOWN"  # its example commit is its own parent
    asked = [line for line in lines(store) if line.get("page") == 1]
    refused = [x for x in asked if x.get("status") != 200]
    assert not refused, [(x["operation"], x.get("answer")) for x in refused]
