from dataclasses import dataclass, field
from typing import Any

import pytest

from cdk_soc2.constructs import S3BlockPublicAccess
from cdk_soc2.controls.s3_block_public_access import setting
from cdk_soc2.controls.s3_block_public_access.control import FLAGS
from cdk_soc2.settings import PERMITTED_AFTER
from tests.deploy.cloudformation import CloudFormation, Fake, refused
from tests.deploy.synth import ACCOUNT, statements, synth

ON = dict.fromkeys(FLAGS, True)
BY_ORGANIZATION = {"put": refused("AccessDenied", "the organization decides")}


@dataclass
class FakeS3Control(Fake):
    flags: dict[str, bool] | None = field(default_factory=dict[str, bool])

    def get_public_access_block(self, *, AccountId: str) -> dict[str, Any]:
        assert AccountId == ACCOUNT
        self.may("get")
        if self.flags is None:
            raise refused("NoSuchPublicAccessBlockConfiguration")
        return {"PublicAccessBlockConfiguration": self.flags}

    def put_public_access_block(
        self, *, AccountId: str, PublicAccessBlockConfiguration: dict[str, bool]
    ) -> None:
        assert AccountId == ACCOUNT
        self.write("put")
        self.flags = PublicAccessBlockConfiguration


def cloudformation(s3: FakeS3Control) -> CloudFormation:
    return CloudFormation("s3_block_public_access", {"": s3}, {"Account": ACCOUNT})


@pytest.fixture(autouse=True)
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "")


@pytest.mark.parametrize(
    ("flags", "refuses", "found", "writes"),
    [
        (None, {}, "none", 1),
        ({**ON, "IgnorePublicAcls": False}, {}, "3 of 4 on", 1),
        (ON, {}, "on", 0),
        (ON, BY_ORGANIZATION, "on", 0),
    ],
    ids=["none", "three of four", "on already", "on by the organization"],
)
def test_ends_with_all_four_on(
    flags: dict[str, bool] | None, refuses: dict[str, Exception], found: str, writes: int
):
    s3 = FakeS3Control(refuses, flags=flags)
    answer = cloudformation(s3).ask()
    assert answer["Data"] == {"Found": f"account={found}", "Now": "account=on"}
    assert (s3.flags, len(s3.writes)) == (ON, writes)


def test_an_organization_that_wants_less_must_change_its_policy():
    s3 = FakeS3Control(BY_ORGANIZATION, flags=dict.fromkeys(FLAGS, False))
    cfn = cloudformation(s3)
    answer = cfn.ask()
    assert answer["Status"] == "FAILED"
    assert "an S3 policy of the organization decides and has not all four on" in answer["Reason"]
    assert cfn.pauses == list(PERMITTED_AFTER)  # or the permission was new


@pytest.mark.parametrize(
    ("refuses", "reason"),
    [
        ({"get": refused("AccessDenied")}, "allow it there"),
        ({"put": refused("Throttled")}, "deploy again"),
    ],
)
def test_trouble_says_what_to_do(refuses: dict[str, Exception], reason: str):
    answer = cloudformation(FakeS3Control(refuses, flags=None)).ask()
    assert answer["Status"] == "FAILED"
    assert reason in answer["Reason"]


def test_delete_does_nothing():
    s3 = FakeS3Control(flags=dict(ON))
    assert cloudformation(s3).ask("Delete")["Status"] == "SUCCESS"
    assert (s3.flags, s3.writes) == (ON, [])


def test_template():
    template = synth(lambda s: S3BlockPublicAccess(s, "B"))
    it = template.one("Custom::AccountSetting")
    assert (it["Wanted"], it.get("Regions")) == ({"Account": ACCOUNT}, None)
    [policy] = template.all("AWS::IAM::Policy").values()
    may = {a for s in statements(policy["PolicyDocument"], "Allow") for a in s["Action"]}
    assert set(setting.actions) <= may
