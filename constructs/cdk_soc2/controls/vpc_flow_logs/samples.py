"""A few entries of a flow log, kept as evidence that it holds what it says it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from cdk_soc2.context import Context
from cdk_soc2.control import Region, could_not

ENTRIES = 5
WITHIN = timedelta(hours=1)
REJECTS = '"REJECT"'


def sample(log: Mapping[str, Any], sampled: Sequence[str], region: Region, context: Context) -> str:
    """What was kept of *log*'s log group, in words, if it is one of *sampled*. No trouble here
    decides anything: it is told."""
    group = log.get("LogGroupName")
    if not isinstance(group, str):
        return ""
    if group not in sampled:
        return "; not sampled"
    span = {
        "startTime": int((context.now - WITHIN).timestamp() * 1000),
        "endTime": int(context.now.timestamp() * 1000),
    }

    def entries(**pattern: str) -> int:
        parameters = {"logGroupName": group, **pattern, **span, "limit": ENTRIES}
        found, _ = region.first("logs", "filter_log_events", "events", pages=1, **parameters)
        return len(found)

    try:
        return f"; {entries()} sample entries kept, {entries(filterPattern=REJECTS)} rejected"
    except Exception as error:  # noqa: BLE001  samples are an extra; the verdict stands without
        return f"; no sample entries: {could_not(error, group).detail}"
