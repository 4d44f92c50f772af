"""The days on which a cron expression of AWS fires, and the longest stretch between two of them."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import lru_cache

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
LAST, NTH = re.compile(r"(\w+)L"), re.compile(r"(\w+)#([1-5])")
# Weekdays and leap years come round every 28 years, as long as no century leaves one out.
FIRST, CYCLE = date(2001, 1, 1), timedelta(days=28 * 1461 // 4)

Fires = Callable[[date], bool]


class Undecidable(ValueError):
    """An expression that is no schedule of AWS, or of a form that is not understood here."""


@lru_cache(maxsize=512)
def longest_gap(expression: str) -> timedelta:
    """The most days between two firings of ``cron(minutes hours day-of-month month day-of-week
    year)``, in UTC, to the day. Raises :class:`Undecidable`.

    The forms are those of the Secrets Manager User Guide, "Rotation schedules".
    """
    inside = re.fullmatch(r"cron\((.*)\)", expression)
    fields = inside[1].upper().split() if inside else []
    if len(fields) != 6:
        raise Undecidable(f"{expression} is no cron() of six fields")
    minutes, hours, of_month, months, of_week, year = fields
    _values(minutes, 0, 59)
    _values(hours, 0, 23)
    if year != "*" or (of_month == "?") == (of_week == "?"):
        raise Undecidable(f"{expression}: one day field must be ?, and the year *")
    if of_week == "?":
        fires = [_in_month(part) for part in of_month.split(",")]
    else:
        fires = [_in_week(part) for part in of_week.split(",")]
    in_months = _values(months, 1, 12, MONTHS)
    days = [day for day in _cycle() if day.month in in_months and any(fire(day) for fire in fires)]
    if not days:
        raise Undecidable(f"{expression} never fires")
    after = [*days[1:], days[0] + CYCLE]
    return max(b - a for a, b in zip(days, after, strict=True))


def _cycle() -> Iterator[date]:
    return (FIRST + timedelta(days=n) for n in range(CYCLE.days))


def _in_month(part: str) -> Fires:
    """One part of the field day-of-month."""
    if part == "L":
        return lambda day: day.day == _length(day)
    days = _values(part, 1, 31)
    return lambda day: day.day in days


def _in_week(part: str) -> Fires:
    """One part of the field day-of-week: 1 is Sunday, ``6L`` the last Friday of the month, ``6#2``
    the second, and ``L`` alone Saturday."""
    last, nth = LAST.fullmatch(part), NTH.fullmatch(part)
    named = last[1] if last else nth[1] if nth else "SAT" if part == "L" else part
    weekdays = _values(named, 1, 7, WEEKDAYS)
    if (last or nth) and len(weekdays) != 1:
        raise Undecidable(f"{part} names more than one weekday")

    def fires(day: date) -> bool:
        if day.isoweekday() % 7 + 1 not in weekdays:
            return False
        if last:
            return day.day + 7 > _length(day)
        return nth is None or (day.day + 6) // 7 == int(nth[2])

    return fires


def _length(day: date) -> int:
    return monthrange(day.year, day.month)[1]


def _values(field: str, low: int, high: int, names: tuple[str, ...] = ()) -> set[int]:
    """The numbers that *field* stands for: lists of numbers or names, ranges and steps."""

    def number(text: str) -> int:
        value = low + names.index(text) if text in names else int(text) if text.isdecimal() else -1
        if not low <= value <= high:
            raise Undecidable(f"{text or 'nothing'} in {field} is not from {low} to {high}")
        return value

    values = set[int]()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        start, dash, end = span.partition("-")
        if slash and not (step.isdecimal() and int(step) > 0):
            raise Undecidable(f"{part} has no step")
        first = low if span == "*" or (slash and not span) else number(start)
        last = number(end) if dash else high if slash or span == "*" else first
        if last < first:
            raise Undecidable(f"{part} runs backwards")
        values |= set(range(first, last + 1, int(step) if slash else 1))
    return values
