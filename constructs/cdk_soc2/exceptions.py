"""The terms of an exception: why, whose it is, and until when, as its reason says by convention."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

MARKED = re.compile(r"\[\s*([A-Za-z]+)\s*:\s*([^\]]*?)\s*\]")
BY_DESIGN = "cdk-soc2"
"""The owner of what this library accepts for its own constructs: it holds for as long as they do."""
SHORTEST = 10
"""Characters of a reason. Less says nothing."""


class Vague(ValueError):
    """An exception that cannot be kept in a register. Says what is wrong and what to write."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What one exception says of itself."""

    reason: str
    owner: str = ""
    until: date | None = None

    @property
    def lacks(self) -> str:
        """What an auditor would miss."""
        missing = [
            *(["a reason"] if len(self.reason) < SHORTEST else []),
            *(["an owner"] if not self.owner else []),
            *(["an end"] if self.until is None and self.owner != BY_DESIGN else []),
        ]
        return " and ".join(missing)

    @property
    def complete(self) -> bool:
        return not self.lacks

    def over(self, today: date) -> bool:
        """Its last day is the one it names."""
        return self.until is not None and today > self.until


def terms(said: str) -> Terms:
    """What ``"why [owner: ada] [until: 2027-01-31]"`` says. Raises :class:`Vague`."""
    found = {name.lower(): value for name, value in MARKED.findall(said)}
    given = {"owner": found.get("owner", ""), "until": found.get("until")}
    names = [name.lower() for name, _ in MARKED.findall(said)]
    for name in ("owner", "until"):
        if names.count(name) > 1:
            raise Vague(f"{said!r} has two of [{name}: ...]; give one")
    try:
        until = None if given["until"] is None else date.fromisoformat(given["until"])
    except ValueError:
        raise Vague(
            f"until {given['until']!r} in {said!r} is not a date; write YYYY-MM-DD"
        ) from None
    reason = " ".join(re.sub(r"(?i)\[\s*(owner|until)\s*:[^\]]*\]", " ", said).split())
    return Terms(reason, str(given["owner"] or ""), until)


def by_design(reason: str) -> str:
    """*reason* as this library gives it for its own constructs."""
    return f"{reason} [owner: {BY_DESIGN}]"
