"""Shows the whole job in a local AWS: deploy, collect, lock, verify, break a control, see it fail."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from local.launch import ACCOUNT, LocalAws, LocalAwsError

ROOT = Path(__file__).resolve().parents[1]
BOUNDARY = Path("local/demo.yaml")
BROKEN_REGION = "eu-west-1"
CDK_OUT = "cdk.out"


class DemoFailed(Exception):
    """A step did not do what it should; the message is what to read."""


class Narrator:
    """Says what each step does, and how long it took."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._number = 0

    @contextmanager
    def step(self, what: str) -> Iterator[list[str]]:
        """Lines appended to what is yielded are shown below the step."""
        self._number += 1
        print(f"{self._number:2}  {what} ...", end="", flush=True)
        start = time.monotonic()
        lines: list[str] = []
        try:
            yield lines
        except BaseException:
            print(" failed", flush=True)
            raise
        print(f" {time.monotonic() - start:.1f} s", flush=True)
        for line in lines:
            print(f"      {line}")

    def total(self) -> float:
        return time.monotonic() - self._began


def main() -> int:
    signal.signal(signal.SIGTERM, _end)
    narrator = Narrator()
    try:
        with tempfile.TemporaryDirectory(prefix="soc2-demo-") as scratch:
            with narrator.step("start a local AWS on a free loopback port"):
                aws = LocalAws().start()
            try:
                _demo(narrator, aws, Path(scratch))
            finally:
                aws.stop()
    except (DemoFailed, LocalAwsError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; nothing is left running", file=sys.stderr)
        return 130
    print(
        f"\nDone in {narrator.total():.0f} s; the local AWS is stopped and gone.\n"
        f"Next: the templates are in {CDK_OUT}/, the controls in docs/controls.md,\n"
        "and README.md says how to look at your own account, read-only."
    )
    return 0


def _demo(narrator: Narrator, aws: LocalAws, scratch: Path) -> None:
    tools = [str(ROOT / ".venv/bin"), str(ROOT / "node_modules/.bin"), os.environ["PATH"]]
    environment = os.environ | aws.env | {"PATH": os.pathsep.join(tools)}
    with narrator.step("cdk bootstrap"):
        # From an empty folder: it would synthesize the app, and needs nothing of it.
        _run(["cdk", "bootstrap", f"aws://{ACCOUNT}/{aws.region}"], environment, cwd=scratch)
    outputs_file = scratch / "outputs.json"
    with narrator.step("cdk deploy: vault, trail, encryption default, collector") as lines:
        _run(
            [
                *("cdk", "deploy", "--all", "--require-approval", "never"),
                *("--context", f"boundary={BOUNDARY}", "--outputs-file", str(outputs_file)),
            ],
            environment,
        )
        [outputs] = json.loads(outputs_file.read_text()).values()
        stack = aws.client("cloudformation").describe_stack_resources(StackName="Compliance")
        lines.append(f"{len(stack['StackResources'])} resources; evidence goes to")
        lines.append(f"s3://{outputs['EvidenceBucketName']}")
    with narrator.step("the deployed collector looks at the account under its own role") as lines:
        first = _collect(aws, outputs)
        lines.extend(_verdicts(first))
    with narrator.step("an administrator tries to delete, and to bypass the lock") as lines:
        lines.extend(_refusals(aws, outputs["EvidenceBucketName"]))
    vault = f"s3://{outputs['EvidenceBucketName']}"
    fingerprint = _fingerprint(aws, outputs["SigningKeyId"])
    with narrator.step("soc2 verify: recompute every hash, signature and link") as lines:
        lines.extend(_verified(vault, fingerprint, environment))
    with narrator.step(f"turn EBS encryption by default off in {BROKEN_REGION}, collect") as lines:
        aws.client("ec2", region=BROKEN_REGION).disable_ebs_encryption_by_default()
        second = _collect(aws, outputs)
        lines.extend(_verdicts(second))
        if _failing(second) != {"ebs_encryption"}:
            raise DemoFailed(f"expected ebs_encryption alone to fail, not {_failing(second)}")
    with narrator.step("soc2 verify, again") as lines:
        lines.extend(_verified(vault, fingerprint, environment))


def _collect(aws: LocalAws, outputs: Mapping[str, str]) -> dict[str, Any]:
    """Invoke the deployed function, and read back what it stored."""
    answer = aws.client("lambda").invoke(
        FunctionName=outputs["CollectorFunctionName"], Payload=b'{"trigger": "demo"}'
    )
    told = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise DemoFailed(f"the collector failed: {json.dumps(told, indent=2)}")
    bucket, _, key = told["evidence_location"].removeprefix("s3://").partition("/")
    body = aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return json.loads(body)


def _checks(status: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for control in status["controls"].values():
        yield from control["checks"].items()


def _verdicts(status: Mapping[str, Any]) -> list[str]:
    return [f"{c['status']:15}{id:22}{c['detail'][:90]}" for id, c in _checks(status)]


def _failing(status: Mapping[str, Any]) -> set[str]:
    return {id for id, check in _checks(status) if check["status"] in ("FAIL", "UNKNOWN")}


def _refusals(aws: LocalAws, bucket: str) -> Iterator[str]:
    s3 = aws.client("s3", keys=aws.administrator())
    version = s3.list_object_versions(Bucket=bucket, Prefix="ledger/")["Versions"][0]
    this = {"Bucket": bucket, "Key": version["Key"], "VersionId": version["VersionId"]}
    for bypass in (False, True):
        try:
            s3.delete_object(**this, BypassGovernanceRetention=bypass)
        except s3.exceptions.ClientError as error:
            how = "with bypass" if bypass else "delete"
            yield f"{how}: {error.response['Error']['Code']} on {version['Key']}"
        else:
            raise DemoFailed(f"{version['Key']} was deleted: the vault does not hold")


def _fingerprint(aws: LocalAws, key: str) -> str:
    """What the account's owner tells the auditor by another channel than the vault."""
    der = aws.client("kms").get_public_key(KeyId=key)["PublicKey"]
    return hashlib.sha256(der).hexdigest()


def _verified(vault: str, fingerprint: str, environment: Mapping[str, str]) -> list[str]:
    command = ["soc2", "verify", vault, "--key", f"aws-{ACCOUNT}={fingerprint}", "--json"]
    found = json.loads(_run(command, environment))
    if not found["ok"] or found["trust"] != "trusted":
        raise DemoFailed(json.dumps(found, indent=2))
    return [
        f"{s['source']}: {s['statements']} statements, trusted, head {s['head'][:16]}..."
        for s in found["sources"]
    ]


def _run(command: list[str], environment: Mapping[str, str], cwd: Path = ROOT) -> str:
    """Run to the end; what it printed on stdout. Its errors are shown only when it fails."""
    process = subprocess.Popen(
        command,
        env=dict(environment),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        out, err = process.communicate()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    if process.returncode:
        raise DemoFailed(f"{' '.join(command)} ended with {process.returncode}:\n{out}{err}")
    return out


def _end(number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
