"""CPU seconds to synthesize the whole app against an empty one, the CDK's own validation on."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
EMPTY = "import aws_cdk as cdk\napp = cdk.App()\ncdk.Stack(app, 'Empty')\napp.synth()\n"
ROUNDS = 3


def cpu_seconds(*command: str) -> float:
    """User and system time of the command and everything it starts."""
    with tempfile.TemporaryDirectory() as out:
        environment = os.environ | {"CDK_OUTDIR": out, "NODE_NO_WARNINGS": "1"}
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, f"{command} ended with {process.returncode}"
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    pairs = [
        (cpu_seconds(sys.executable, "app.py"), cpu_seconds(sys.executable, "-c", EMPTY))
        for _ in range(ROUNDS)
    ]
    ours, empty = (median(values) for values in zip(*pairs, strict=True))
    ratio = median(a / b for a, b in pairs)
    print(f"synth with guard and cdk-nag: {ours:.1f} CPU s, empty app {empty:.1f}: {ratio:.2f}x")


if __name__ == "__main__":
    main()
