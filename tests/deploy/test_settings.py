import json
import time
import urllib.error
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import aws_cdk as cdk
import pytest
from botocore.exceptions import EndpointConnectionError

from cdk_soc2.constructs import EbsEncryptionByDefault, PasswordPolicy
from cdk_soc2.controls.ebs_encryption import setting as ebs
from cdk_soc2.controls.mfa import setting as password_policy
from cdk_soc2.custom_resource import SPARE_SECONDS, handle, put
from cdk_soc2.settings import AT_ONCE, PERMITTED_AFTER, SHOWN_AFTER, make, named
from tests.deploy.cloudformation import HOME, CloudFormation, FakeLambda, refused
from tests.deploy.synth import NO_FLAGS, OUR_FLAGS, REGION, Template, statements, synth


@dataclass
class FakeEc2:
    """EC2 of one region, as far as EBS encryption by default goes."""

    on: bool = False
    deaf: bool = False  # takes the call and does nothing
    slow: int = 0  # reads until the change shows
    error: Exception | None = None
    errors: int = 1000  # how often
    enabled: int = 0

    def get_ebs_encryption_by_default(self) -> dict[str, Any]:
        if self.error and self.errors:
            self.errors -= 1
            raise self.error
        shown = self.on and not (self.enabled and self.slow)
        self.slow -= bool(self.enabled and self.slow)
        return {"EbsEncryptionByDefault": shown}

    def enable_ebs_encryption_by_default(self) -> dict[str, Any]:
        self.enabled += 1
        self.on = self.on or not self.deaf
        return {"EbsEncryptionByDefault": self.on}


def encryption(regions: dict[str, FakeEc2] | None = None, **also: Any) -> CloudFormation:
    regions = {"eu-west-1": FakeEc2()} if regions is None else regions
    return CloudFormation("ebs_encryption", regions, **also)


def test_create_applies_and_tells_what_it_found():
    cfn = encryption()
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
    cfn = encryption()
    cfn.ask("Create")
    assert cfn.ask("Create")["Data"] == {"Found": "eu-west-1=on", "Now": "eu-west-1=on"}
    assert cfn.regions["eu-west-1"].enabled == 1


def test_update_mends_drift_and_keeps_its_id():
    cfn = encryption({"eu-west-1": FakeEc2(on=True), "us-east-1": FakeEc2(on=False)})
    answer = cfn.ask("Update", PhysicalResourceId="as it was")
    assert answer["PhysicalResourceId"] == "as it was"
    assert answer["Data"] == {
        "Found": "eu-west-1=on,us-east-1=off",
        "Now": "eu-west-1=on,us-east-1=on",
    }


def test_delete_never_weakens():
    cfn = encryption({"eu-west-1": FakeEc2(on=True)})
    answer = cfn.ask("Delete", PhysicalResourceId="it")
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "it")
    assert "stays as it is" in answer["Reason"]
    assert cfn.regions["eu-west-1"].on


def test_delete_succeeds_for_a_setting_that_is_no_more():
    answer = encryption().ask(
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
        (FakeEc2(deaf=True), "applied, and yet it reads as off; deploy again"),
    ],
    ids=["denied", "region not enabled", "no such region", "unexpected answer", "no effect"],
)
def test_failure_names_the_region_and_the_remedy(region: FakeEc2, reason: str):
    answer = encryption({"eu-west-1": region}).ask("Create")
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("eu-west-1: ")
    assert reason in answer["Reason"]


def test_one_regions_trouble_costs_no_other_its_setting():
    cfn = encryption({"eu-west-1": FakeEc2(error=refused("AuthFailure")), "us-east-1": FakeEc2()})
    assert cfn.ask("Create")["Status"] == "FAILED"
    assert cfn.regions["us-east-1"].on


def test_the_same_trouble_is_told_once():
    cfn = encryption({f"eu-west-{n}": FakeEc2(error=refused("AuthFailure")) for n in (1, 2, 3)})
    reason = cfn.ask("Create")["Reason"]
    assert reason.startswith("eu-west-1, eu-west-2, eu-west-3: ")
    assert reason.count("AuthFailure") == 1


@pytest.mark.parametrize(
    ("region", "made", "pauses"),
    [
        (FakeEc2(error=refused("UnauthorizedOperation"), errors=1), True, PERMITTED_AFTER[:1]),
        (FakeEc2(error=refused("UnauthorizedOperation")), False, PERMITTED_AFTER),
        (FakeEc2(error=refused("Throttling"), errors=1), False, ()),
        (FakeEc2(slow=2), True, (0.0, *SHOWN_AFTER[:2])),
    ],
    ids=[
        "a permission that is new",
        "one that never comes",
        "another error",
        "a change shows late",
    ],
)
def test_waits_for_what_takes_some_seconds(region: FakeEc2, made: bool, pauses: tuple[float, ...]):
    cfn = encryption({"eu-west-1": region})
    assert (cfn.ask("Create")["Status"] == "SUCCESS") is made
    assert tuple(cfn.pauses[: len(pauses)]) == pauses


class FakeRegions:
    def __init__(self, *names: str, error: Exception | None = None, seconds: float = 0) -> None:
        self.names, self.error, self.seconds = names, error, seconds

    def describe_regions(self) -> dict[str, Any]:
        time.sleep(self.seconds)
        if self.error:
            raise self.error
        return {"Regions": [{"RegionName": name} for name in self.names]}


@pytest.fixture
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", HOME)


ALL = {"Setting": "ebs_encryption", "Regions": "all"}


@pytest.mark.usefixtures("at_home")
class TestAllRegions:
    def test_are_those_that_the_account_has_enabled_now(self):
        names = [f"eu-west-{n}" for n in range(2 * AT_ONCE)]
        cfn = encryption({n: FakeEc2() for n in names}, enabled=FakeRegions(*reversed(names)))
        answer = cfn.ask(ResourceProperties=ALL)
        assert answer["Data"]["Now"] == ",".join(f"{n}=on" for n in sorted(names))

    def test_that_cannot_be_listed_fail(self):
        cfn = encryption(enabled=FakeRegions(error=refused("UnauthorizedOperation")))
        reason = cfn.ask(ResourceProperties=ALL)["Reason"]
        assert reason.startswith("DescribeRegions: ") and "list the regions instead" in reason

    def test_answers_once_before_lambda_ends_it(self):
        cfn = encryption(enabled=FakeRegions("eu-west-1", seconds=0.5))
        cfn.ask(ResourceProperties=ALL, seconds=SPARE_SECONDS + 0.1)
        assert [a["Status"] for a in cfn.answers] == ["FAILED"]
        assert "took too long" in cfn.answers[0]["Reason"]


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"Setting": "nothing", "Regions": ["eu-west-1"]}, "ModuleNotFoundError"),
        ({"Regions": ["eu-west-1"]}, "KeyError: 'Setting'"),
    ],
)
def test_a_bad_event_is_answered(properties: dict[str, Any], reason: str):
    answer = encryption().ask("Create", ResourceProperties=properties)
    assert answer["Status"] == "FAILED"
    assert reason in answer["Reason"]


def test_a_long_reason_is_cut_to_what_cloudformation_takes():
    cfn = encryption({"eu-west-1": FakeEc2(error=refused("X", "y" * 9000))})
    assert len(json.dumps(cfn.ask("Create"))) < 4096


def test_a_region_that_takes_too_long_is_named_and_the_others_are_made():
    class Slow(FakeEc2):
        def get_ebs_encryption_by_default(self) -> dict[str, Any]:
            time.sleep(0.5)
            return super().get_ebs_encryption_by_default()

    cfn = encryption({"eu-west-1": Slow(), "us-east-1": FakeEc2()})
    reason = cfn.ask("Create", seconds=SPARE_SECONDS + 0.3)["Reason"]
    assert reason.startswith("eu-west-1: not finished within 0 s; deploy again")
    assert cfn.regions["us-east-1"].on


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
        handle(event, FakeLambda(), make, answer=unreachable)


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
        assert it["ServiceTimeout"] == "600"

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

    def test_all_regions_are_asked_for_when_deployed(self):
        it = synth(lambda s: EbsEncryptionByDefault(s, "Ebs", regions="all"))
        assert it.one("Custom::AccountSetting")["Regions"] == "all"
        [policy] = it.all("AWS::IAM::Policy").values()
        may = {a for s in statements(policy["PolicyDocument"], "Allow") for a in s["Action"]}
        assert "ec2:DescribeRegions" in may

    def test_a_region_must_be_in_a_list(self):
        with pytest.raises(ValueError, match="regions is 'us-east-1'; give a list"):
            synth(lambda s: EbsEncryptionByDefault(s, "Ebs", regions="us-east-1"))  # type: ignore[arg-type]

    def test_settings_of_a_stack_share_a_function(self):
        def build(stack: cdk.Stack) -> None:
            EbsEncryptionByDefault(stack, "Ebs")
            PasswordPolicy(stack, "Passwords")

        it = synth(build)
        assert len(it.all("AWS::Lambda::Function")) == 1
        assert len(it.all("Custom::AccountSetting")) == 2
        [policy] = it.all("AWS::IAM::Policy").values()
        actions = {a for s in statements(policy["PolicyDocument"], "Allow") for a in s["Action"]}
        assert {*ebs.actions, *password_policy.actions} <= actions
