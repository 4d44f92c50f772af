"""No change, an update, a destroy and a deployment after it: nothing weakened, nothing lost."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from local.launch import ACCOUNT, LocalAws
from tests.e2e import read_back
from tests.e2e.conftest import ROOT, STACK, Deployed
from tests.e2e.test_main_job import GOOD

# A minute and more, with a local AWS of its own.
pytestmark = [pytest.mark.local_aws, pytest.mark.judge]

STAGES = ("deployed", "not changed", "not destroyed", "updated", "destroyed", "deployed anew")
REGIONS = ("us-east-1", "eu-west-1")
ONE_REGION = "name: smaller\nregions: [us-east-1]\n"  # what is no longer in scope stays as it is
EMAIL = "alerts@example.com"


@dataclass
class Life:
    """What stood after each stage, and what the command said."""

    stack: Deployed
    said: dict[str, str] = field(default_factory=dict)
    protected: dict[str, dict[str, Any]] = field(default_factory=dict)
    kept: dict[str, set[str]] = field(default_factory=dict)
    subscribed: dict[str, set[str]] = field(default_factory=dict)
    schedules: dict[str, set[str]] = field(default_factory=dict)
    verdicts: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """In an AWS of its own. The trail is the first deployment's, in every stage."""
    scratch = tmp_path_factory.mktemp("lifecycle")
    (scratch / "smaller.yaml").write_text(ONE_REGION)
    changed = (
        *("--context", f"alert_emails={EMAIL}", "--context", "termination_protection=false"),
        *("--context", f"boundary={scratch / 'smaller.yaml'}"),
    )
    with LocalAws() as aws, ThreadPoolExecutor() as pool:
        stack = Deployed(aws, {}, scratch)
        first = pool.submit(synth, stack, "first", "--context", "boundary=local/demo.yaml")
        second = pool.submit(synth, stack, "second", *changed)
        cdk(stack, "bootstrap", f"aws://{ACCOUNT}/{aws.region}", cwd=scratch)
        deploy(stack, first.result())
        stack.outputs = outputs(stack)
        stack.collect()
        it = Life(stack)
        look(it, "deployed", "")
        look(it, "not changed", deploy(stack, first.result()))
        look(it, "not destroyed", destroy(stack, first.result(), succeeds=False))
        look(it, "updated", deploy(stack, second.result()))
        look(it, "destroyed", destroy(stack, second.result()))
        look(it, "deployed anew", deploy(stack, first.result()))
        it.verdicts = replace(stack, outputs=outputs(stack)).verdicts()
        yield it


def cdk(stack: Deployed, *arguments: str, cwd: Path = ROOT, succeeds: bool = True) -> str:
    done = subprocess.run(
        ["cdk", *arguments], env=stack.environment, cwd=cwd, text=True, capture_output=True
    )
    assert (done.returncode == 0) is succeeds, done.stdout + done.stderr
    return done.stdout + done.stderr


def synth(stack: Deployed, name: str, *context: str) -> Path:
    cdk(stack, "synth", "--quiet", "--output", str(stack.scratch / name), *context)
    return stack.scratch / name


def deploy(stack: Deployed, app: Path) -> str:
    options = ("--require-approval", "never", "--outputs-file", str(stack.scratch / "outputs.json"))
    return cdk(stack, "deploy", STACK, "--app", str(app), *options)


def destroy(stack: Deployed, app: Path, *, succeeds: bool = True) -> str:
    return cdk(stack, "destroy", STACK, "--force", "--app", str(app), succeeds=succeeds)


def outputs(stack: Deployed) -> dict[str, str]:
    return dict(json.loads((stack.scratch / "outputs.json").read_text())[STACK])


def look(life: Life, stage: str, said: str) -> None:
    life.said[stage] = said
    life.protected[stage] = protected(life.stack)
    life.kept[stage] = set(kept(life.stack))
    life.subscribed[stage] = subscribed(life.stack)
    schedules = life.stack.client("scheduler").list_schedules()["Schedules"]
    life.schedules[stage] = {schedule["Name"] for schedule in schedules}


def protected(d: Deployed) -> dict[str, Any]:
    """All that must never weaken, by what it is."""
    cloudtrail, name = read_back.trail(d, d.outputs["TrailName"], {}), d.outputs["SigningKeyId"]
    buckets = {
        "vault": d.bucket,
        "trail's bucket": cloudtrail["S3BucketName"],
        "flow logs' bucket": d.outputs["FlowLogBucketName"],
    }
    return {
        **{what: read_back.bucket(d, bucket, {}) for what, bucket in buckets.items()},
        **{
            f"{what} policy": read_back.bucket_policy(d, "", {"Bucket": bucket})
            for what, bucket in buckets.items()
        },
        "trail": cloudtrail,
        "trail's key": read_back.key(d, cloudtrail["KMSKeyId"], {}),
        "signing key": read_back.key(d, name, {}),
        "EBS encryption": read_back.ebs(d),
        "detectors": read_back.guardduty(d),
        "flow logs": read_back.flow_logs(d),
        "public access": read_back.block_public_access(d),
        "passwords": read_back.passwords(d),
    }


def kept(d: Deployed) -> Iterator[str]:
    """Every version of every object in the vault, and every event in a log of ours."""
    for page in d.client("s3").get_paginator("list_object_versions").paginate(Bucket=d.bucket):
        assert "DeleteMarkers" not in page
        yield from (f"{v['Key']} {v['VersionId']}" for v in page.get("Versions", []))
    logs = d.client("logs")
    for group in logs.describe_log_groups()["logGroups"]:
        for event in logs.filter_log_events(logGroupName=group["logGroupName"])["events"]:
            yield f"{group['logGroupName']} {event['timestamp']} {event['message']}"


def subscribed(d: Deployed) -> set[str]:
    return {s["Endpoint"] for s in d.client("sns").list_subscriptions()["Subscriptions"]}


@pytest.mark.parametrize("stage", STAGES[1:])
def test_nothing_is_weakened(life: Life, stage: str) -> None:
    before, after = life.protected["deployed"], life.protected[stage]
    assert {what: after[what] for what in before} == before


@pytest.mark.parametrize(("earlier", "later"), list(pairwise(STAGES)))
def test_evidence_and_logs_are_still_there(life: Life, earlier: str, later: str) -> None:
    lost = life.kept[earlier] - life.kept[later]
    if (
        later == "deployed anew"
    ):  # the emulator gives a nameless group the name it had; AWS does not
        lost = {line for line in lost if not line.startswith(f"/aws/cloudformation/{STACK}/")}
    assert lost == set()


def test_there_was_something_to_lose(life: Life) -> None:
    for start in ("ledger/", f"/aws/cloudformation/{STACK}/Collector"):
        assert any(line.startswith(start) for line in life.kept["deployed"]), start
    assert set(life.protected["deployed"]["EBS encryption"]["Regions"]) == set(REGIONS)


def test_the_same_again_changes_nothing(life: Life) -> None:
    assert "(no changes)" in life.said["not changed"]


def test_a_protected_stack_is_not_destroyed(life: Life) -> None:
    assert "TerminationProtection" in life.said["not destroyed"].replace(" ", "")


def test_the_update_was_one(life: Life) -> None:
    assert EMAIL not in life.subscribed["not destroyed"]
    assert EMAIL in life.subscribed["updated"]


def test_nobody_collects_for_a_stack_that_is_destroyed(life: Life) -> None:
    found = {stage: len(schedules) for stage, schedules in life.schedules.items()}
    assert found == {**dict.fromkeys(STAGES, 1), "destroyed": 0}


def test_deployed_anew_every_check_passes(life: Life) -> None:
    assert life.verdicts == GOOD
