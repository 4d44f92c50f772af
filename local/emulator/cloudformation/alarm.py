"""AWS::CloudWatch::Alarm on metric math, which ministack refuses.

A stub: of metric math only `FILL(id, number)` of one metric, which is what a dead man's switch needs.
"""

import re
from collections.abc import Mapping
from typing import Any

from emulator.cloudformation.resource_type import Properties, client
from ministack.services.cloudformation import provisioners

FILL = re.compile(r"FILL\((?P<id>\w+),\s*(?P<value>\d+)\)")


def install() -> None:
    ministacks_record = provisioners._cw_metric_alarm_record

    def record(name: str, properties: Properties) -> dict[str, Any]:
        if not properties.get("Metrics"):
            return ministacks_record(name, properties)
        metric, filled = _filled(properties["Metrics"])
        plain = {k: v for k, v in properties.items() if k != "Metrics"} | metric
        alarm = ministacks_record(name, plain)
        for known in ("MetricName", "Namespace", "Statistic", "Period", "Dimensions"):
            alarm.pop(known, None)
        given = client("cloudwatch").meta.service_model.shape_for("MetricDataQuery")
        return alarm | {
            "Metrics": [_query(given.members, query) for query in properties["Metrics"]],
            "Filled": metric | {"Value": filled},  # for `alarms`; no API shows it
        }

    provisioners._cw_metric_alarm_record = record


def _filled(queries: list[Properties]) -> tuple[dict[str, Any], float]:
    """The one metric behind the expression, as an alarm names it, and what fills its gaps."""
    stats = {q["Id"]: q["MetricStat"] for q in queries if "MetricStat" in q}
    expressions = [str(q["Expression"]) for q in queries if "Expression" in q]
    found = FILL.fullmatch(expressions[0]) if len(expressions) == len(stats) == 1 else None
    if found is None or found["id"] not in stats:
        raise ValueError(
            f"the local AWS evaluates only FILL(id, number) of one metric, not {expressions}: "
            "extend local/emulator/cloudformation/alarm.py"
        )
    stat = stats[found["id"]]
    return {
        **stat["Metric"],
        "Statistic": stat["Stat"],
        "Period": int(stat["Period"]),
    }, float(found["value"])


def _query(members: Mapping[str, object], query: Properties) -> dict[str, Any]:
    unknown = set(query) - set(members)
    if unknown:
        raise ValueError(f"an alarm's metric has no {', '.join(sorted(unknown))}")
    kept = dict(query)
    if "MetricStat" in kept:
        kept["MetricStat"] = kept["MetricStat"] | {"Period": int(kept["MetricStat"]["Period"])}
    if "ReturnData" in kept:
        kept["ReturnData"] = str(kept["ReturnData"]).lower() == "true"
    return kept
