"""Control 8: the account's Block Public Access, as it is in effect."""

from typing import Any

import pytest

from cdk_soc2.controls.s3_block_public_access import S3_BLOCK_PUBLIC_ACCESS
from cdk_soc2.controls.s3_block_public_access.control import FLAGS
from tests.controls.states import findings, reads, reviewed
from tests.fakes import ACCOUNT, Absent, Denied

P, F, U = "PASS", "FAIL", "UNKNOWN"
ON: dict[str, Any] = dict.fromkeys(FLAGS, True)
QUESTION = ("s3control", "get_public_access_block", ACCOUNT)


def state(flags: Any) -> dict[tuple[str, ...], Any]:
    return {QUESTION: {"PublicAccessBlockConfiguration": flags}}


def without(flag: str) -> dict[str, Any]:
    return {k: v for k, v in ON.items() if k != flag}


STATES: dict[str, tuple[dict[tuple[str, ...], Any], str]] = {
    "good": (state(ON), P),
    "none": ({QUESTION: Absent("NoSuchPublicAccessBlockConfiguration")}, F),
    "all off": (state(dict.fromkeys(FLAGS, False)), F),
    **{f"{flag} off": (state({**ON, flag: False}), F) for flag in FLAGS},
    **{f"{flag} missing": (state(without(flag)), U) for flag in FLAGS},
    **{f"{flag} null": (state({**ON, flag: None}), U) for flag in FLAGS},
    **{f"{flag} a word": (state({**ON, flag: "true"}), U) for flag in FLAGS},
    "one off, one missing": (state({**without(FLAGS[0]), FLAGS[1]: False}), F),
    "denied": ({}, U),
    "denied by an organization's policy": ({QUESTION: Denied()}, U),
    "another error": ({QUESTION: Absent("NoSuchBucket")}, U),
    "no configuration": ({QUESTION: {}}, U),
    "null": (state(None), U),
    "empty": (state({}), U),
    "a word": (state("all"), U),
}


@pytest.mark.parametrize("name", STATES)
def test_state(name: str) -> None:
    answers, expected = STATES[name]
    found = findings(S3_BLOCK_PUBLIC_ACCESS, answers, regions=("eu-west-1", "us-east-1"))
    assert {id: f.status for id, f in found.items()} == {"s3_block_public_access": expected}
    [o] = found["s3_block_public_access"].observations
    assert expected == P or o.remedy


def test_it_reads_what_it_says() -> None:
    states = [answers for answers, _ in STATES.values()]
    assert reads(S3_BLOCK_PUBLIC_ACCESS, states) == set(S3_BLOCK_PUBLIC_ACCESS.reads)


def test_it_says_which_setting_is_off() -> None:
    found = findings(S3_BLOCK_PUBLIC_ACCESS, state({**ON, "BlockPublicPolicy": False}))
    assert "BlockPublicPolicy off" in found["s3_block_public_access"].detail


TEMPLATES: dict[str, tuple[dict[str, Any], str]] = {
    "good": ({"PublicAccessBlockConfiguration": ON}, P),
    "words": ({"PublicAccessBlockConfiguration": dict.fromkeys(FLAGS, "true")}, P),
    "nothing said": ({}, F),
    **{f"{f} off": ({"PublicAccessBlockConfiguration": {**ON, f: False}}, F) for f in FLAGS},
    **{f"{f} missing": ({"PublicAccessBlockConfiguration": without(f)}, F) for f in FLAGS},
    "known at deploy time": (
        {"PublicAccessBlockConfiguration": {**ON, "BlockPublicAcls": {"Ref": "P"}}},
        U,
    ),
    "a condition, on either way": (
        {
            "PublicAccessBlockConfiguration": {
                "Fn::If": ["C", ON, {**ON, "BlockPublicAcls": "true"}]
            }
        },
        P,
    ),
    "a condition, on or not": (
        {"PublicAccessBlockConfiguration": {"Fn::If": ["C", ON, {"Ref": "AWS::NoValue"}]}},
        U,
    ),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_template(name: str) -> None:
    properties, expected = TEMPLATES[name]
    resources = {"B": {"Type": "AWS::S3::Bucket", "Properties": properties}}
    assert reviewed(S3_BLOCK_PUBLIC_ACCESS, resources) == {
        "bucket_blocks_public_access": [expected]
    }
