"""Alarms that see missing data and dimensions, as a dead man's switch needs; ministack's do not.

A stub: each of the evaluation periods ends now and not on the clock's minute, alarms are looked at
every second, and those on metric math or anomaly bands stay as they are.
"""

import operator
import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.core import responses
from ministack.services import cloudwatch

LOOK_EVERY_SECONDS = 1.0
_BREACHES: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanOrEqualToThreshold": operator.le,
    "LessThanThreshold": operator.lt,
}


def install() -> None:
    cloudwatch._evaluate_alarm = evaluate
    threading.Thread(target=_look_for_ever, daemon=True).start()


def _look_for_ever() -> None:
    while True:
        time.sleep(LOOK_EVERY_SECONDS)
        for (account, region, _name), alarm in list(cloudwatch._alarms._data.items()):
            responses.set_request_account_id(account)
            responses.set_request_region(region)
            evaluate(alarm)


def evaluate(alarm: dict[str, Any]) -> None:
    """Bring an alarm's state up to date, and run the actions of a change."""
    metric = alarm.get("Filled") or alarm
    if not metric.get("MetricName") or alarm.get("ComparisonOperator") not in _BREACHES:
        return
    periods = alarm["EvaluationPeriods"]
    state, reason = _judge(alarm, _values(metric, periods, time.time()))
    before = alarm["StateValue"]
    if state in ("", before):
        return
    alarm |= {
        "StateValue": state,
        "StateReason": reason,
        "StateUpdatedTimestamp": int(time.time()),
    }
    cloudwatch._record_history(alarm["AlarmName"], before, state, reason)
    cloudwatch._dispatch_alarm_actions(alarm, before, state, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def _values(metric: dict[str, Any], periods: int, now: float) -> list[float | None]:
    """The statistic of each period, newest first; None, or what fills it, where there is no data."""
    dimensions = {one["Name"]: one["Value"] for one in metric.get("Dimensions") or []}
    key = (metric["Namespace"], metric["MetricName"], cloudwatch._dims_key(dimensions))
    points = cloudwatch._metrics.get(key) or []
    statistic = metric.get("ExtendedStatistic") or metric.get("Statistic") or "Average"
    # As on AWS: a metric that never had a value has nothing that could be filled.
    filled: float | None = metric.get("Value") if points else None
    values: list[float | None] = []
    for number in range(periods):
        end = now - number * metric["Period"]
        start = end - metric["Period"]
        within = [point for point in points if start < point["Timestamp"] <= end]
        values.append(
            cloudwatch._stat_value(cloudwatch._calc_stats(within), statistic, within)
            if within
            else filled
        )
    return values


def _judge(alarm: dict[str, Any], values: list[float | None]) -> tuple[str, str]:
    """The new state and why; an empty state leaves the alarm as it is."""
    treatment = alarm.get("TreatMissingData") or "missing"
    known = [value for value in values if value is not None]
    missing = len(values) - len(known)
    if not known and treatment == "ignore":
        return "", ""
    if not known and treatment == "missing":
        return "INSUFFICIENT_DATA", "Insufficient Data: no datapoints were received"
    breaches = _BREACHES[alarm["ComparisonOperator"]]
    breaching = sum(breaches(value, alarm["Threshold"]) for value in known)
    breaching += missing if treatment == "breaching" else 0
    needed = alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"]
    if treatment in ("missing", "ignore"):
        needed = min(needed, len(known))
    seen = f"{breaching} of {len(values)} datapoints ({missing} missing, treated as {treatment})"
    limit = f"{alarm['ComparisonOperator']} {alarm['Threshold']}"
    if breaching >= needed:
        return "ALARM", f"Threshold Crossed: {seen} were {limit}"
    return "OK", f"Threshold not crossed: {seen} were {limit}"
