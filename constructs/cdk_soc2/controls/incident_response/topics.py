"""What SNS and KMS say of the topics that rules send to: attributes, subscriptions, filters, keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from cdk_soc2.answers import records, want
from cdk_soc2.control import Account, CannotLook
from cdk_soc2.controls.incident_response.asking import gather

TELLS = ("application", "email", "email-json", "http", "https", "sms")  # others run or keep it
READ = 10  # confirmed subscriptions of a topic whose filters are read

At = tuple[str, str]  # region and ARN of a topic or subscription, or id of a key
Record = Mapping[str, Any]
Given = Mapping[At, Any]


@dataclass(frozen=True)
class Topics:
    """What could not be read stands as ``CannotLook``; a topic that is gone has no attributes."""

    attributes: Given
    subscriptions: Given
    filters: Given
    keys: Given


def read_topics(account: Account, topics: Sequence[At]) -> Topics:
    """Everything of *topics*, in two rounds of questions."""
    asked = [(kind, at) for at in topics for kind in (_attributes, _subscriptions)]
    answers = gather(account.home, asked, lambda item: item[0](account, *item[1]))
    attributes = {at: answers[_attributes, at] for at in topics}
    subscriptions = {at: answers[_subscriptions, at] for at in topics}
    people = [
        (region, str(subscription["SubscriptionArn"]))
        for (region, _), given in subscriptions.items()
        if not isinstance(given, CannotLook)
        for subscription in telling(cast(Sequence[Record], given))
    ]
    keys = [
        (region, key)
        for (region, _), given in attributes.items()
        if isinstance(given, dict)
        and isinstance(key := cast(Record, given).get("KmsMasterKeyId"), str)
        and key
        and "alias/" not in key
    ]
    more = [*((_filter, at) for at in people), *((_key_policy, at) for at in keys)]
    found = gather(account.home, more, lambda item: item[0](account, *item[1]))
    return Topics(
        attributes,
        subscriptions,
        {at: found[_filter, at] for at in people},
        {at: found[_key_policy, at] for at in keys},
    )


def _attributes(account: Account, region: str, arn: str) -> Any:
    answer = account.region(region).find(
        "sns", "get_topic_attributes", absent="NotFound", TopicArn=arn
    )
    return None if answer is None else want(answer, "Attributes", dict)


def _subscriptions(account: Account, region: str, arn: str) -> Any:
    found = account.region(region).list(
        "sns", "list_subscriptions_by_topic", "Subscriptions", TopicArn=arn
    )
    return records({"Subscriptions": found}, "Subscriptions")


def _filter(account: Account, region: str, arn: str) -> Any:
    read = account.region(region).read
    return want(read("sns", "get_subscription_attributes", SubscriptionArn=arn), "Attributes", dict)


def _key_policy(account: Account, region: str, key: str) -> Any:
    read = account.region(region).read
    return want(read("kms", "get_key_policy", KeyId=key, PolicyName="default"), "Policy", str)


def confirmed(subscription: Record) -> bool:
    """Its ARN is a word, PendingConfirmation or Deleted, while it is not."""
    return str(subscription.get("SubscriptionArn")).startswith("arn:")


def telling(subscriptions: Sequence[Record]) -> list[Record]:
    """The first confirmed ones that tell people."""
    return [s for s in subscriptions if confirmed(s) and s.get("Protocol") in TELLS][:READ]
