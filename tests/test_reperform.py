"""A stored run's questions, asked again."""

from __future__ import annotations

from typing import Any

import pytest

from cdk_soc2.account import Reader
from cdk_soc2.reperform import NoSuchRun, ask_again, questions
from tests.aws import FakeSession, refused
from tests.evidence.memory import MemoryStore
from tests.fakes import NOW
from tests.good import ACCOUNT_STATE
from tests.test_collect import run

EBS = ("ec2", "get_ebs_encryption_by_default")


def again(changed: dict[tuple[str, ...], Any]) -> dict[str, list[Any]]:
    store, first = MemoryStore(), FakeSession(ACCOUNT_STATE)
    stored = run(store, session=first)
    asked = questions(store, str(stored.status["run"]))
    assert len(asked) == len(first.calls)
    session = FakeSession(ACCOUNT_STATE | changed)
    reader = Reader(session, clock=lambda: NOW)  # pyright: ignore[reportArgumentType]
    return {
        f"{a.question.operation} {a.question.region}": list(a.differences)
        for a in ask_again(asked, reader)
        if a.differences
    }


def test_an_account_that_did_not_change_answers_the_same() -> None:
    assert again({}) == {}


def test_what_is_answered_otherwise_is_shown_with_what_it_was() -> None:
    off = {("eu-west-1", *EBS): {"EbsEncryptionByDefault": False}}
    assert again(off) == {
        "GetEbsEncryptionByDefault eu-west-1": [("answer.EbsEncryptionByDefault", True, False)]
    }


def test_a_question_that_is_refused_now_is_a_difference() -> None:
    found = again({("eu-west-1", *EBS): refused("AccessDenied", "GetEbsEncryptionByDefault")})
    [differences] = found.values()
    assert ("error", None, {"code": "AccessDenied", "message": "no"}) in differences


def test_another_vpc_is_shown() -> None:
    vpcs = ACCOUNT_STATE["ec2", "describe_vpcs"]["Vpcs"]
    more = {("ec2", "describe_vpcs"): {"Vpcs": [*vpcs, {"VpcId": "vpc-new"}]}}
    assert any(
        "answer.Vpcs[1].VpcId" in str(d) or "Vpcs[1]" in str(d) for d in again(more).values()
    )


def test_a_run_that_is_not_there() -> None:
    with pytest.raises(NoSuchRun, match="such as"):
        questions(MemoryStore(), "000000Z-00000000")
