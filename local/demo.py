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
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from local.launch import ACCOUNT, LocalAws, LocalAwsError

ROOT = Path(__file__).resolve().parents[1]
BOUNDARY = Path("local/demo.yaml")
BROKEN_REGION = "eu-west-1"
CDK_OUT = "cdk.out"
LINES_OF_ERROR = 25
WIDTH = 80


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
    with narrator.step("cdk deploy: every control, the vault and the collector") as lines:
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
        lines.extend(_line(id, check) for id, check in _checks(first))
        failing = {id for id, check in _wrong(first).items() if check["status"] == "FAIL"}
        if failing:
            raise DemoFailed(f"after the deploy {failing} fail")
    with narrator.step("an administrator tries to delete, and to bypass the lock") as lines:
        lines.extend(_refusals(aws, outputs["EvidenceBucketName"]))
    vault = f"s3://{outputs['EvidenceBucketName']}"
    fingerprint = _fingerprint(aws, outputs["SigningKeyId"])
    with narrator.step("soc2 verify: recompute every hash, signature and link") as lines:
        lines.extend(_verified(vault, fingerprint, environment))
    with narrator.step("soc2 readiness: the mock audit of the evidence") as lines:
        lines.extend(_readiness(vault, environment))
    for what, check, break_it in _breaks(outputs):
        with narrator.step(f"{what}, and collect") as lines:
            break_it(aws)
            wrong = _wrong(_collect(aws, outputs))
            lines.extend(_line(id, found) for id, found in wrong.items() if id == check)
            now = {id for id, found in wrong.items() if found["status"] == "FAIL"}
            if now - failing != {check}:
                raise DemoFailed(f"expected {check} alone to fail anew, not {now - failing}")
            failing = now
    with narrator.step("soc2 verify, again") as lines:
        lines.extend(_verified(vault, fingerprint, environment))


def _breaks(
    outputs: Mapping[str, str],
) -> Iterator[tuple[str, str, Callable[[LocalAws], object]]]:
    """What is broken through AWS's own API, the check that must see it, and how."""
    yield (
        f"turn EBS encryption by default off in {BROKEN_REGION}",
        "ebs_encryption",
        lambda aws: aws.client("ec2", region=BROKEN_REGION).disable_ebs_encryption_by_default(),
    )
    yield (
        "stop the trail",
        "cloudtrail",
        lambda aws: aws.client("cloudtrail").stop_logging(Name=outputs["TrailName"]),
    )
    yield (
        "allow public buckets in the account",
        "s3_block_public_access",
        lambda aws: aws.client("s3control").delete_public_access_block(AccountId=ACCOUNT),
    )


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


def _line(id: str, check: Mapping[str, Any]) -> str:
    return f"{check['status']:15}{id:23} {check['detail'][:WIDTH]}"


def _wrong(status: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {id: check for id, check in _checks(status) if check["status"] in ("FAIL", "UNKNOWN")}


def _readiness(vault: str, environment: Mapping[str, str]) -> Iterator[str]:
    """The handbook's thirteen questions; the rest is in `soc2 readiness`."""
    found = json.loads(_run(["soc2", "readiness", vault, "--json"], environment, ends=(0, 1)))
    asked: dict[tuple[int, str], list[Mapping[str, Any]]] = {}
    for row in found["rows"]:
        if row["number"] is not None:
            asked.setdefault((row["number"], row["asks"]), []).append(row)
    for (number, asks), rows in asked.items():
        unready = [row for row in rows if not row["ready"]]
        what = f"not yet: {unready[0]['next']}" if unready else "ready"
        yield f"{number:2} {asks[:44]:45}{what[:WIDTH]}"


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


def _run(
    command: list[str],
    environment: Mapping[str, str],
    cwd: Path = ROOT,
    ends: tuple[int, ...] = (0,),
) -> str:
    """Run to one of the *ends*; what it printed on stdout. Its errors are shown when it fails."""
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
    if process.returncode not in ends:
        told = "\n".join((out + err).splitlines()[-LINES_OF_ERROR:])
        raise DemoFailed(f"{' '.join(command)} ended with {process.returncode}:\n{told}")
    return out


def _end(number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
