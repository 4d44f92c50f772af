import json
import time
import urllib.error
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import aws_cdk as cdk
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from cdk_soc2.constructs import EbsEncryptionByDefault
from cdk_soc2.controls.ebs_encryption import setting as ebs
from cdk_soc2.deploy.settings import AccountSetting
from cdk_soc2.settings import SPARE_SECONDS, handle, named, put
from tests.deploy.synth import NO_FLAGS, OUR_FLAGS, REGION, Template, statements, synth


@dataclass
class FakeEc2:
    """EC2 of one region, as far as EBS encryption by default goes."""

    on: bool = False
    deaf: bool = False  # takes the call and does nothing
    error: Exception | None = None
    enabled: int = 0

    def get_ebs_encryption_by_default(self) -> dict[str, Any]:
        if self.error:
            raise self.error
        return {"EbsEncryptionByDefault": self.on}

    def enable_ebs_encryption_by_default(self) -> dict[str, Any]:
        self.enabled += 1
        self.on = self.on or not self.deaf
        return {"EbsEncryptionByDefault": self.on}


@dataclass
class FakeLambda:
    seconds: float = 180

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


@dataclass
class CloudFormation:
    """Sends events, and keeps the answers."""

    regions: dict[str, FakeEc2] = field(default_factory=lambda: {"eu-west-1": FakeEc2()})
    answers: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def ask(self, type: str, *, seconds: float = 180, **also: Any) -> dict[str, Any]:
        event = {
            "RequestType": type,
            "ResponseURL": "https://cfn.example/answer?signature=1",
            "StackId": "arn:stack",
            "RequestId": "r-1",
            "LogicalResourceId": "Setting",
            "ResourceProperties": {"Setting": "ebs_encryption", "Regions": list(self.regions)},
            **also,
        }
        handle(
            event,
            FakeLambda(seconds),
            client=lambda _, name: self.regions[name],
            answer=self.answer,
        )
        return self.answers[-1]

    def answer(self, url: str, body: bytes) -> None:
        assert url == "https://cfn.example/answer?signature=1"
        self.answers.append(json.loads(body))


def refused(code: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "GetEbsEncryptionByDefault")


def test_create_applies_and_tells_what_it_found():
    cfn = CloudFormation()
    assert cfn.ask("Create") == {
        "Status": "SUCCESS",
        "Reason": "",
        "PhysicalResourceId": "soc2-Setting",
        "StackId": "arn:stack",
        "RequestId": "r-1",
        "LogicalResourceId": "Setting",
        "Data": {"Found": "eu-west-1=off", "Now": "eu-west-1=on"},
    }
    assert cfn.regions["eu-west-1"].on


def test_create_again_changes_nothing():
    cfn = CloudFormation()
    cfn.ask("Create")
    assert cfn.ask("Create")["Data"] == {"Found": "eu-west-1=on", "Now": "eu-west-1=on"}
    assert cfn.regions["eu-west-1"].enabled == 1


def test_update_mends_drift_and_keeps_its_id():
    cfn = CloudFormation({"eu-west-1": FakeEc2(on=True), "us-east-1": FakeEc2(on=False)})
    answer = cfn.ask("Update", PhysicalResourceId="as it was")
    assert answer["PhysicalResourceId"] == "as it was"
    assert answer["Data"] == {
        "Found": "eu-west-1=on,us-east-1=off",
        "Now": "eu-west-1=on,us-east-1=on",
    }


def test_delete_never_weakens():
    cfn = CloudFormation({"eu-west-1": FakeEc2(on=True)})
    answer = cfn.ask("Delete", PhysicalResourceId="it")
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "it")
    assert "stays as it is" in answer["Reason"]
    assert cfn.regions["eu-west-1"].on


def test_delete_succeeds_for_a_setting_that_is_no_more():
    answer = CloudFormation().ask(
        "Delete", PhysicalResourceId="it", ResourceProperties={"Setting": "gone", "Regions": ["?"]}
    )
    assert answer["Status"] == "SUCCESS"


@pytest.mark.parametrize(
    ("region", "reason"),
    [
        (
            FakeEc2(error=refused("UnauthorizedOperation")),
            "has ec2:EnableEbsEncryptionByDefault, ec2:GetEbsEncryptionByDefault, so a service control",
        ),
        (
            FakeEc2(error=refused("AuthFailure")),
            "enable the region for this account, or take it out",
        ),
        (
            FakeEc2(error=EndpointConnectionError(endpoint_url="https://ec2.eu-north-9")),
            "check the region's name",
        ),
        (FakeEc2(error=KeyError("EbsEncryptionByDefault")), "see the function's log"),
        (FakeEc2(deaf=True), "applied, and yet it reads as before"),
    ],
    ids=["denied", "region not enabled", "no such region", "unexpected answer", "no effect"],
)
def test_failure_names_the_region_and_the_remedy(region: FakeEc2, reason: str):
    answer = CloudFormation({"eu-west-1": region}).ask("Create")
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("eu-west-1: ")
    assert reason in answer["Reason"]


def test_one_regions_trouble_costs_no_other_its_setting():
    cfn = CloudFormation(
        {"eu-west-1": FakeEc2(error=refused("AuthFailure")), "us-east-1": FakeEc2()}
    )
    assert cfn.ask("Create")["Status"] == "FAILED"
    assert cfn.regions["us-east-1"].on


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"Setting": "nothing", "Regions": ["eu-west-1"]}, "ModuleNotFoundError"),
        ({"Regions": ["eu-west-1"]}, "KeyError: 'Setting'"),
    ],
)
def test_a_bad_event_is_answered(properties: dict[str, Any], reason: str):
    answer = CloudFormation().ask("Create", ResourceProperties=properties)
    assert answer["Status"] == "FAILED"
    assert reason in answer["Reason"]


def test_a_long_reason_is_cut_to_what_cloudformation_takes():
    cfn = CloudFormation({"eu-west-1": FakeEc2(error=refused("X", "y" * 9000))})
    assert len(json.dumps(cfn.ask("Create"))) < 4096


def test_answers_once_before_lambda_ends_it():
    class Slow(FakeEc2):
        def get_ebs_encryption_by_default(self) -> dict[str, Any]:
            time.sleep(0.5)
            return super().get_ebs_encryption_by_default()

    cfn = CloudFormation({"eu-west-1": Slow()})
    cfn.ask("Create", seconds=SPARE_SECONDS + 0.1)
    assert [a["Status"] for a in cfn.answers] == ["FAILED"]
    assert "took too long" in cfn.answers[0]["Reason"]


def test_an_answer_that_cannot_be_delivered_fails_the_function():
    def unreachable(url: str, body: bytes) -> None:
        raise urllib.error.URLError("no route")

    event = {
        "RequestType": "Delete",
        "ResponseURL": "https://cfn.example",
        "StackId": "s",
        "RequestId": "r",
        "LogicalResourceId": "l",
    }
    with pytest.raises(OSError, match="no route"):
        handle(event, FakeLambda(), answer=unreachable)


class TestPut:
    @pytest.fixture
    def server(self):
        class Handler(BaseHTTPRequestHandler):
            replies: list[int] = []  # noqa: RUF012  one a request, then 200
            seen: list[tuple[str, str | None, bytes]] = []  # noqa: RUF012

            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.seen.append((self.path, self.headers["Content-Type"], body))
                self.send_response(self.replies.pop(0) if self.replies else 200)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None: ...

        server = HTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/answer?signature=a%2Fb", Handler
        server.shutdown()
        server.server_close()

    def test_uploads_without_a_content_type(self, server: Any):
        url, handler = server
        put(url, b"{}")
        # The presigned address was signed for none.
        assert handler.seen == [("/answer?signature=a%2Fb", "", b"{}")]

    @pytest.mark.parametrize(("replies", "ok"), [([500, 503], True), ([500, 500, 500], False)])
    def test_tries_three_times(self, server: Any, replies: list[int], ok: bool):
        url, handler = server
        handler.replies.extend(replies)
        if ok:
            put(url, b"{}")
        else:
            with pytest.raises(urllib.error.HTTPError):
                put(url, b"{}")
        assert len(handler.seen) == 3


def test_setting_is_found_by_its_control():
    assert named("ebs_encryption").actions == ebs.actions


class TestTemplate:
    @pytest.fixture(scope="class", params=[OUR_FLAGS, NO_FLAGS], ids=["our flags", "no flags"])
    @classmethod
    def template(cls, request: pytest.FixtureRequest) -> Template:
        return synth(lambda s: EbsEncryptionByDefault(s, "Ebs"), request.param)

    def test_asks_for_the_stacks_own_region(self, template: Template):
        it = template.one("Custom::AccountSetting")
        assert (it["Setting"], it["Regions"]) == ("ebs_encryption", [REGION])
        assert it["ServiceTimeout"] == "300"

    def test_function_may_do_that_and_no_more(self, template: Template):
        may = {
            (action, resource)
            for policy in template.all("AWS::IAM::Policy").values()
            for s in statements(policy["PolicyDocument"], "Allow")
            for action in s["Action"]
            for resource in s["Resource"]
            if not action.startswith("logs:")
        }
        assert may == {(action, "*") for action in ebs.actions}

    def test_function_outlasts_the_patience_of_neither(self, template: Template):
        function = template.one("AWS::Lambda::Function")
        assert function["Timeout"] < int(template.one("Custom::AccountSetting")["ServiceTimeout"])

    def test_log_is_kept_for_a_time(self, template: Template):
        assert template.one("AWS::Logs::LogGroup")["RetentionInDays"] == 731

    def test_regions_by_choice(self):
        regions = ["us-east-1", "eu-west-1"]
        it = synth(lambda s: EbsEncryptionByDefault(s, "Ebs", regions=regions))
        assert it.one("Custom::AccountSetting")["Regions"] == regions

    def test_settings_of_a_stack_share_a_function(self):
        def build(stack: cdk.Stack) -> None:
            EbsEncryptionByDefault(stack, "Ebs")
            AccountSetting(
                stack, "Other", setting="other", actions=["iam:GetAccountPasswordPolicy"]
            )

        it = synth(build)
        assert len(it.all("AWS::Lambda::Function")) == 1
        assert len(it.all("Custom::AccountSetting")) == 2
        [policy] = it.all("AWS::IAM::Policy").values()
        actions = {a for s in statements(policy["PolicyDocument"], "Allow") for a in s["Action"]}
        assert {*ebs.actions, "iam:GetAccountPasswordPolicy"} <= actions
