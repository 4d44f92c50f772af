"""Control 11 in a template: the route of findings is open, and what goes along it can be read."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_soc2.control import Observed
from cdk_soc2.controls.incident_response.control import INCIDENT_RESPONSE
from cdk_soc2.intrinsics import mentions
from cdk_soc2.template import Resource, Template

PUBLISHERS = ("AWS::Events::Rule", "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")


@INCIDENT_RESPONSE.rule(fix="Leave State out, or set it to ENABLED.")
def finding_rule_is_enabled(template: Template) -> Iterator[Observed]:
    """A rule that takes GuardDuty's findings is enabled, and has a target."""
    for rule in template.resources("AWS::Events::Rule"):
        pattern = rule.properties.get("EventPattern")
        sources = pattern.get("source") if isinstance(pattern, dict) else None
        if not isinstance(sources, list) or "aws.guardduty" not in sources:
            continue
        state = rule.value("State")
        ok = state != "DISABLED" and bool(rule.properties.get("Targets"))
        yield Observed(
            ok, rule.id, f"State is {state or 'ENABLED'}" if ok else "takes none of them"
        )


@INCIDENT_RESPONSE.rule_for(
    "AWS::SNS::Topic",
    fix="Encrypt the topic with a key of your own, and let its publishers use it.",
)
def topic_key_is_usable(topic: Resource) -> Observed | None:
    """A topic that rules or alarms publish to is not encrypted with the key that AWS manages for SNS:
    they may not use that one, and what they publish is lost."""
    key = topic.properties.get("KmsMasterKeyId")
    if not (isinstance(key, str) and key.endswith("alias/aws/sns")):
        return topic.seen(True, "its key can be used", "KmsMasterKeyId")
    publishers = topic.template.everywhere(*PUBLISHERS) if topic.template else ()
    losing = [p.id for p in publishers if mentions(p.properties, topic.id)]
    told = f"encrypted with {key}, which {losing[0]} may not use" if losing else f"only for {key}"
    return topic.seen(not losing, told, "KmsMasterKeyId")
