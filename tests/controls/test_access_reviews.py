"""Control 12: the review that people make, and roles that nobody uses."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from cdk_soc2.boundary import Boundary, parse
from cdk_soc2.controls.access_reviews import ACCESS_REVIEWS
from tests.controls.states import findings, reads, reviewed, verdicts
from tests.fakes import ACCOUNT, NOW, Denied

P, F, U, N = "PASS", "FAIL", "UNKNOWN", "NOT_APPLICABLE"
ROLES = ("iam", "get_account_authorization_details")


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


OLD = ago(400)


def role(
    name: str, *, path: str = "/", made: Any = OLD, used: Any = None, **more: Any
) -> dict[str, Any]:
    return {
        "RoleName": name,
        "Path": path,
        "Arn": f"arn:aws:iam::{ACCOUNT}:role{path}{name}",
        "CreateDate": made,
        "RoleLastUsed": {} if used is None else {"LastUsedDate": used, "Region": "us-east-1"},
        **more,
    }


def state(*roles: Any) -> dict[tuple[str, ...], Any]:
    return {ROLES: {"RoleDetailList": list(roles)}}


APP = role("app", used=ago(1))
IDLE = role("idle", used=ago(91))
LINKED = role("AWSServiceRoleForSupport", path="/aws-service-role/support.amazonaws.com/")
SSO = "/aws-reserved/sso.amazonaws.com/eu-west-1/"

STATES: dict[str, tuple[dict[tuple[str, ...], Any], str]] = {
    # name: (answers, unused_roles)
    "good": (state(APP, LINKED), P),
    "used 90 days ago": (state(role("x", used=ago(90))), P),
    "used a little more than 90 days ago": (state(APP, role("x", used=ago(90.001))), F),
    "unused for 91 days": (state(APP, IDLE), F),
    "never used": (state(APP, role("x")), F),
    "never used, last use null": (state(role("x", RoleLastUsed=None)), F),
    "never used, last use is there and null": (
        state(role("x", RoleLastUsed={"LastUsedDate": None})), F,
    ),
    "never used, young": (state(role("x", made=ago(10))), P),
    "never used, made 90 days ago": (state(role("x", made=ago(90))), P),
    "never used, made 91 days ago": (state(role("x", made=ago(91))), F),
    "a permission set's role, unused": (state(role("AWSReservedSSO_A_1", path=SSO)), F),
    "an unused role with a likely name": (state(role("AWSServiceRoleForMe")), F),
    "a likely path": (state(role("x", path="/team/aws-service-role/")), F),
    "service-linked only": (state(LINKED), N),
    "no roles": (state(), N),
    "denied": ({}, U),
    "null": ({ROLES: {"RoleDetailList": None}}, U),
    "no list": ({ROLES: {}}, U),
    "roles are words": (state("app"), U),
    "no ARN": (state(APP, role("x", used=ago(1), Arn=None)), U),
    "no path": (state(role("x", used=ago(1)) | {"Path": None}), U),
    "no date": (state(role("x", used=ago(1), made="") | {"CreateDate": None}), U),
    "a date that is a word": (state(role("x", used=ago(1), made="2020-01-01")), U),
    "last use is a word": (state(role("x", RoleLastUsed="yesterday")), U),
    "last use is a date in words": (state(role("x", used="2026-11-22")), U),
    "last use without a zone": (state(role("x", used=ago(1).replace(tzinfo=None))), U),
    "last use in the future": (state(role("x", used=ago(-2))), U),
    "made in the future": (state(role("x", made=ago(-2))), U),
    "one unreadable, one idle": (state(role("x", used="?"), IDLE), F),
}  # fmt: skip


@pytest.mark.parametrize("name", STATES)
def test_state(name: str) -> None:
    answers, expected = STATES[name]
    assert verdicts(ACCESS_REVIEWS, answers) == {"unused_roles": expected, "access_review": U}


@pytest.mark.parametrize("name", STATES)
def test_what_is_not_good_has_a_remedy(name: str) -> None:
    found = findings(ACCESS_REVIEWS, STATES[name][0]).values()
    assert [o for f in found for o in f.observations if o.status in (F, U) and not o.remedy] == []


def test_it_reads_what_it_says() -> None:
    assert reads(ACCESS_REVIEWS, [s for s, _ in STATES.values()]) == set(ACCESS_REVIEWS.reads)


def test_three_thousand_roles_are_read_by_the_page() -> None:
    asked: list[dict[str, Any]] = []
    many = [role(f"r{n}", used=ago(n % 80)) for n in range(2999)]

    def answer(**parameters: Any) -> dict[str, Any]:
        asked.append(parameters)
        return {"RoleDetailList": [*many, IDLE]}

    found = findings(ACCESS_REVIEWS, {ROLES: answer})["unused_roles"]
    assert asked == [{"Filter": ["Role"], "MaxItems": 1000}]
    assert (found.status, found.population) == (F, 3000)
    assert found.detail.startswith("1 of 3000 roles") and "last used 2026-08-24" in found.detail


def test_service_linked_roles_are_left_out_by_name() -> None:
    found = findings(ACCESS_REVIEWS, state(APP, LINKED))["unused_roles"]
    assert [e.subject for e in found.exclusions] == [LINKED["Arn"]]


@pytest.mark.parametrize(("until", "expected"), [("2026-12-31", N), ("2026-11-01", F)])
def test_a_role_that_was_reviewed_may_stay(until: str, expected: str) -> None:
    accepted = {
        "check": "unused_roles",
        "subject": IDLE["Arn"],
        "reason": "for emergencies",
        "reviewed_by": "ada",
        "until": until,
    }
    boundary = parse({"accepted_exceptions": [accepted]})
    assert verdicts(ACCESS_REVIEWS, state(IDLE), boundary=boundary)["unused_roles"] == expected


@pytest.mark.parametrize(
    ("boundary", "expected"),
    [
        (Boundary(), U),
        (parse({"period": {"start": "2026-09-01", "end": "2026-11-30"}}), U),  # due on 2 December
        (parse({"period": {"start": "2026-08-23", "end": "2026-11-30"}}), F),  # due on 23 November
        (parse({"period": {"start": "2026-08-24", "end": "2026-11-30"}}), U),
    ],
)
def test_the_review_is_due_92_days_after_the_start(boundary: Boundary, expected: str) -> None:
    assert verdicts(ACCESS_REVIEWS, state(APP), boundary=boundary)["access_review"] == expected


def trust(principal: Any, effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Statement": [{"Effect": effect, "Principal": principal, **more}]}


TEMPLATES = {
    "a service": (trust({"Service": "lambda.amazonaws.com"}), P),
    "an account": (trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}), P),
    "everybody": (trust("*"), F),
    "every AWS principal": (trust({"AWS": "*"}), F),
    "every AWS principal, among others": (trust({"AWS": ["arn:x", "*"]}), F),
    "everybody, on conditions": (trust({"AWS": "*"}, Condition={"StringEquals": {"a": "b"}}), F),
    "everybody but one": ({"Statement": [{"Effect": "Allow", "NotPrincipal": {"AWS": "x"}}]}, F),
    "everybody is denied": (trust("*", "Deny"), P),
    "one statement": ({"Statement": trust("*")["Statement"][0]}, F),
    "no policy": (None, U),
    "known at deploy time": ({"Ref": "Policy"}, U),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_template(name: str) -> None:
    policy, expected = TEMPLATES[name]
    resources = {
        "R": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": policy}}
    }
    assert reviewed(ACCESS_REVIEWS, resources) == {"role_is_not_for_everybody": [expected]}


def test_denied_is_told_apart_from_none() -> None:
    found = findings(ACCESS_REVIEWS, {ROLES: Denied()})["unused_roles"]
    assert "iam:GetAccountAuthorizationDetails" in found.detail
