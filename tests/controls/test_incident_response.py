"""Control 11: who is told of severe findings, and the documents of incident response."""

import json
from typing import Any

import pytest

from cdk_soc2.boundary import Boundary, parse
from cdk_soc2.controls.incident_response import INCIDENT_RESPONSE
from cdk_soc2.controls.incident_response.pattern import matches
from cdk_soc2.controls.incident_response.pattern import parse as parse_pattern
from tests.controls.states import findings, reads, reviewed, verdicts
from tests.fakes import ACCOUNT, HOME, Absent, Denied

REGIONS = ("eu-west-1", "us-east-1")
P, F, U, N = "PASS", "FAIL", "UNKNOWN", "NOT_APPLICABLE"
ENABLED = {"Regions": [{"RegionName": name} for name in REGIONS]}
ENABLED_REGIONS = ("ec2", "describe_regions")
RULES, TARGETS = ("events", "list_rules"), ("events", "list_targets_by_rule")
TOPIC, SUBSCRIPTIONS = ("sns", "get_topic_attributes"), ("sns", "list_subscriptions_by_topic")
FILTERS, KEY = ("sns", "get_subscription_attributes"), ("kms", "get_key_policy")
ARN = f"arn:aws:sns:us-east-1:{ACCOUNT}:alerts"
RULE = f"arn:aws:events:us-east-1:{ACCOUNT}:rule/severe"
KEY_ARN = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1"
SEVERE = {"severity": [{"numeric": [">=", 7]}]}
EVENTS = {"Service": "events.amazonaws.com"}
LISTED = [*range(7, 11), *(f"{n / 10:.1f}" for n in range(70, 101))]


def pattern(detail: Any = SEVERE, **more: Any) -> dict[str, Any]:
    given = {"source": ["aws.guardduty"], "detail-type": ["GuardDuty Finding"], **more}
    return {**given, "detail": detail} if detail is not None else given


def rule(matched: Any = None, name: str = "severe", **more: Any) -> dict[str, Any]:
    text = matched if isinstance(matched, str) else json.dumps(matched or pattern())
    arn = RULE.replace("severe", name)
    return {"Name": name, "Arn": arn, "State": "ENABLED", "EventPattern": text, **more}


def subscribed(*protocols: str, arn: str | None = None) -> dict[str, Any]:
    return {
        "Subscriptions": [
            {"SubscriptionArn": arn or f"{ARN}:{n}", "Protocol": protocol, "TopicArn": ARN}
            for n, protocol in enumerate(protocols)
        ]
    }


def allows(
    principal: Any = EVENTS, action: Any = "sns:Publish", effect: str = "Allow", **more: Any
) -> dict[str, Any]:
    return {"Effect": effect, "Principal": principal, "Action": action, "Resource": ARN, **more}


def topic(*statements: dict[str, Any], **more: Any) -> dict[str, Any]:
    policy = {"Statement": list(statements or [allows()])}
    return {"Attributes": {"TopicArn": ARN, "Policy": json.dumps(policy), **more}}


def key(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Policy": json.dumps({"Statement": [{**s, "Resource": "*"} for s in statements]})}


def state(
    *rules: Any,
    targets: Any = ({"Id": "1", "Arn": ARN},),
    attributes: Any = None,
    subscriptions: Any = None,
    filters: Any = None,
    **more: Any,
) -> dict[tuple[str, ...], Any]:
    return {
        ENABLED_REGIONS: ENABLED,
        RULES: {"Rules": list(rules or [rule()])},
        TARGETS: {"Targets": list(targets)} if isinstance(targets, tuple) else targets,
        TOPIC: topic() if attributes is None else attributes,
        SUBSCRIPTIONS: subscribed("email") if subscriptions is None else subscriptions,
        FILTERS: {"Attributes": {}} if filters is None else filters,
        KEY: key(allows(action=["kms:GenerateDataKey*", "kms:Decrypt"])),
    }


def to(*arns: str, **more: Any) -> tuple[dict[str, Any], ...]:
    return tuple({"Id": str(n), "Arn": arn, **more} for n, arn in enumerate(arns))


def forwarded(home: Any, **target: Any) -> dict[tuple[str, ...], Any]:
    """eu-west-1 forwards to the default bus of us-east-1, whose rule is *home*."""
    there = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"
    return state() | {
        ("eu-west-1", *RULES): {"Rules": [rule(name="on")]},
        ("eu-west-1", *TARGETS): {"Targets": [{"Id": "1", "Arn": there, "RoleArn": "r", **target}]},
        ("us-east-1", *RULES): {"Rules": [home]},
    }


def tls() -> dict[str, Any]:
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    return allows({"AWS": "*"}, effect="Deny", Condition=condition)


def for_rule(
    value: Any, operator: str = "ArnEquals", name: str = "aws:SourceArn"
) -> dict[str, Any]:
    return allows(Condition={operator: {name: value}})


def enumerated(*severities: Any) -> str:
    """A pattern that lists severities as they are written."""
    return (
        json.dumps(pattern(None))[:-1]
        + f', "detail": {{"severity": [{", ".join(map(str, severities))}]}}}}'
    )


OWNED = {"StringEquals": {"AWS:SourceOwner": ACCOUNT}}
LAMBDA = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"
CUSTOM = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/security"
ABROAD = "arn:aws:events:us-east-1:999999999999:event-bus/default"
SECURITY_HUB = rule({"source": ["aws.securityhub"]}, name="hub")
HIGH = rule(pattern({"severity": [{"numeric": [">=", 7, "<", 9]}]}), name="high")
CRITICAL = rule(pattern({"severity": [{"numeric": [">=", 9]}]}), name="critical")
NO_RULES = {RULES: {"Rules": []}}

STATES: dict[str, tuple[dict[tuple[str, ...], Any], str]] = {
    # name: (answers, alert_route)
    "good": (state(), P),
    "every finding": (state(rule(pattern(None))), P),
    "every event of GuardDuty": (state(rule({"source": ["aws.guardduty"]})), P),
    "every event of the account": (state(rule({"account": [ACCOUNT]})), P),
    "a service's rule": (state(rule(ManagedBy="x.amazonaws.com")), P),
    "enabled for all events": (
        state(rule(State="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")), P,
    ),
    "no rule": (state() | NO_RULES, F),
    "no rule in one region": (state() | {("eu-west-1", *RULES): {"Rules": []}}, F),
    "disabled": (state(rule(State="DISABLED")), F),
    "a schedule": (state(rule(EventPattern=None, ScheduleExpression="rate(1 day)")), F),
    "another service's": (state(rule({"source": ["aws.inspector2"]})), F),
    "another event of GuardDuty": (
        state(rule({"source": ["aws.guardduty"], "detail-type": ["GuardDuty Else"]})), F,
    ),
    "another account's": (state(rule(pattern(account=["999999999999"]))), F),
    "from 4": (state(rule(pattern({"severity": [{"numeric": [">=", 4]}]}))), P),
    "over 7": (state(rule(pattern({"severity": [{"numeric": [">", 7]}]}))), F),
    "from 8": (state(rule(pattern({"severity": [{"numeric": [">=", 8]}]}))), F),
    "critical only": (state(CRITICAL), F),
    "high only": (state(HIGH), F),
    "up to 8.9": (state(rule(pattern({"severity": [{"numeric": [">=", 7, "<=", 8.9]}]}))), F),
    "up to 9.9": (state(rule(pattern({"severity": [{"numeric": [">=", 7, "<", 10]}]}))), F),
    "high and critical, by two rules": (state(HIGH, CRITICAL), P),
    "high and critical, one is disabled": (state(HIGH, {**CRITICAL, "State": "DISABLED"}), F),
    "high or critical, by $or": (
        state(rule(pattern({"$or": [
            {"severity": [{"numeric": [">=", 7, "<", 9]}]}, {"severity": [{"numeric": [">=", 9]}]},
        ]}))), P,
    ),
    "all severities listed": (state(rule(enumerated(*LISTED))), P),
    "severities listed up to 8.9": (state(rule(enumerated(*LISTED[4:24], 7, 8))), F),
    "severities listed, whole ones once": (state(rule(enumerated(*LISTED[4:]))), U),
    "severities as words": (state(rule(pattern({"severity": ["HIGH", "CRITICAL"]}))), F),
    "any but some severity": (
        state(rule(pattern({"severity": [{"anything-but": {"numeric": ["<", 7]}}]}))), P,
    ),
    "numbers that are no numbers": (
        state(rule(pattern({"severity": [{"numeric": [">=", "7"]}]}))), U,
    ),
    "one type only": (state(rule(pattern({**SEVERE, "type": ["Backdoor:EC2/C&CActivity.B!DNS"]}))), F),
    "a family of types": (state(rule(pattern({**SEVERE, "type": [{"prefix": "Backdoor:"}]}))), F),
    "all types but one": (
        state(rule(pattern({**SEVERE, "type": [{"anything-but": ["Recon:EC2/Portscan"]}]}))), U,
    ),
    "of one resource": (
        state(rule(pattern({**SEVERE, "resource": {"resourceType": ["Instance"]}}))), U,
    ),
    "not archived": (state(rule(pattern({**SEVERE, "service": {"archived": [False]}}))), P),
    "archived": (state(rule(pattern({**SEVERE, "service": {"archived": [True]}}))), F),
    "another region's": (state(rule(pattern(region=["ap-south-1"]))), F),
    "an operator not known here": (
        state(rule(pattern(source=[{"wildcard": "aws.guard*"}]))), U,
    ),
    "a pattern that is no JSON": (state(rule("{")), U),
    "a pattern of nothing": (state(rule("{}")), U),
    "a pattern that is a list": (state(rule("[]")), U),
    "a broken pattern besides": (state(rule(), rule("{", name="broken")), P),
    "Security Hub's findings": (state(SECURITY_HUB), U),
    "no target": (state(targets=()), F),
    "a function": (state(targets=to(LAMBDA)), U),
    "a function and a topic": (state(targets=to(LAMBDA, ARN)), P),
    "a target that is no ARN": (state(targets=to("x")), U),
    "a target that is null": (state(targets=({"Id": "1", "Arn": None},)), U),
    "a topic with a role": (state(targets=to(ARN, RoleArn="r")), U),
    "targets denied": (state(targets=Denied()), U),
    "targets null": (state(targets={"Targets": None}), U),
    "no subscription": (state(subscriptions=subscribed()), F),
    "pending": (state(subscriptions=subscribed("email", arn="PendingConfirmation")), F),
    "deleted": (state(subscriptions=subscribed("email", arn="Deleted")), F),
    "an SMS": (state(subscriptions=subscribed("sms")), P),
    "an on-call service": (state(subscriptions=subscribed("https")), P),
    "a queue": (state(subscriptions=subscribed("sqs")), U),
    "a function that is subscribed": (state(subscriptions=subscribed("lambda")), U),
    "a queue and a person": (state(subscriptions=subscribed("sqs", "email")), P),
    "a filter": (state(filters={"Attributes": {"FilterPolicy": '{"a": ["b"]}'}}), U),
    "a filter of nothing": (state(filters={"Attributes": {"FilterPolicy": "{}"}}), P),
    "pending after all": (state(filters={"Attributes": {"PendingConfirmation": "true"}}), U),
    "many queues and a person": (state(subscriptions=subscribed(*["sqs"] * 12, "email")), P),
    "a key of AWS, a policy not known here": (
        state(attributes=topic(for_rule(RULE, "StringNotEquals"), KmsMasterKeyId="alias/aws/sns")), F,
    ),
    "filters denied": (state(filters=Denied()), U),
    "filters null": (state(filters={"Attributes": None}), U),
    "filters denied, nobody confirmed": (
        state(filters=Denied(), subscriptions=subscribed("email", arn="PendingConfirmation")), F,
    ),
    "subscriptions denied": (state(subscriptions=Denied()), U),
    "subscriptions null": (state(subscriptions={"Subscriptions": None}), U),
    "subscriptions are words": (state(subscriptions={"Subscriptions": ["x"]}), U),
    "a subscription of null": (
        state(subscriptions={"Subscriptions": [{"SubscriptionArn": None, "Protocol": "email"}]}), F,
    ),
    "topic is gone": (state(attributes=Absent("NotFound")), F),
    "topic denied": (state(attributes=Denied()), U),
    "topic null": (state(attributes={"Attributes": None}), U),
    "topic without a policy": (state(attributes={"Attributes": {}}), U),
    "policy is no JSON": (state(attributes={"Attributes": {"Policy": "x"}}), U),
    "policy of words": (state(attributes={"Attributes": {"Policy": '{"Statement": ["x"]}'}}), U),
    "policy of the owner alone": (
        state(attributes=topic(allows({"AWS": "*"}, "SNS:Publish", Condition=OWNED))), F,
    ),
    "policy for everybody": (state(attributes=topic(allows("*"))), P),
    "policy for another service": (
        state(attributes=topic(allows({"Service": "cloudwatch.amazonaws.com"}))), F,
    ),
    "policy for another action": (state(attributes=topic(allows(action="sns:Subscribe"))), F),
    "policy for all actions": (state(attributes=topic(allows(action="SNS:*"))), P),
    "policy for another topic": (state(attributes=topic(allows() | {"Resource": f"{ARN}2"})), F),
    "policy for the rule": (state(attributes=topic(for_rule(RULE))), P),
    "policy for the account's rules": (
        state(attributes=topic(for_rule(f"arn:aws:events:*:{ACCOUNT}:rule/*", "ArnLike"))), P,
    ),
    "policy for another rule": (state(attributes=topic(for_rule(f"{RULE}-2"))), F),
    "policy with a condition not known here": (
        state(attributes=topic(for_rule(ACCOUNT, "StringEquals", "aws:SourceAccount"))), U,
    ),
    "policy with an operator not known here": (
        state(attributes=topic(for_rule(RULE, "StringNotEquals"))), U,
    ),
    "policy that wants TLS": (state(attributes=topic(allows(), tls())), P),
    "policy that denies": (state(attributes=topic(allows(), allows(effect="Deny"))), F),
    "policy that denies everybody but some": (
        state(attributes=topic(allows(), {"Effect": "Deny", "NotPrincipal": {"AWS": "x"}})), U,
    ),
    "a key of AWS": (state(attributes=topic(KmsMasterKeyId="alias/aws/sns")), F),
    "a key": (state(attributes=topic(KmsMasterKeyId=KEY_ARN)), P),
    "a key by alias": (state(attributes=topic(KmsMasterKeyId="alias/alerts")), U),
    "a key for others": (
        state(attributes=topic(KmsMasterKeyId=KEY_ARN))
        | {KEY: key(allows({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "kms:*"))}, F,
    ),
    "a key to decrypt with": (
        state(attributes=topic(KmsMasterKeyId=KEY_ARN)) | {KEY: key(allows(action="kms:Decrypt"))}, F,
    ),
    "a key for this topic": (
        state(attributes=topic(KmsMasterKeyId=KEY_ARN)) | {KEY: key(allows(
            action="kms:*",
            Condition={"ArnLike": {"kms:EncryptionContext:aws:sns:topicArn": f"arn:*:{ACCOUNT}:*"}},
        ))}, P,
    ),
    "a key for this account": (
        state(attributes=topic(KmsMasterKeyId=KEY_ARN)) | {KEY: key(allows(
            action="kms:*", Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        ))}, U,
    ),
    "a key that cannot be read": (
        state(attributes=topic(KmsMasterKeyId=KEY_ARN)) | {KEY: Denied()}, U,
    ),
    "forwarded": (forwarded(rule()), P),
    "forwarded, without a role": (forwarded(rule(), RoleArn=None), U),
    "forwarded, only its own are heard there": (
        forwarded(rule(pattern(region=["us-east-1"]))), F,
    ),
    "forwarded to where nobody listens": (
        forwarded(rule()) | {("us-east-1", *RULES): {"Rules": []}}, F,
    ),
    "forwarded to where rules cannot be read": (
        forwarded(rule()) | {("us-east-1", *RULES): Denied()}, U,
    ),
    "forwarded to another account": (forwarded(rule(), Arn=ABROAD), U),
    "forwarded to another bus": (
        forwarded(rule(), Arn=CUSTOM) | {("us-east-1", *RULES, "security"): {"Rules": [rule()]}}, P,
    ),
    "forwarded to another bus that nobody listens to": (
        forwarded(rule(), Arn=CUSTOM) | {("us-east-1", *RULES, "security"): {"Rules": []}}, F,
    ),
    "forwarded in a circle": (
        state(targets=to(f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default", RoleArn="r")), U,
    ),
    "denied": (state() | {RULES: Denied()}, U),
    "denied in one region": (state() | {("eu-west-1", *RULES): Denied()}, U),
    "null": (state() | {RULES: {"Rules": None}}, U),
    "words": (state("x"), U),
    "no state": (state(rule(State=None)), U),
    "another state": (state(rule(State="enabled")), U),
    "no name": (state(rule(Name=None)), U),
    "regions denied": (state() | {ENABLED_REGIONS: Denied()}, U),
    "no regions": (state() | {ENABLED_REGIONS: {"Regions": []}}, U),
    "one region denied, no rule in the other": (
        state() | NO_RULES | {("eu-west-1", *RULES): Denied()}, F,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STATES)
def test_state(name: str) -> None:
    answers, expected = STATES[name]
    assert verdicts(INCIDENT_RESPONSE, answers, regions=REGIONS) == {
        "alert_route": expected, "runbook": U, "tabletop": U,
    }  # fmt: skip


@pytest.mark.parametrize("name", STATES)
def test_what_is_not_good_has_a_remedy(name: str) -> None:
    found = findings(INCIDENT_RESPONSE, STATES[name][0], regions=REGIONS).values()
    assert [o for f in found for o in f.observations if o.status in (F, U) and not o.remedy] == []


def test_it_reads_what_it_says() -> None:
    states = [answers for answers, _ in STATES.values()]
    assert reads(INCIDENT_RESPONSE, states) == set(INCIDENT_RESPONSE.reads)


def test_every_region_is_told_of_by_its_route() -> None:
    found = findings(INCIDENT_RESPONSE, forwarded(rule()), regions=REGIONS)["alert_route"]
    assert [(o.subject, o.region) for o in found.observations] == [(r, r) for r in REGIONS]
    assert "rule on: forwarded to" in found.observations[0].detail
    assert f"rule severe: topic {ARN}: 1 of 1 subscriptions confirmed" in found.detail


def test_what_is_lost_is_told() -> None:
    found = findings(INCIDENT_RESPONSE, state(HIGH))["alert_route"]
    assert "findings of severity 9.0 to 10.0 reach nobody" in found.detail
    only = state(rule(pattern({**SEVERE, "type": [{"prefix": "Backdoor:"}]})))
    assert "such as AttackSequence:" in findings(INCIDENT_RESPONSE, only)["alert_route"].detail


def test_regions_out_of_scope_are_shown() -> None:
    found = findings(INCIDENT_RESPONSE, state(), regions=(HOME,))["alert_route"]
    assert [e.subject for e in found.exclusions] == ["eu-west-1"]


def test_listed_regions_need_no_list_of_the_enabled() -> None:
    answers = state() | {ENABLED_REGIONS: Denied()}
    boundary = parse({"regions": [HOME]})
    assert verdicts(INCIDENT_RESPONSE, answers, boundary=boundary)["alert_route"] == P


@pytest.mark.parametrize(
    ("boundary", "runbook", "tabletop"),
    [
        (Boundary(), U, U),
        (parse({"period": {"start": "2026-12-01", "end": "2027-02-28"}}), U, U),
        (parse({"period": {"start": "2026-11-23", "end": "2027-02-28"}}), F, U),
        (parse({"period": {"start": "2026-09-01", "end": "2026-11-24"}}), F, U),
        (parse({"period": {"start": "2026-08-01", "end": "2026-11-22"}}), F, F),
    ],
)
def test_documents_are_due(boundary: Boundary, runbook: str, tabletop: str) -> None:
    found = verdicts(INCIDENT_RESPONSE, state(), boundary=boundary)
    assert (found["runbook"], found["tabletop"]) == (runbook, tabletop)


EVENT = {"a": "Word", "n": 7, "d": {"b": True, "null": None}}
PATTERNS: dict[str, bool | None] = {
    '{"a": ["Word"]}': True,
    '{"a": ["word"]}': False,
    '{"a": [{"equals-ignore-case": "word"}]}': True,
    '{"a": [{"prefix": "Wo"}]}': True,
    '{"a": [{"suffix": "rd"}]}': True,
    '{"a": [{"prefix": "rd"}]}': False,
    '{"n": [{"prefix": "7"}]}': False,
    '{"a": [{"prefix": {"equals-ignore-case": "wo"}}]}': None,
    '{"a": [{"anything-but": "Word"}]}': False,
    '{"a": [{"anything-but": ["x", "y"]}]}': True,
    '{"a": [{"anything-but": {"prefix": "Wo"}}]}': False,
    '{"a": [{"anything-but": {"wildcard": "W*"}}]}': None,
    '{"a": [{"exists": true}]}': True,
    '{"a": [{"exists": false}]}': False,
    '{"z": [{"exists": false}]}': None,
    '{"z": ["x"]}': None,
    '{"z": ["x"], "a": ["y"]}': False,
    '{"a": [{"numeric": ["=", 7]}]}': False,
    '{"n": [{"numeric": [">", 6, "<=", 7]}]}': True,
    '{"n": [{"numeric": [">"]}]}': None,
    '{"n": [{"numeric": ["!", 7]}]}': None,
    '{"n": [{"numeric": []}]}': None,
    '{"n": [7]}': True,
    '{"n": [7.0]}': None,
    '{"n": [8.0]}': False,
    '{"n": [true]}': False,
    '{"d": {"b": [true], "null": [null]}}': True,
    '{"d": {"b": [1]}}': False,
    '{"d": ["x"]}': None,
    '{"a": {"b": ["x"]}}': False,
    '{"a": "Word"}': None,
    '{"a": []}': False,
    '{"a": [{"prefix": "W", "suffix": "d"}]}': None,
    '{"$or": [{"a": ["x"]}, {"n": [7]}]}': True,
    '{"$or": [{"a": ["x"]}, {"n": [8]}]}': False,
    '{"$or": [{"a": ["x"]}, {"z": [8]}]}': None,
    '{"$or": []}': None,
    '{"$or": [{"a": ["Word"]}], "n": [8]}': False,
    "{}": None,
    "7": None,
}


@pytest.mark.parametrize("text", PATTERNS)
def test_a_pattern_matches(text: str) -> None:
    assert matches(parse_pattern(text), EVENT) is PATTERNS[text]


def finding_rule(**properties: Any) -> dict[str, Any]:
    given = {"EventPattern": pattern(), "Targets": [{"Arn": ARN, "Id": "1"}], **properties}
    return {"R": {"Type": "AWS::Events::Rule", "Properties": given}}


def sns(**properties: Any) -> dict[str, Any]:
    return {"T": {"Type": "AWS::SNS::Topic", "Properties": properties}}


TEMPLATES: dict[str, tuple[dict[str, Any], list[str], list[str]]] = {
    "enabled": (finding_rule(State="ENABLED"), [P], []),
    "no state": (finding_rule(), [P], []),
    "disabled": (finding_rule(State="DISABLED"), [F], []),
    "no target": (finding_rule(Targets=[]), [F], []),
    "state known at deploy time": (finding_rule(State={"Ref": "S"}), [U], []),
    "of another service": (
        finding_rule(EventPattern={"source": ["aws.s3"]}, State="DISABLED"),
        [],
        [],
    ),
    "a schedule": (finding_rule(EventPattern=None, State="DISABLED"), [], []),
    "no key": (sns(), [], [P]),
    "a key": (sns(KmsMasterKeyId={"Fn::GetAtt": ["K", "Arn"]}), [], [P]),
    "a key of AWS": (sns(KmsMasterKeyId="alias/aws/sns"), [], [P]),
    "a key of AWS, for a rule": (
        {**sns(KmsMasterKeyId="alias/aws/sns"), **finding_rule(Targets=[{"Arn": {"Ref": "T"}}])},
        [P],
        [F],
    ),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_template(name: str) -> None:
    resources, enabled, usable = TEMPLATES[name]
    assert reviewed(INCIDENT_RESPONSE, resources) == {
        "finding_rule_is_enabled": enabled, "topic_key_is_usable": usable,
    }  # fmt: skip
