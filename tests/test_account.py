"""Reading an account: every answer kept, every question asked once, every trouble told."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from cdk_soc2.account import Call, LiveAccount, LiveRegion, Reader, keeper
from cdk_soc2.control import CannotLook, Observed
from cdk_soc2.evidence.spool import Spool
from tests.aws import FakeSession, refused
from tests.fakes import NOW


class Bench:
    def __init__(self, answers: Any, tmp_path: Path) -> None:
        self.session = FakeSession(answers)
        self.seen: list[Call] = []
        self.reader = Reader(self.session, self.seen.append, clock=lambda: NOW)  # pyright: ignore[reportArgumentType]
        self.spool = Spool(tmp_path)
        self.region = LiveRegion(self.reader, "us-east-1", keeper(self.spool, "a"))

    def lines(self, control: str = "a") -> list[dict[str, Any]]:
        return [
            json.loads(line)
            for name, path, _ in self.spool.files()
            if name == f"{control}.ndjson"
            for line in path.read_text().splitlines()
        ]


PAGES = [{"Items": [{"n": 1}, {"n": 2}]}, {"Items": []}, {"Items": [{"n": 3}]}]


def test_all_pages_are_read_and_each_is_a_line(tmp_path: Path) -> None:
    bench = Bench({("ec2", "describe_things"): PAGES}, tmp_path)
    assert bench.region.list("ec2", "describe_things", "Items", MaxResults=2) == [
        {"n": 1}, {"n": 2}, {"n": 3},
    ]  # fmt: skip
    lines = bench.lines()
    assert [line["page"] for line in lines] == [1, 2, 3]
    assert lines[0] == {
        "service": "ec2",
        "operation": "DescribeThings",
        "parameters": {"MaxResults": 2},
        "region": "us-east-1",
        "page": 1,
        "request_id": "req-1",
        "time": "2026-11-23T00:00:05.000Z",
        "answer": PAGES[0],
    }


def test_a_token_without_a_paginator_is_followed(tmp_path: Path) -> None:
    def answer(**parameters: Any) -> dict[str, Any]:
        token = parameters.get("NextToken")
        return {"Items": [{"t": token}], **({} if token else {"NextToken": "two"})}

    bench = Bench({("x", "list_things"): answer}, tmp_path)
    assert bench.region.list("x", "list_things", "Items") == [{"t": None}, {"t": "two"}]


def test_the_same_token_twice_is_not_followed_for_ever(tmp_path: Path) -> None:
    bench = Bench({("x", "list_things"): {"Items": [], "NextToken": "one"}}, tmp_path)
    with pytest.raises(CannotLook, match="twice"):
        bench.region.list("x", "list_things", "Items")


def test_more_pages_than_one_are_not_one_answer(tmp_path: Path) -> None:
    bench = Bench({("x", "get_thing"): PAGES}, tmp_path)
    with pytest.raises(CannotLook, match="3 pages where one was expected"):
        bench.region.read("x", "get_thing")


def test_an_error_after_a_page_is_not_a_shorter_list(tmp_path: Path) -> None:
    pages: Any = [PAGES[0], refused("Throttling", "DescribeThings")]
    bench = Bench({("ec2", "describe_things"): pages}, tmp_path)
    with pytest.raises(CannotLook, match="throttled"):
        bench.region.list("ec2", "describe_things", "Items")
    assert bench.lines()[1]["error"] == {"code": "Throttling", "message": "no"}


@pytest.mark.parametrize("wrong", [None, {}, "text"], ids=["null", "a record", "a text"])
def test_a_list_that_is_none_is_not_an_empty_list(wrong: Any, tmp_path: Path) -> None:
    bench = Bench({("ec2", "describe_things"): [{"Items": wrong}]}, tmp_path)
    with pytest.raises(CannotLook, match="malformed"):
        bench.region.list("ec2", "describe_things", "Items")


TROUBLES = {
    "denied": (
        refused("AccessDenied", "GetThing"),
        "x:GetThing in us-east-1 was denied",
        "Allow x:GetThing",
    ),
    "denied by EC2": (
        refused("UnauthorizedOperation", "GetThing"),
        "was denied",
        "Allow x:GetThing",
    ),
    "throttled": (refused("ThrottlingException", "GetThing"), "was throttled", "later"),
    "expired": (refused("ExpiredToken", "GetThing"), "not accepted", "Renew"),
    "opt-in region": (refused("UnrecognizedClientException", "GetThing"), "not accepted", "opt-in"),
    "unreachable": (EndpointConnectionError(endpoint_url="u"), "got no answer", "can be reached"),
    "anything else": (
        refused("InternalFailure", "GetThing"),
        "failed: InternalFailure",
        "run again",
    ),
    "a bug": (ZeroDivisionError("oops"), "oops", "run again"),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_trouble_is_told_with_a_remedy(name: str, tmp_path: Path) -> None:
    error, reason, remedy = TROUBLES[name]
    bench = Bench({("x", "get_thing"): error}, tmp_path)
    with pytest.raises(CannotLook) as told:
        bench.region.read("x", "get_thing")
    assert reason in told.value.reason and remedy in told.value.remedy


def test_absence_is_an_answer_and_denial_is_not(tmp_path: Path) -> None:
    bench = Bench({("x", "get_thing"): refused("NoSuchThing", "GetThing")}, tmp_path)
    assert bench.region.find("x", "get_thing", absent="NoSuchThing") is None
    with pytest.raises(CannotLook):
        bench.region.find("x", "get_thing", absent="NoSuchOther")
    assert bench.lines()[0]["error"]["code"] == "NoSuchThing"


def test_a_question_is_asked_once_and_kept_by_all_who_need_the_answer(tmp_path: Path) -> None:
    bench = Bench({("x", "get_thing"): {"a": 1}}, tmp_path)
    other = LiveRegion(bench.reader, "us-east-1", keeper(bench.spool, "b"))
    asking = [
        threading.Thread(target=region.read, args=("x", "get_thing"))
        for region in (bench.region, other) * 8
    ]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert len(bench.seen) == len(bench.session.calls) == 1
    assert bench.session.made == [("x", "us-east-1")]
    assert len(bench.lines("a")) == len(bench.lines("b")) == 1


def test_other_parameters_and_other_regions_are_other_questions(tmp_path: Path) -> None:
    bench = Bench({("x", "get_thing"): {}}, tmp_path)
    account = LiveAccount(bench.reader, "1", "us-east-1", ["eu-west-1"], keeper(bench.spool, "a"))
    for region in (account.home, account.regions[0]):
        for name in ("one", "two"):
            region.read("x", "get_thing", Name=name)
    assert len(bench.session.calls) == 4


def test_one_item_that_cannot_be_looked_at_costs_no_other(tmp_path: Path) -> None:
    bench = Bench({}, tmp_path)

    def look(item: int) -> Observed:
        if item == 2:
            raise CannotLook("denied", "allow it")
        return Observed(True, str(item), "fine")

    seen = list(bench.region.each([1, 2, 3], str, look))
    assert [(o.subject, o.ok) for o in seen] == [("1", True), ("2", None), ("3", True)]
    assert seen[1].remedy == "allow it"


def test_items_within_items_do_not_wait_for_each_other(tmp_path: Path) -> None:
    bench = Bench({}, tmp_path)

    def inner(item: int) -> Observed:
        return Observed(True, str(item), "fine")

    def outer(item: int) -> Observed:
        return Observed(all(o.ok for o in bench.region.each(range(3), str, inner)), str(item), "")

    assert all(o.ok for o in bench.region.each(range(200), str, outer))


def test_a_long_answer_goes_on_in_another_file(tmp_path: Path) -> None:
    spool = Spool(tmp_path, part_bytes=130)
    for n in range(5):
        spool.write("a", {"n": n, "text": "x" * 40})
    assert [name for name, _, _ in spool.files()] == ["a-1.ndjson", "a-2.ndjson", "a.ndjson"]


def test_only_the_first_pages_are_read_and_the_evidence_says_so(tmp_path: Path) -> None:
    pages = [{"Items": [{"n": n}], **({"NextToken": "t"} if n < 3 else {})} for n in (1, 2, 3)]
    bench = Bench({("x", "list_things"): pages}, tmp_path)
    assert bench.region.first("x", "list_things", "Items", pages=2) == ([{"n": 1}, {"n": 2}], True)
    assert bench.region.first("x", "list_things", "Items", pages=9)[1] is False
    assert len(bench.region.list("x", "list_things", "Items")) == 3
    assert [line.get("pages_at_most") for line in bench.lines()] == [2, 2, 9, 9, 9] + [None] * 3


def test_a_question_is_asked_anew_until_the_answer_is_as_wanted(tmp_path: Path) -> None:
    states = iter(["STARTED", "INPROGRESS", "COMPLETE"])
    bench = Bench({("iam", "generate"): lambda: {"State": next(states)}}, tmp_path)
    waited: list[float] = []
    bench.reader.sleep = waited.append

    def until(answer: Any) -> bool:
        return answer["State"] == "COMPLETE"

    for _ in range(2):  # a second check that waits for the same does not ask again
        assert bench.region.poll("iam", "generate", until=until) == {"State": "COMPLETE"}
    assert [call.attempt for call in bench.seen] == [0, 1, 2]
    assert waited[:2] == [0.5, 1]
    assert [line["answer"]["State"] for line in bench.lines()] == [
        "STARTED", "INPROGRESS", "COMPLETE",
    ]  # fmt: skip


def test_asking_anew_ends_with_the_last_answer(tmp_path: Path) -> None:
    bench = Bench({("iam", "generate"): {"State": "STARTED"}}, tmp_path)
    waited: list[float] = []
    bench.reader.sleep = waited.append
    assert bench.region.poll("iam", "generate", until=lambda _: False) == {"State": "STARTED"}
    assert len(bench.seen) == len(waited) + 1 and sum(waited) < 20
