"""The registers that the guard writes: what was accepted, and what makes each control true."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from cdk_nag import AwsSolutionsChecks

from cdk_soc2.claims import MARK
from cdk_soc2.constructs import CloudTrail, EbsEncryptionByDefault, Soc2Guard
from cdk_soc2.controls import CONTROLS
from cdk_soc2.criteria import CRITERIA
from cdk_soc2.deploy.claim import TAG
from cdk_soc2.deploy.exceptions import NAG
from cdk_soc2.exceptions import by_design, terms
from tests.deploy.synth import OUR_FLAGS

TODAY = date(2026, 11, 23)
RULE = "soc2::topic_is_encrypted"
GOOD = "Told to nobody yet [owner: ada] [until: 2027-01-31]"


def app(folder: Path) -> cdk.App:
    return cdk.App(context=OUR_FLAGS, outdir=str(folder), builtin_cloud_formation_validation=False)


def accept(construct: Any, reason: str, rule: str = RULE) -> None:
    cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=rule, reason=reason))


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "soc2-exceptions.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def controls(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "soc2-controls.json").read_text())["controls"]


def guarded(folder: Path, **given: Any) -> tuple[cdk.App, cdk.Stack]:
    it = app(folder)
    Soc2Guard.add_to(it, today=TODAY, **given)
    return it, cdk.Stack(it, "S")


def test_every_acknowledgement_is_in_the_register(tmp_path: Path) -> None:
    it, stack = guarded(tmp_path)
    cdk.Validations.of(it).add_plugins(AwsSolutionsChecks(it))
    topic = sns.CfnTopic(stack, "Topic")
    nested = cdk.NestedStack(stack, "Nested")
    inner = sns.CfnTopic(nested, "Inner")
    accept(topic, GOOD)
    accept(inner, "=cmd() is no formula here [owner: eve] [until: 2027-02-28]")
    accept(it, "The whole app", "AwsSolutions::AwsSolutions-SNS3")
    accept(stack, "In short form, which the CDK's own report forgets", "AwsSolutions-S1")
    it.synth()
    found = {(row["rule"], row["resource"]): row for row in rows(tmp_path)}
    assert found[RULE, "S/Topic"] == {
        "rule": RULE,
        "criteria": "CC6.1 CC6.7 C1.1",
        "resource": "S/Topic",
        "reason": "Told to nobody yet",
        "owner": "ada",
        "expiry": "2027-01-31",
    }
    assert found[RULE, "S/Nested/Inner"]["reason"].startswith("'=cmd()")
    assert found["AwsSolutions::AwsSolutions-SNS3", ""]["criteria"] == "CC6.7"
    [short] = [row for (rule, _), row in found.items() if rule.endswith("AwsSolutions-S1")]
    assert (short["criteria"], short["resource"]) == ("CC7.2", "S")


def test_in_a_stage_too(tmp_path: Path) -> None:
    it = app(tmp_path)
    stage = cdk.Stage(it, "Prod")
    Soc2Guard.add_to(stage, today=TODAY)
    accept(stage, GOOD)
    sns.CfnTopic(cdk.Stack(stage, "S"), "Topic")
    it.synth()
    [row] = rows(Path(stage.outdir))
    assert (row["rule"], row["resource"]) == (RULE, "Prod")


REASONS: dict[str, tuple[str, bool, bool, str]] = {
    # name: (reason, passes, passes when strict, what is said)
    "whole": (GOOD, True, True, ""),
    "its last day": ("Until the migration [owner: ada] [until: 2026-11-23]", True, True, ""),
    "over": ("Until the migration [owner: ada] [until: 2026-11-22]", False, False, "ended on 2026-11-22"),
    "no owner": ("Until the migration [until: 2027-01-31]", True, False, "without an owner"),
    "no end": ("Until the migration [owner: ada]", True, False, "without an end"),
    "no reason": ("[owner: ada] [until: 2027-01-31]", True, False, "without a reason"),
    "neither": ("A copy for one region.", True, False, "without an owner and an end"),
    "ours": (by_design("It is made that way"), True, True, ""),
    "not a date": ("Until then [owner: ada] [until: spring]", False, False, "is not a date"),
    "two owners": ("Until then [owner: a] [owner: b] [until: 2027-01-31]", False, False, "give one"),
}  # fmt: skip


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("name", REASONS)
def test_terms(name: str, strict: bool, tmp_path: Path) -> None:
    reason, lax, hard, said = REASONS[name]
    it, stack = guarded(tmp_path, strict_exceptions=strict)
    accept(sns.CfnTopic(stack, "Topic"), reason)
    if hard if strict else lax:
        it.synth()
    else:
        with pytest.raises(RuntimeError, match=said):
            it.synth()
    assert said in (tmp_path / "validation-report.json").read_text()
    assert len(rows(tmp_path)) == 1


def test_what_is_over_cannot_be_prolonged_by_another_acknowledgement(tmp_path: Path) -> None:
    it, stack = guarded(tmp_path)
    accept(sns.CfnTopic(stack, "Topic"), "Until the migration [owner: ada] [until: 2020-01-31]")
    accept(stack, GOOD, "soc2::exception_is_current")
    with pytest.raises(RuntimeError, match="ended on 2020-01-31"):
        it.synth()


def test_an_acknowledgement_of_no_rule_is_told(tmp_path: Path) -> None:
    it, stack = guarded(tmp_path)
    accept(sns.CfnTopic(stack, "Topic", kms_master_key_id="k"), GOOD, "soc2::topic_is_encypted")
    it.synth()
    assert (
        "Did you mean soc2::topic_is_encrypted?"
        in (tmp_path / "validation-report.json").read_text()
    )


def test_incomplete_exceptions_hide_no_other_finding(tmp_path: Path) -> None:
    """A warning among the violations must not make the CDK forget the errors."""
    it, stack = guarded(tmp_path)
    accept(sns.CfnTopic(stack, "Topic"), "A copy for one region.")
    sns.CfnTopic(stack, "Other")
    with pytest.raises(RuntimeError, match="S/Other"):
        it.synth()


def test_a_second_synth_into_the_same_folder_writes_the_registers_anew(tmp_path: Path) -> None:
    for reason in (GOOD, "Another reason altogether [owner: bob] [until: 2027-01-31]"):
        it, stack = guarded(tmp_path)
        accept(sns.CfnTopic(stack, "Topic"), reason)
        it.synth()
        assert [row["reason"] for row in rows(tmp_path)] == [terms(reason).reason]


PLAIN = """
import aws_cdk as cdk
from aws_cdk import aws_sns as sns
from cdk_soc2.constructs import Soc2Guard
for owner in ("ada", "bob"):
    app = cdk.App(builtin_cloud_formation_validation=False)
    cdk.Validations.of(app).add_plugins(Soc2Guard())
    topic = sns.CfnTopic(cdk.Stack(app, "S"), "Topic")
    reason = f"Told to nobody yet [owner: {owner}] [until: 2999-01-31]"
    given = cdk.Acknowledgment(id="soc2::topic_is_encrypted", reason=reason)
    cdk.Validations.of(topic).acknowledge(given)
    app.synth()
"""


def test_as_a_plain_plugin_too(tmp_path: Path) -> None:
    """As the CDK's command runs it: the folder is the environment's, and still there next time."""
    environment = os.environ | {"CDK_OUTDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", PLAIN], env=environment, check=True, capture_output=True)
    assert [row["owner"] for row in rows(tmp_path)] == ["bob"]


def test_what_makes_a_control_true_is_in_the_register(tmp_path: Path) -> None:
    it, stack = guarded(tmp_path, held_elsewhere={"mfa": "in the identity provider, by IT"})
    CloudTrail(stack, "CloudTrail")
    it.synth()
    found = controls(tmp_path)
    assert list(found) == [control.key for control in CONTROLS]
    types = {one["type"] for one in found["cloudtrail"]["held_by"]}
    assert {"AWS::CloudTrail::Trail", "AWS::S3::Bucket"} <= types
    assert all(one["stack"] == "S.template.json" for one in found["cloudtrail"]["held_by"])
    assert found["mfa"]["held_elsewhere"] == "in the identity provider, by IT"
    assert found["guardduty"]["held_by"] == []
    assert MARK == TAG


OTHERS: Callable[..., dict[str, str]] = lambda *but: {  # noqa: E731
    control.key: "held by the platform team's account"
    for control in CONTROLS
    if control.key not in but
}


def test_a_control_that_nothing_makes_true_is_an_error_where_that_is_asked_for(
    tmp_path: Path,
) -> None:
    given = {"require_controls": True, "held_elsewhere": OTHERS("guardduty", "ebs_encryption")}
    it, stack = guarded(tmp_path, **given)
    EbsEncryptionByDefault(stack, "Ebs")
    with pytest.raises(
        RuntimeError, match="GuardDuty: nothing in this app makes it true"
    ) as refused:
        it.synth()
    assert "EBS encryption: nothing" not in str(refused.value)


def test_who_uses_two_constructs_is_asked_for_no_more(tmp_path: Path) -> None:
    it, stack = guarded(tmp_path)
    EbsEncryptionByDefault(stack, "Ebs")
    it.synth()


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ({"guardutty": "by the platform"}, "did you mean 'guardduty'"),
        ({"mfa": "yes"}, "does not say"),
    ],
)
def test_what_is_held_elsewhere_is_a_control_and_has_a_reason(held: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Soc2Guard(held_elsewhere=held)


def test_nested_stacks_are_looked_at(tmp_path: Path) -> None:
    it, stack = guarded(tmp_path)
    s3.CfnBucket(cdk.NestedStack(stack, "Nested"), "Bucket")
    with pytest.raises(RuntimeError) as refused:
        it.synth()
    assert "S/Nested/Bucket" in str(refused.value)
    assert "nested_stack_is_seen" not in str(refused.value)


def test_every_rule_of_cdk_nag_has_criteria_that_exist() -> None:
    mapped: dict[str, list[str]] = json.loads(NAG.read_text())
    assert len([rule for rule in mapped if rule.startswith("AwsSolutions-")]) > 120
    assert len([rule for rule in mapped if rule.startswith("NIST.800.53.R5-")]) > 80
    assert all(given and set(given) <= set(CRITERIA) for given in mapped.values())
