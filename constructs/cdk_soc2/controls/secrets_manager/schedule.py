"""How long a secret may go without a rotation, by its own rules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from cdk_soc2.answers import malformed, may
from cdk_soc2.control import CannotLook
from cdk_soc2.controls.secrets_manager.cron import Undecidable, longest_gap

LIMIT = timedelta(days=90)
RATE = re.compile(r"rate\(\s*(\d{1,6})\s+(hour|day)s?\s*\)")


def interval(rules: Mapping[str, Any]) -> timedelta:
    """The longest time between two rotations by ``RotationRules``. Raises :class:`CannotLook`.

    ``AutomaticallyAfterDays`` is computed by Secrets Manager from the expression, where there is
    one, as of the last rotation: the expression decides, and a number that says otherwise is told.
    """
    days = may(rules, "AutomaticallyAfterDays", int)
    expression = may(rules, "ScheduleExpression", str)
    if days is not None and not 1 <= days <= 1000:  # the API's own bounds
        raise malformed(f"AutomaticallyAfterDays is {days}")
    if expression is None:
        if days is None:
            raise malformed("RotationRules has neither days nor a schedule")
        return timedelta(days=days)
    scheduled = _of(expression)
    if days is not None and timedelta(days=days) > LIMIT >= scheduled:
        raise CannotLook(
            f"the schedule {expression} and AutomaticallyAfterDays, {days}, disagree",
            "Rotate the secret once, so that Secrets Manager computes the days anew.",
        )
    return scheduled


def due(since: datetime, every: timedelta) -> datetime:
    """When a rotation window that opens *every* after *since* is closed: at the end of that day."""
    opens = since + every
    return opens.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def _of(expression: str) -> timedelta:
    rate = RATE.fullmatch(expression.strip())
    if rate and int(rate[1]) > 0:
        number = int(rate[1])
        return timedelta(hours=number) if rate[2] == "hour" else timedelta(days=number)
    try:
        return longest_gap(expression.strip())
    except Undecidable as error:
        raise CannotLook(
            f"the schedule {expression} could not be decided: {error}",
            "Write the schedule as rate(n days), or tell cdk-soc2 about this form.",
        ) from None
