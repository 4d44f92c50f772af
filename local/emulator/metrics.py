"""Metrics that ministack does not count: EventBridge's rules, and log groups' metric filters.

A stub: of EventBridge's metrics only MatchedEvents, TriggeredRules and Invocations by RuleName,
and of a filter's value only a number or `$.field` of a JSON message.
"""

import json
from collections.abc import Sequence
from typing import Any

from ministack.services import cloudwatch, cloudwatch_logs, eventbridge


def install() -> None:
    _count_rules()
    _apply_metric_filters()


def _count_rules() -> None:
    ministacks_dispatch = eventbridge._dispatch_event

    def dispatch(event: dict[str, Any], view: Any = None) -> None:
        view = view or eventbridge._pattern_event_view(event)
        for key, rule in list(eventbridge._rules.items()):
            if (
                rule.get("EventBusName", "default") == event.get("EventBusName", "default")
                and rule.get("State") == "ENABLED"
                and rule.get("EventPattern")
                and eventbridge._matches_pattern_view(rule["EventPattern"], view, rule["Name"])
            ):
                _count(rule["Name"], targets=len(eventbridge._targets.get(key) or []))
        ministacks_dispatch(event, view)

    eventbridge._dispatch_event = dispatch


def _count(rule: str, targets: int) -> None:
    counts = {"MatchedEvents": 1, "TriggeredRules": 1} | (
        {"Invocations": targets} if targets else {}
    )
    for name, value in counts.items():
        cloudwatch.record_metric("AWS/Events", name, value, "Count", {"RuleName": rule})


def _apply_metric_filters() -> None:
    """At the one place through which all log events pass, a function's own included."""
    ministacks_fanout = cloudwatch_logs._fanout_to_subscription_filters

    def fanout(group: str, stream: str, events: Sequence[dict[str, Any]]) -> None:
        for (of, _name), kept in list(cloudwatch_logs._metric_filters.items()):
            if of == group:
                for event in events:
                    _apply(kept, event.get("message", ""))
        ministacks_fanout(group, stream, events)

    cloudwatch_logs._fanout_to_subscription_filters = fanout


def _apply(kept: dict[str, Any], message: str) -> None:
    pattern = kept.get("filterPattern", "")
    if not cloudwatch_logs._subscription_pattern_matches(pattern, message):
        return
    for transformation in kept.get("metricTransformations", []):
        cloudwatch.record_metric(
            transformation["metricNamespace"],
            transformation["metricName"],
            _value(transformation["metricValue"], message),
        )


def _value(written: str, message: str) -> float:
    if not written.startswith("$."):
        return float(written)
    found = json.loads(message)
    for name in written[2:].split("."):
        found = found[name]
    return float(found)
