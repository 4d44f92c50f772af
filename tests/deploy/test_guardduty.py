from dataclasses import dataclass, field
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sns as sns

from cdk_soc2.constructs import AlertTopic, GuardDuty, ProtectionPlan, PublishingFrequency
from tests.deploy.cloudformation import CloudFormation, Fake, refused
from tests.deploy.synth import ACCOUNT, IAM, REGION, Template, statements, synth

FOUNDATION = dict.fromkeys(["CLOUD_TRAIL", "DNS_LOGS", "FLOW_LOGS"], "ENABLED")
ALONE = {
    "S3_DATA_EVENTS": "ENABLED",
    "RDS_LOGIN_EVENTS": "ENABLED",
    "RUNTIME_MONITORING": "DISABLED",
}
NONE = dict.fromkeys(ALONE, "DISABLED")
WANTED: dict[str, Any] = {"Frequency": "FIFTEEN_MINUTES"}


@dataclass
class FakeGuardDuty(Fake):
    """One region: at most one detector, as AWS has it; its plans start by themselves."""

    status: str | None = None
    frequency: str = "SIX_HOURS"
    plans: dict[str, str] = field(default_factory=lambda: dict(ALONE))
    administrator: str | None = None

    def list_detectors(self) -> dict[str, Any]:
        self.may("list")
        return {"DetectorIds": ["d"] if self.status else []}

    def get_detector(self, *, DetectorId: str) -> dict[str, Any]:
        return {
            "Status": self.status,
            "FindingPublishingFrequency": self.frequency,
            "Features": [{"Name": n, "Status": s} for n, s in (FOUNDATION | self.plans).items()],
        }

    def get_administrator_account(self, *, DetectorId: str) -> dict[str, Any]:
        return {"Administrator": {"AccountId": self.administrator}} if self.administrator else {}

    def create_detector(self, *, Enable: bool, FindingPublishingFrequency: str) -> dict[str, Any]:
        self.write("create", Enable=Enable)
        self.status = "ENABLED" if Enable else "DISABLED"
        self.frequency = FindingPublishingFrequency
        return {"DetectorId": "d"}

    def update_detector(self, *, DetectorId: str, **changes: Any) -> None:
        self.write("update", **changes)
        if "Enable" in changes:
            self.status = "ENABLED" if changes["Enable"] else "DISABLED"
        self.frequency = changes.get("FindingPublishingFrequency", self.frequency)
        for feature in changes.get("Features", []):
            assert feature["Name"] not in FOUNDATION
            self.plans[feature["Name"]] = feature["Status"]


def ask(region: FakeGuardDuty, type: str = "Create", **wanted: Any) -> dict[str, Any]:
    return CloudFormation("guardduty", {"eu-west-1": region}, {**WANTED, **wanted}).ask(type)


def suspended(**also: Any) -> FakeGuardDuty:
    return FakeGuardDuty(status="DISABLED", **also)


def enabled(**also: Any) -> FakeGuardDuty:
    return FakeGuardDuty(status="ENABLED", **also)


@pytest.mark.parametrize(
    ("region", "plans", "found", "left"),
    [
        (FakeGuardDuty(), [], "none", NONE),
        (FakeGuardDuty(), ["S3_DATA_EVENTS", "AI_PROTECTION"], "none",
         {**NONE, "S3_DATA_EVENTS": "ENABLED"}),
        (suspended(), [], "suspended", NONE),
        (suspended(), ["RUNTIME_MONITORING"], "suspended", {**NONE, "RUNTIME_MONITORING": "ENABLED"}),
        (enabled(), [], "on with less", ALONE),
        (enabled(frequency="FIFTEEN_MINUTES"), ["RUNTIME_MONITORING"], "on with less",
         {**ALONE, "RUNTIME_MONITORING": "ENABLED"}),
        (enabled(frequency="FIFTEEN_MINUTES"), ["S3_DATA_EVENTS"], "on", ALONE),
    ],
    ids=["none", "none, with plans", "suspended", "suspended, with plans", "tells seldom", "lacks a plan",
         "as wanted"],
)  # fmt: skip
def test_ends_enabled(region: FakeGuardDuty, plans: list[str], found: str, left: dict[str, str]):
    answer = ask(region, **({"Plans": plans} if plans else {}))
    assert answer["Data"] == {"Found": f"eu-west-1={found}", "Now": "eu-west-1=on"}
    assert (region.status, region.frequency, region.plans) == ("ENABLED", "FIFTEEN_MINUTES", left)


def test_a_detector_never_runs_with_plans_that_nobody_chose():
    region = FakeGuardDuty()
    ask(region)
    (made, how), (changed, what) = region.writes
    assert (made, how, changed, what["Enable"]) == ("create", {"Enable": False}, "update", True)
    off = [{"Name": n, "Status": "DISABLED"} for n in ("S3_DATA_EVENTS", "RDS_LOGIN_EVENTS")]
    assert what["Features"] == off


def test_one_that_runs_loses_nothing():
    region = enabled(frequency="FIFTEEN_MINUTES")
    ask(region, Frequency="SIX_HOURS")
    assert region.writes == []


def test_what_its_administrator_chose_is_taken():
    region = enabled(administrator="111122223333")
    answer = ask(region)
    assert answer["Data"]["Now"] == "eu-west-1=on as its administrator chose"
    assert region.writes == []


def test_a_member_that_is_suspended_is_for_its_administrator():
    error = refused("BadRequestException", "a member cannot change that")
    region = suspended(administrator="111122223333", refuses={"update": error})
    reason = ask(region)["Reason"]
    assert "account 111122223333 administers GuardDuty here: have it enabled there" in reason


@pytest.mark.parametrize(
    ("refuses", "reason"),
    [
        ({"list": refused("AccessDeniedException")}, "take the region out of `regions`"),
        ({"create": refused("BadRequestException")}, "see the function's log"),
        ({"update": refused("InternalServerErrorException")}, "see the function's log"),
    ],
)
def test_trouble_in_one_region_is_named_and_costs_no_other(
    refuses: dict[str, Exception], reason: str
):
    regions = {"eu-west-1": FakeGuardDuty(refuses), "us-east-1": FakeGuardDuty()}
    answer = CloudFormation("guardduty", regions, WANTED).ask()
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("eu-west-1: ") and reason in answer["Reason"]
    assert regions["us-east-1"].status == "ENABLED"


def test_what_was_left_half_made_is_finished_by_the_next_deployment():
    region = FakeGuardDuty({"update": refused("InternalServerErrorException")})
    ask(region)
    assert region.status == "DISABLED"
    region.refuses.clear()
    assert ask(region, "Update")["Status"] == "SUCCESS"
    assert region.plans == NONE


def test_delete_does_nothing():
    region = enabled()
    assert ask(region, "Delete")["Status"] == "SUCCESS"
    assert (region.status, region.writes) == ("ENABLED", [])


class TestTemplate:
    @pytest.fixture(scope="class")
    @classmethod
    def template(cls) -> Template:
        return synth(lambda s: GuardDuty(s, "G", topic=AlertTopic(s, "A").topic, regions="all"))

    def test_asks_for_the_foundation_only(self, template: Template):
        wanted = template.one("Custom::AccountSetting")["Wanted"]
        assert (wanted["Frequency"], wanted.get("Plans", [])) == ("FIFTEEN_MINUTES", [])

    def test_plans_and_frequency_by_choice(self):
        it = synth(
            lambda s: GuardDuty(
                s,
                "G",
                topic=sns.Topic(s, "T"),
                protection_plans=[ProtectionPlan.S3, ProtectionPlan.LAMBDA_NETWORK],
                finding_publishing_frequency=PublishingFrequency.ONE_HOUR,
            )
        ).one("Custom::AccountSetting")
        assert it["Wanted"] == {
            "Frequency": "ONE_HOUR",
            "Plans": ["S3_DATA_EVENTS", "LAMBDA_NETWORK_LOGS"],
        }

    def test_may_reach_detectors_of_this_account(self, template: Template):
        [policy] = template.all("AWS::IAM::Policy").values()
        may = {
            (action, resource)
            for s in statements(policy["PolicyDocument"], "Allow")
            for action in s["Action"]
            for resource in s["Resource"]
            if not action.startswith("logs:")
        }
        detectors = f"arn:aws:guardduty:*:{ACCOUNT}:detector/*"
        service_role = "aws-service-role/guardduty.amazonaws.com/AWSServiceRoleForAmazonGuardDuty"
        assert may == {
            ("ec2:DescribeRegions", "*"),
            ("guardduty:CreateDetector", "*"),
            ("guardduty:GetAdministratorAccount", detectors),
            ("guardduty:GetDetector", detectors),
            ("guardduty:ListDetectors", "*"),
            ("guardduty:UpdateDetector", detectors),
            ("iam:CreateServiceLinkedRole", f"{IAM}:role/{service_role}"),
        }

    def test_severe_findings_reach_the_topic_in_words(self, template: Template):
        rule = template.one("AWS::Events::Rule")
        assert rule["EventPattern"]["detail"] == {"severity": [{"numeric": [">=", 7]}]}
        [target] = rule["Targets"]
        [topic] = template.all("AWS::SNS::Topic")
        assert target["Arn"] == topic
        told = target["InputTransformer"]
        lines = told["InputTemplate"].split("\n")
        assert all(line[0] == line[-1] == '"' for line in lines)
        assert all(f"<{name}>" in told["InputTemplate"] for name in told["InputPathsMap"])

    def test_topic_of_your_own_lets_the_rule_in(self):
        it = synth(lambda s: GuardDuty(s, "G", topic=sns.Topic(s, "T")))
        [statement] = statements(it.one("AWS::SNS::TopicPolicy")["PolicyDocument"], "Allow")
        [rule] = it.all("AWS::Events::Rule")
        assert statement["Principal"] == {"Service": "events.amazonaws.com"}
        assert statement["Condition"] == {
            "ArnEquals": {"aws:SourceArn": f"arn:aws:events:{REGION}:{ACCOUNT}:{rule}"}
        }

    def test_topic_of_another_stack_is_taken_as_it_is(self):
        def build(stack: cdk.Stack) -> None:
            topic = sns.Topic.from_topic_arn(stack, "T", f"arn:aws:sns:{REGION}:{ACCOUNT}:mine")
            GuardDuty(stack, "G", topic=topic)

        assert synth(build).all("AWS::SNS::TopicPolicy") == {}
