from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
import pytest

from cdk_soc2.constructs import PasswordPolicy
from cdk_soc2.controls.mfa import setting
from tests.deploy.cloudformation import CloudFormation, Fake, refused
from tests.deploy.synth import Template, statements, synth

Policy = dict[str, Any]
KINDS = dict.fromkeys(setting.KINDS, True)
WANTED = {
    "MinimumPasswordLength": "14",
    "PasswordReusePrevention": "24",
    "EveryKindOfCharacter": "yes",
}
GOOD: Policy = {"MinimumPasswordLength": 14, "PasswordReusePrevention": 24, **KINDS}
CHANGEABLE = {"AllowUsersToChangePassword": True}


@dataclass
class FakeIam(Fake):
    policy: Policy | None = None

    def get_account_password_policy(self) -> dict[str, Any]:
        self.may("get")
        if self.policy is None:
            raise refused("NoSuchEntity")
        return {"PasswordPolicy": {**self.policy, "ExpirePasswords": False}}

    def update_account_password_policy(self, **policy: Any) -> None:
        self.write("update", **policy)
        self.policy = policy


def ask(iam: FakeIam, type: str = "Create", **wanted: str) -> dict[str, Any]:
    return CloudFormation("mfa", {"": iam}, {**WANTED, **wanted}).ask(type)


@pytest.fixture(autouse=True)
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "")


@pytest.mark.parametrize(
    ("there", "wanted", "made"),
    [
        (None, {}, {**GOOD, **CHANGEABLE}),
        (None, {"EveryKindOfCharacter": "no", "MaxPasswordAge": "90"},
         {"MinimumPasswordLength": 14, "PasswordReusePrevention": 24, "MaxPasswordAge": 90,
          **CHANGEABLE}),
        ({"MinimumPasswordLength": 8}, {}, GOOD),
        ({**GOOD, "MinimumPasswordLength": 20, "PasswordReusePrevention": 5}, {},
         {**GOOD, "MinimumPasswordLength": 20}),
        ({"MinimumPasswordLength": 8, "MaxPasswordAge": 60, "HardExpiry": True,
          "AllowUsersToChangePassword": False}, {"MaxPasswordAge": "90"},
         {**GOOD, "MaxPasswordAge": 60, "HardExpiry": True, "AllowUsersToChangePassword": False}),
        ({**GOOD, "MaxPasswordAge": 365}, {"MaxPasswordAge": "90"}, {**GOOD, "MaxPasswordAge": 90}),
        ({**GOOD, "RequireSymbols": False}, {}, GOOD),
    ],
    ids=["none", "none, by choice", "weaker", "stronger in one part", "stronger in others", "older",
         "a kind missing"],
)  # fmt: skip
def test_makes_each_part_the_stronger(there: Policy | None, wanted: dict[str, str], made: Policy):
    iam = FakeIam(policy=there)
    assert ask(iam, **wanted)["Status"] == "SUCCESS"
    assert iam.policy == made
    assert len(iam.writes) == 1


@pytest.mark.parametrize(
    "there",
    [GOOD, {**GOOD, "MinimumPasswordLength": 32, "MaxPasswordAge": 30, "HardExpiry": True}],
)
def test_leaves_one_as_strong_or_stronger(there: Policy):
    iam = FakeIam(policy=dict(there))
    length = there["MinimumPasswordLength"]
    assert ask(iam)["Data"] == dict.fromkeys(["Found", "Now"], f"account={length} characters")
    assert iam.writes == []


def test_delete_does_nothing():
    iam = FakeIam(policy=dict(GOOD))
    assert ask(iam, "Delete")["Status"] == "SUCCESS"
    assert iam.writes == []


@pytest.mark.parametrize("call", ["get", "update"])
def test_a_denial_says_what_to_do(call: str):
    answer = ask(FakeIam({call: refused("AccessDenied")}))
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("account: ")
    assert "a service control policy or a permissions boundary denies it" in answer["Reason"]
    assert "region" not in answer["Reason"]


class TestTemplate:
    def test_asks_for_the_account(self):
        it = synth(lambda s: PasswordPolicy(s, "P")).one("Custom::AccountSetting")
        assert (it["Setting"], it["Wanted"], it.get("Regions")) == ("mfa", WANTED, None)

    def test_may_do_that_and_no_more(self):
        assert permissions(synth(lambda s: PasswordPolicy(s, "P"))) == set(setting.actions)

    @pytest.mark.parametrize(
        ("parameter", "value"),
        [
            ("minimum_length", 13),
            ("minimum_length", 129),
            ("reuse_prevention", 0),
            ("reuse_prevention", 25),
            ("maximum_age", cdk.Duration.days(1096)),
        ],
    )
    def test_refuses_what_is_out_of_range(self, parameter: str, value: Any):
        with pytest.raises(ValueError, match=rf"S/P: {parameter}.* is \d+; give \d+ to \d+"):
            synth(lambda s: PasswordPolicy(s, "P", **{parameter: value}))


def permissions(template: Template) -> set[str]:
    return {
        action
        for policy in template.all("AWS::IAM::Policy").values()
        for s in statements(policy["PolicyDocument"], "Allow")
        for action in s["Action"]
        if action not in ("logs:CreateLogStream", "logs:PutLogEvents")
    }
