"""One local AWS with the compliance stack deployed into it by the real CDK command."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from local.launch import ACCOUNT, LocalAws

ROOT = Path(__file__).parents[2]
STACK = "Compliance"


@dataclass
class Deployed:
    """The stack as it stands in the local AWS, and what one does with it."""

    aws: LocalAws
    outputs: Mapping[str, str]
    scratch: Path
    _clients: dict[tuple[Any, ...], Any] = field(default_factory=dict, init=False, repr=False)

    @property
    def environment(self) -> dict[str, str]:
        path = os.pathsep.join([str(ROOT / ".venv/bin"), str(ROOT / "node_modules/.bin")])
        return os.environ | self.aws.env | {"PATH": f"{path}{os.pathsep}{os.environ['PATH']}"}

    @property
    def bucket(self) -> str:
        return self.outputs["EvidenceBucketName"]

    def client(self, service: str, **where: Any) -> Any:
        """Made once: to make one takes longer than most questions."""
        which = (service, *sorted(where.items()))
        if which not in self._clients:
            self._clients[which] = self.aws.client(service, **where)
        return self._clients[which]

    def collect(self) -> dict[str, Any]:
        """Invoke the deployed collector; what it stored as its verdicts."""
        answer = self.client("lambda").invoke(
            FunctionName=self.outputs["CollectorFunctionName"], Payload=b'{"trigger": "test"}'
        )
        told = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, told
        key = told["evidence_location"].removeprefix(f"s3://{self.bucket}/")
        return json.loads(self.client("s3").get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def verdicts(self) -> dict[str, str]:
        status = self.collect()
        checks = [c for control in status["controls"].values() for c in control["checks"].items()]
        return {id: check["status"] for id, check in checks}

    def soc2(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["soc2", *arguments],
            env=self.environment,
            cwd=self.scratch,
            text=True,
            capture_output=True,
        )

    def cdk(self, *arguments: str) -> str:
        done = subprocess.run(
            [
                *("cdk", *arguments, "--context", "boundary=local/demo.yaml"),
                *("--output", str(self.scratch / "cdk.out")),
            ],
            env=self.environment,
            cwd=ROOT,
            text=True,
            capture_output=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def template(self) -> dict[str, Any]:
        return json.loads((self.scratch / "cdk.out" / f"{STACK}.template.json").read_text())


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    scratch = tmp_path_factory.mktemp("deployed")
    with LocalAws() as aws:
        stack = Deployed(aws, {}, scratch)
        subprocess.run(
            ["cdk", "bootstrap", f"aws://{ACCOUNT}/{aws.region}"],
            env=stack.environment,
            cwd=scratch,
            check=True,
            capture_output=True,
        )
        outputs = scratch / "outputs.json"
        stack.cdk("deploy", STACK, "--require-approval", "never", "--outputs-file", str(outputs))
        stack.outputs = json.loads(outputs.read_text())[STACK]
        yield stack
