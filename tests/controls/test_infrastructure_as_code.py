"""Control 2: stacks that drifted, and who changed the account past the pipeline."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from cdk_soc2.boundary import parse
from cdk_soc2.controls.infrastructure_as_code import INFRASTRUCTURE_AS_CODE
from tests.controls.states import findings, reads, verdicts
from tests.fakes import ACCOUNT, NOW, Absent, Denied, FakeVault

REGIONS = ("eu-west-1", "us-east-1")
LAST_RUN = NOW - timedelta(days=1)
VAULT = FakeVault(last={"collection_timestamp": f"{LAST_RUN:%Y-%m-%dT%H:%M:%S.000Z}"})
BOUNDARY = parse({"deploy_roles": ["github-deploy"], "break_glass_users": ["breakglass"]})
P, F, U, N = "PASS", "FAIL", "UNKNOWN", "NOT_APPLICABLE"
STACKS, RESOURCES = (
    ("cloudformation", "describe_stacks"),
    ("cloudformation", "list_stack_resources"),
)
EVENTS, ROLE = ("cloudtrail", "lookup_events"), ("iam", "get_role")
IAM, STS = f"arn:aws:iam::{ACCOUNT}", f"arn:aws:sts::{ACCOUNT}"


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


YESTERDAY = ago(1)


def stack(
    name: str = "app",
    drift: Any = "IN_SYNC",
    checked: Any = YESTERDAY,
    status: Any = "UPDATE_COMPLETE",
    **more: Any,
) -> dict[str, Any]:
    information = {"StackDriftStatus": drift, "LastCheckTimestamp": checked}
    return {
        "StackId": f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/{name}/1",
        "StackName": name,
        "StackStatus": status,
        "CreationTime": ago(300),
        "DriftInformation": {k: v for k, v in information.items() if v is not None},
        **more,
    }


def resource(name: str, drift: str) -> dict[str, Any]:
    return {"LogicalResourceId": name, "DriftInformation": {"StackResourceDriftStatus": drift}}


IN_SYNC = (stack(),)


def state(
    *calls: Any, stacks: Any = IN_SYNC, resources: Any = (), roles: Any = None
) -> dict[tuple[str, ...], Any]:
    return {
        STACKS: {"Stacks": list(stacks)} if isinstance(stacks, tuple) else stacks,
        RESOURCES: {"StackResourceSummaries": list(resources)}
        if isinstance(resources, tuple)
        else resources,
        EVENTS: {"Events": list(calls)},
        ROLE: roles if roles is not None else Absent("NoSuchEntity"),
    }


def call(identity: Any, name: str = "ec2:RunInstances", **told: Any) -> dict[str, Any]:
    service, _, event = name.partition(":")
    record = {
        "eventSource": f"{service}.amazonaws.com",
        "eventName": event,
        "eventType": "AwsApiCall",
        "eventCategory": "Management",
        "readOnly": False,
        "userIdentity": identity,
        **told,
    }
    return {
        "EventId": f"id-{event}",
        "EventTime": NOW - timedelta(hours=2),
        "ReadOnly": "false",
        "CloudTrailEvent": json.dumps(record),
    }


def user(name: str = "ada", **more: Any) -> dict[str, Any]:
    return {"type": "IAMUser", "arn": f"{IAM}:user/{name}", "userName": name, **more}


def assumed(
    role: str, session: str = "s", path: str = "/", account: str = ACCOUNT, **more: Any
) -> dict[str, Any]:
    """*more* goes into the session's context; what is named _x into the identity."""
    issuer = {
        "type": "Role",
        "principalId": f"AROA{role}",
        "arn": f"arn:aws:iam::{account}:role{path}{role}",
        "accountId": account,
        "userName": role,
    }
    outer = {k[1:]: v for k, v in more.items() if k.startswith("_")}
    inner = {k: v for k, v in more.items() if not k.startswith("_")}
    return {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{session}",
        "sessionContext": {"sessionIssuer": issuer, "webIdFederationData": {}, **inner},
        **outer,
    }


def oidc(host: str) -> dict[str, Any]:
    return {"federatedProvider": f"{IAM}:oidc-provider/{host}", "attributes": {}}


def trusts(*principals: Any, name: str = "Worker", effect: str = "Allow") -> dict[str, Any]:
    policy = {"Statement": [{"Effect": effect, "Principal": p} for p in principals]}
    return {"Role": {"RoleId": f"AROA{name}", "AssumeRolePolicyDocument": policy}}


ROOT = {"type": "Root", "arn": f"{IAM}:root"}
SSO = assumed("AWSReservedSSO_Admin_1", "ada@example.com", "/aws-reserved/sso.amazonaws.com/")
DEPLOY, WORKER = assumed("github-deploy", "run-1"), assumed("Worker")
LINKED = assumed("AWSServiceRoleForX", path="/aws-service-role/x.amazonaws.com/")
LAMBDA, SAML = {"Service": "lambda.amazonaws.com"}, {"Federated": f"{IAM}:saml-provider/okta"}
GITHUB = {"Federated": f"{IAM}:oidc-provider/token.actions.githubusercontent.com"}
CFN = "cloudformation.amazonaws.com"

DRIFT: dict[str, tuple[dict[tuple[str, ...], Any], str]] = {
    "in sync": (state(), P),
    "in sync in one region, drifted in another": (
        state() | {("eu-west-1", *STACKS): {"Stacks": [stack(drift="DRIFTED")]}}, F,
    ),
    "drifted": (state(stacks=(stack(), stack("b", "DRIFTED"))), F),
    "drifted, updated since": (state(stacks=(stack("b", "DRIFTED", LastUpdatedTime=ago(0.5)),)), F),
    "drifted long ago": (state(stacks=(stack("b", "DRIFTED", ago(8)),)), U),
    "drifted, resources denied": (state(stacks=(stack("b", "DRIFTED"),), resources=Denied()), F),
    "drifted, resources null": (
        state(stacks=(stack("b", "DRIFTED"),), resources={"StackResourceSummaries": [None]}), F,
    ),
    "never checked": (state(stacks=(stack(drift="NOT_CHECKED", checked=None),)), U),
    "not checked, with a time": (state(stacks=(stack(drift="NOT_CHECKED"),)), U),
    "in sync, never checked": (state(stacks=(stack(checked=None),)), U),
    "could not be checked": (state(stacks=(stack(drift="UNKNOWN"),)), U),
    "checked 7 days ago": (state(stacks=(stack(checked=ago(7)),)), P),
    "checked a little more than 7 days ago": (state(stacks=(stack(checked=ago(7.001)),)), U),
    "checked in the future": (state(stacks=(stack(checked=ago(-1)),)), U),
    "updated since": (state(stacks=(stack(LastUpdatedTime=ago(0.5)),)), U),
    "updated before": (state(stacks=(stack(LastUpdatedTime=ago(2)),)), P),
    "made anew since": (state(stacks=(stack(CreationTime=ago(0.5)),)), U),
    "being deleted since": (
        state(stacks=(stack(status="DELETE_IN_PROGRESS", DeletionTime=ago(0.1)),)), U,
    ),
    "a nested stack drifted": (
        state(stacks=(stack(), stack("n", "DRIFTED", ParentId="p", RootId="p"))), F,
    ),
    "a nested stack was never checked": (
        state(stacks=(stack(), stack("n", "NOT_CHECKED", None, ParentId="p", RootId="p"))), U,
    ),
    "being made": (state(stacks=(stack("b", "NOT_CHECKED", None, "CREATE_IN_PROGRESS"),)), U),
    "not made yet": (state(stacks=(stack("b", "NOT_CHECKED", None, "REVIEW_IN_PROGRESS"),)), N),
    "making it was rolled back": (
        state(stacks=(stack(), stack("b", "NOT_CHECKED", None, "ROLLBACK_COMPLETE"))), P,
    ),
    "deleted": (state(stacks=(stack("b", "DRIFTED", ago(1), "DELETE_COMPLETE"),)), N),
    "no stacks": (state(stacks=()), N),
    "denied": (state(stacks=Denied()), U),
    "null": (state(stacks={"Stacks": None}), U),
    "words": (state(stacks=("app",)), U),
    "no status": (state(stacks=(stack(status=None),)), U),
    "no drift information": (state(stacks=(stack() | {"DriftInformation": None},)), U),
    "drift null": (state(stacks=(stack(drift=None),)), U),
    "drift is another word": (state(stacks=(stack(drift="in_sync"),)), U),
    "time is a word": (state(stacks=(stack(checked="2026-11-22"),)), U),
    "time without a zone": (state(stacks=(stack(checked=ago(1).replace(tzinfo=None)),)), U),
    "no creation time": (state(stacks=(stack(CreationTime=None),)), U),
    "no id": (state(stacks=(stack(StackId=None),)), U),
    "update time is a word": (state(stacks=(stack(LastUpdatedTime="now"),)), U),
    "one unreadable, one drifted": (
        state(stacks=(stack(drift=None, StackId="x"), stack("b", "DRIFTED"))), F,
    ),
}  # fmt: skip

CHANGES: dict[str, tuple[dict[tuple[str, ...], Any], str]] = {
    "good": (state(), P),
    "a deploy role and a service": (state(call(DEPLOY), call(LINKED)), P),
    "root": (state(call(ROOT)), F),
    "root in the console": (state(call({**ROOT, "invokedBy": "signin.amazonaws.com"})), F),
    "a service, recorded as root's": (
        state(call({**ROOT, "invokedBy": "autoscaling.amazonaws.com"})), P,
    ),
    "an IAM user": (state(call(user())), F),
    "an IAM user, by way of a service": (state(call(user(invokedBy=CFN))), F),
    "an IAM user in Cloud9": (state(call(user(invokedBy="cloud9.amazonaws.com"))), F),
    "a break-glass user": (state(call(user("breakglass"))), F),
    "a user with the name of a deploy role": (state(call(user("github-deploy"))), F),
    "a federated user": (state(call({"type": "FederatedUser", "arn": f"{STS}:f/bob"})), F),
    "a user of Identity Center": (state(call({"type": "IdentityCenterUser"})), F),
    "a permission set's role": (state(call(SSO)), F),
    "a permission set's role, by way of a service": (
        state(call({**SSO, "invokedBy": CFN})), F,
    ),
    "a person among many machines": (state(*[call(DEPLOY)] * 49, call(SSO)), F),
    "a deploy role": (state(call(DEPLOY)), P),
    "a deploy role of another account": (
        state(call(assumed("github-deploy", account="999999999999"))), U,
    ),
    "a role that ends as a deploy role does": (state(call(assumed("not-github-deploy"))), U),
    "a service": (state(call({"type": "AWSService", "invokedBy": CFN})), P),
    "a service by itself": (
        state(call({"accountId": ACCOUNT, "invokedBy": "AWS Internal"}, eventType="AwsServiceEvent")),
        P,
    ),
    "a service with a role": (state(call(assumed("cdk-cfn-exec-role", _invokedBy=CFN))), P),
    "a role in the console, by way of a service": (
        state(call(assumed("A", _invokedBy=CFN), sessionCredentialFromConsole="true")), F,
    ),
    "a service-linked role": (state(call(LINKED)), P),
    "a likely role name": (state(call(assumed("AWSServiceRoleForMe"))), U),
    "a role in the console": (state(call(WORKER, sessionCredentialFromConsole="true")), F),
    "a role in the console, by its agent": (
        state(call(WORKER, userAgent="console.amazonaws.com")), F,
    ),
    "a role in CloudShell": (
        state(call(WORKER, userAgent="aws-cli/2.1 exec-env/CloudShell")), F,
    ),
    "a role with MFA": (state(call(assumed("A", attributes={"mfaAuthenticated": "true"}))), F),
    "a role on behalf of somebody": (state(call(assumed("A", _onBehalfOf={"userId": "u"}))), F),
    "a Lambda function": (
        state(call(assumed("A", _inScopeOf={"issuerType": "AWS::Lambda::Function"}))), P,
    ),
    "an instance": (state(call(assumed("A", ec2RoleDelivery="2.0"))), P),
    "in the scope of something else": (
        state(call(assumed("A", _inScopeOf={"issuerType": "AWS::Else"}))), U,
    ),
    "a job of GitHub": (
        state(call(assumed("A", webIdFederationData=oidc("token.actions.githubusercontent.com")))), P,
    ),
    "a pod": (
        state(call(assumed("A", webIdFederationData=oidc("oidc.eks.eu-west-1.amazonaws.com/id/1")))),
        P,
    ),
    "people of an OIDC provider": (
        state(call(assumed("A", webIdFederationData=oidc("example.okta.com")))), U,
    ),
    "a provider with a likely name": (
        state(call(assumed("A", webIdFederationData=oidc("x.example/oidc.eks.")))), U,
    ),
    "a role that services trust": (state(call(WORKER), roles=trusts(LAMBDA)), P),
    "a role that services and jobs trust": (state(call(WORKER), roles=trusts(LAMBDA, GITHUB)), P),
    "a role of people": (state(call(WORKER), roles=trusts(SAML)), F),
    "a role of people and services": (state(call(WORKER), roles=trusts(SAML, LAMBDA)), U),
    "a role of the account": (
        state(call(WORKER), roles=trusts({"AWS": f"{IAM}:root"})), U,
    ),
    "a role of a service and of the account": (
        state(call(WORKER), roles=trusts({**LAMBDA, "AWS": [f"{IAM}:root"]})), U,
    ),
    "a role of everybody": (state(call(WORKER), roles=trusts("*")), U),
    "a role of nobody": (state(call(WORKER), roles=trusts(LAMBDA, effect="Deny")), U),
    "a role made anew": (state(call(WORKER), roles=trusts(LAMBDA, name="Other")), U),
    "a role that is gone": (state(call(WORKER)), U),
    "a role that cannot be read": (state(call(WORKER), roles=Denied()), U),
    "a role without a trust policy": (state(call(WORKER), roles={"Role": {"RoleId": "AROAWorker"}}), U),
    "a trust policy of words": (
        state(call(WORKER), roles={
            "Role": {"RoleId": "AROAWorker", "AssumeRolePolicyDocument": {"Statement": ["x"]}},
        }), U,
    ),
    "another account": (state(call({"type": "AWSAccount", "accountId": "9"})), U),
    "nobody known": (state(call({"type": "Unknown"})), U),
    "no type": (state(call({"accountId": ACCOUNT})), U),
    "refused": (state(call(user(), errorCode="AccessDenied")), P),
    "no error code": (state(call(user(), errorCode=None)), F),
    "signed in": (state(call(user(), "signin:ConsoleLogin"), call(SSO, "sso:Federate")), P),
    "got a token": (state(call(user(), "sts:GetSessionToken")), P),
    "changed the root password": (state(call(ROOT, "signin:PasswordUpdated")), F),
    "changed an assignment": (state(call(user(), "sso:CreateAccountAssignment")), F),
    "a read call after all": (state(call(user(), readOnly=True)), P),
    "nothing said of reading": (state(call(user(), readOnly=None)), F),
    "data": (state(call(user(), "s3:PutObject", eventCategory="Data")), P),
    "more than five pages": (
        state() | {EVENTS: {"Events": [call(DEPLOY)], "NextToken": "more"}}, U,
    ),
    "more than five pages, and a person": (
        state() | {EVENTS: {"Events": [call(ROOT)], "NextToken": "more"}}, F,
    ),
    "a person in another region": (
        state() | {("eu-west-1", *EVENTS): {"Events": [call(SSO)]}}, F,
    ),
    "another region denied": (state() | {("eu-west-1", *EVENTS): Denied()}, U),
    "denied": (state() | {EVENTS: Denied()}, U),
    "null": (state() | {EVENTS: {"Events": None}}, U),
    "words": (state("x"), U),
    "no JSON": (state({**call(DEPLOY), "CloudTrailEvent": "{"}), U),
    "no record": (state({**call(DEPLOY), "CloudTrailEvent": "[]"}), U),
    "no time": (state({**call(DEPLOY), "EventTime": None}), U),
    "no id": (state({**call(DEPLOY), "EventId": None}), U),
    "no caller": (state(call(None)), U),
    "caller is a word": (state(call("ada")), U),
    "no session": (state(call({"type": "AssumedRole", "arn": "x"})), U),
    "an issuer without a name": (
        state(call({"type": "AssumedRole", "sessionContext": {"sessionIssuer": {}}})), U,
    ),
    "type is a number": (state(call({"type": 1})), U),
    "one unreadable, one of a person": (state(call(None), call(user())), F),
}  # fmt: skip

STATES = {
    **{f"drift: {k}": (answers, v, P, N) for k, (answers, v) in DRIFT.items()},
    **{k: (answers, P, v, N) for k, (answers, v) in CHANGES.items()},
}


@pytest.mark.parametrize("name", STATES)
def test_state(name: str) -> None:
    answers, drift, changes, elsewhere = STATES[name]
    found = verdicts(
        INFRASTRUCTURE_AS_CODE, answers, regions=REGIONS, vault=VAULT, boundary=BOUNDARY
    )
    assert found == {
        "stack_drift": drift, "console_changes": changes, "global_changes": elsewhere,
    }  # fmt: skip


@pytest.mark.parametrize("name", STATES)
def test_what_is_not_good_has_a_remedy(name: str) -> None:
    found = findings(INFRASTRUCTURE_AS_CODE, STATES[name][0], regions=REGIONS, vault=VAULT).values()
    assert [o for f in found for o in f.observations if o.status in (F, U) and not o.remedy] == []


def test_it_reads_what_it_says() -> None:
    states = [answers for answers, *_ in STATES.values()]
    assert reads(INFRASTRUCTURE_AS_CODE, states) == set(INFRASTRUCTURE_AS_CODE.reads)


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ([], P),
        ([call(user(), "iam:CreateUser")], F),
        ([call(user(), "ec2:RunInstances")], P),  # a region that is out of scope
        ([call(WORKER, "iam:CreateUser")], U),
    ],
)
def test_global_services_are_seen_where_their_region_is_out_of_scope(
    calls: list[Any], expected: str
) -> None:
    answers = state() | {("us-east-1", *EVENTS): {"Events": calls}}
    found = verdicts(INFRASTRUCTURE_AS_CODE, answers, regions=("eu-west-1",), boundary=BOUNDARY)
    assert found == {"stack_drift": P, "console_changes": P, "global_changes": expected}


def test_what_drifted_is_named() -> None:
    resources = (resource("A", "IN_SYNC"), *(resource(f"R{n}", "MODIFIED") for n in range(5)))
    answers = state(stacks=(stack("b", "DRIFTED"),), resources=resources)
    found = findings(INFRASTRUCTURE_AS_CODE, answers)["stack_drift"]
    assert "R0 MODIFIED, R1 MODIFIED, R2 MODIFIED and 2 more" in found.detail


def test_stacks_without_resources_are_left_out_by_name() -> None:
    empty = stack("b", "NOT_CHECKED", None, "REVIEW_IN_PROGRESS")
    found = findings(INFRASTRUCTURE_AS_CODE, state(stacks=(stack(), empty)))["stack_drift"]
    assert [(e.subject, found.population) for e in found.exclusions] == [(empty["StackId"], 2)]


def test_changes_are_told_by_caller_and_action() -> None:
    answers = state(call(SSO), call(SSO), call(SSO, "s3:DeleteBucket"), call(DEPLOY))
    found = findings(INFRASTRUCTURE_AS_CODE, answers, boundary=BOUNDARY)["console_changes"]
    assert [o.subject for o in found.observations] == [
        f"{SSO['arn']} ec2:RunInstances",
        f"{SSO['arn']} s3:DeleteBucket",
    ]
    told = found.observations[0].detail
    assert told.startswith(
        "2 calls, the first at 2026-11-22T22:00:05Z (events id-RunInstances, id-"
    )


def test_a_quiet_region_says_how_many_calls_were_seen() -> None:
    refused = call(user(), errorCode="AccessDenied")
    answers = state(call(DEPLOY), call(LINKED), refused, call(user(), "signin:ConsoleLogin"))
    found = findings(INFRASTRUCTURE_AS_CODE, answers, boundary=BOUNDARY, vault=VAULT)
    assert "2 write calls since 2026-11-21T23:00:05Z: 1 by deploy roles, 1 by services, 0 by " in (
        found["console_changes"].detail
    )
    assert "1 refused and 1 to sign in" in found["console_changes"].detail


def test_no_deploy_role_is_taken_for_granted() -> None:
    assert verdicts(INFRASTRUCTURE_AS_CODE, state(call(DEPLOY)))["console_changes"] == U


def test_a_change_can_be_accepted_by_caller_and_action() -> None:
    accepted = {
        "check": "console_changes", "subject": f"{user()['arn']} ec2:RunInstances",
        "reason": "CHG-1", "reviewed_by": "bob", "until": "2026-11-30",
    }  # fmt: skip
    boundary = parse({"accepted_exceptions": [accepted]})
    calls = call(user()), call(user(), "iam:CreateUser")
    found = findings(INFRASTRUCTURE_AS_CODE, state(*calls), boundary=boundary)["console_changes"]
    assert [o.subject for o in found.observations] == [f"{user()['arn']} iam:CreateUser"]


@pytest.mark.parametrize(
    ("last", "start", "expected"),
    [
        (None, NOW - timedelta(days=1), P),
        (VAULT.last, LAST_RUN.replace(microsecond=0) - timedelta(hours=1), P),
        ({"collection_timestamp": "2026-08-01T00:00:00Z"}, None, U),  # calls are kept for 90 days
        ({"collection_timestamp": "2026-11-22T00:00:00"}, None, U),
        ({"collection_timestamp": "yesterday"}, None, U),
        ({"collection_timestamp": None}, None, U),
        ({}, None, U),
    ],
)
def test_calls_are_looked_up_from_before_the_last_run(last: Any, start: Any, expected: str) -> None:
    asked: list[dict[str, Any]] = []
    answers = state() | {EVENTS: lambda **p: asked.append(p) or {"Events": []}}
    found = verdicts(INFRASTRUCTURE_AS_CODE, answers, vault=FakeVault(last=last))
    assert found["console_changes"] == expected
    assert [(p["StartTime"], p["EndTime"]) for p in asked] == ([(start, NOW)] if start else [])
    for parameters in asked:
        assert parameters["LookupAttributes"] == [
            {"AttributeKey": "ReadOnly", "AttributeValue": "false"}
        ]
