"""Control 7: encryption by default, region by region."""

import pytest

from cdk_soc2.boundary import parse
from cdk_soc2.controls.ebs_encryption.control import EBS_ENCRYPTION
from tests.controls.states import findings, verdicts
from tests.fakes import Denied

ON, OFF = {"EbsEncryptionByDefault": True}, {"EbsEncryptionByDefault": False}
QUESTION = ("ec2", "get_ebs_encryption_by_default")
REGIONS = ("eu-west-1", "us-east-1")

STATES = {
    "on everywhere": ({QUESTION: ON}, "PASS"),
    "off everywhere": ({QUESTION: OFF}, "FAIL"),
    "off in one": ({QUESTION: ON, ("eu-west-1", *QUESTION): OFF}, "FAIL"),
    "denied in one": ({QUESTION: ON, ("eu-west-1", *QUESTION): Denied()}, "UNKNOWN"),
    "off in one, denied in one": ({QUESTION: OFF, ("eu-west-1", *QUESTION): Denied()}, "FAIL"),
    "denied": ({}, "UNKNOWN"),
    "null": ({QUESTION: {"EbsEncryptionByDefault": None}}, "UNKNOWN"),
    "a word": ({QUESTION: {"EbsEncryptionByDefault": "true"}}, "UNKNOWN"),
    "nothing": ({QUESTION: {}}, "UNKNOWN"),
}


@pytest.mark.parametrize("name", STATES)
def test_state(name: str) -> None:
    answers, expected = STATES[name]
    assert verdicts(EBS_ENCRYPTION, answers, regions=REGIONS) == {"ebs_encryption": expected}


def test_a_region_that_cannot_be_asked_costs_no_other() -> None:
    answers = {QUESTION: ON, ("eu-west-1", *QUESTION): Denied()}
    found = findings(EBS_ENCRYPTION, answers, regions=REGIONS)["ebs_encryption"]
    assert [(o.region, str(o.status)) for o in found.observations] == [
        ("eu-west-1", "UNKNOWN"),
        ("us-east-1", "PASS"),
    ]
    assert (found.population, found.observed, found.denied) == (2, 1, 1)


@pytest.mark.parametrize(
    ("until", "expected"),
    [("2026-11-23", "PASS"), ("2026-11-22", "FAIL")],
    ids=["holds", "expired"],
)
def test_an_accepted_exception_is_an_exclusion_until_it_expires(until: str, expected: str) -> None:
    boundary = parse(
        {
            "accepted_exceptions": [
                {
                    "check": "ebs_encryption",
                    "subject": "eu-west-1",
                    "reason": "nothing runs there",
                    "reviewed_by": "ada",
                    "until": until,
                }
            ]
        }
    )
    answers = {QUESTION: ON, ("eu-west-1", *QUESTION): OFF}
    found = findings(EBS_ENCRYPTION, answers, regions=REGIONS, boundary=boundary)["ebs_encryption"]
    assert str(found.status) == expected
    assert (found.population, len(found.exclusions)) == (2, int(expected == "PASS"))
