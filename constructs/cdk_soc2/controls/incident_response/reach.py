"""Whether what a rule sends to an SNS topic gets to somebody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cdk_soc2.answers import may, want
from cdk_soc2.control import CannotLook
from cdk_soc2.controls.incident_response.asking import got
from cdk_soc2.controls.incident_response.pattern import every
from cdk_soc2.controls.incident_response.policies import Known, lets_events
from cdk_soc2.controls.incident_response.topics import Record, Topics, confirmed, telling

TLS: Known = {"aws:securetransport": "true"}
KEY_ACTIONS = ("kms:GenerateDataKey", "kms:Decrypt")
CONFIRM = (
    "Subscribe people to the topic by e-mail, SMS or an on-call service, and have them confirm."
)
PUBLISH = "Let events.amazonaws.com do sns:Publish in the topic's policy, for the rule's ARN."
DECRYPT = (
    "Encrypt the topic with a key of your own, and let events.amazonaws.com do kms:GenerateDataKey* "
    "and kms:Decrypt in its policy: EventBridge may not use the key that AWS manages for SNS."
)


@dataclass(frozen=True, slots=True)
class Reach:
    """Does it get to somebody? In words, and what to do when it does not."""

    ok: bool | None
    told: str
    remedy: str


def reach(topics: Topics, region: str, arn: str, rule: str) -> Reach:
    """Does what *rule* sends to the topic get to a confirmed subscriber?"""
    try:
        return _reach(topics, region, arn, rule)
    except CannotLook as error:
        return Reach(None, f"topic {arn}: {error.reason}", error.remedy)


def _reach(topics: Topics, region: str, arn: str, rule: str) -> Reach:
    topic: Record | None = got(topics.attributes[region, arn])
    if topic is None:
        return Reach(False, f"topic {arn} is gone", "Give the rule a topic that exists.")
    subscriptions: Sequence[Record] = got(topics.subscriptions[region, arn])
    count = sum(confirmed(s) for s in subscriptions)
    told = f"topic {arn}: {count} of {len(subscriptions)} subscriptions confirmed"
    if not count:
        return Reach(False, told, CONFIRM)
    lets = lets_events(want(topic, "Policy", str), "sns:Publish", arn, _of_topic(rule))
    parts = [
        (lets, "its policy", PUBLISH),
        (_key(topics, region, arn, topic), "the policy of its key", DECRYPT),
    ]
    for ok, what, remedy in sorted(parts, key=lambda part: part[0] is not False):
        if ok is not True:
            how = "does not let" if ok is False else "may not let"
            return Reach(ok, f"{told}, but {what} {how} EventBridge use it", remedy)
    filters = [topics.filters[region, str(s["SubscriptionArn"])] for s in telling(subscriptions)]
    if any(_tells(attributes) for attributes in filters):
        return Reach(True, told, "")
    for attributes in filters:
        got(attributes)
    return Reach(None, f"{told}, but each has a filter or is no way to tell people", CONFIRM)


def _tells(attributes: Record | CannotLook) -> bool:
    """Is it sure that the subscription with these *attributes* tells of everything?"""
    if isinstance(attributes, CannotLook):
        return False
    pending = str(attributes.get("PendingConfirmation", "false")).lower() != "false"
    return not pending and attributes.get("FilterPolicy") in (None, "", "{}")


def _key(topics: Topics, region: str, arn: str, topic: Record) -> bool | None:
    """May EventBridge use the topic's key? Without one nothing is in the way."""
    key = may(topic, "KmsMasterKeyId", str)
    if not key:
        return True
    if key.endswith("alias/aws/sns"):
        return False
    if "alias/" in key:
        return None
    policy = got(topics.keys[region, key])
    known = {"kms:encryptioncontext:aws:sns:topicarn": arn, **TLS}
    return every(lets_events(policy, action, key, known) for action in KEY_ACTIONS)


def _of_topic(rule: str) -> Known:
    return {"aws:sourcearn": rule, "aws:sourceowner": None, **TLS}
