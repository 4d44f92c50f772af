"""What a check may know besides the account: the boundary, the time and earlier evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from cdk_soc2.boundary import Boundary


class Vault(Protocol):
    """The store that this run's evidence goes to, as the control ``evidence`` asks about it."""

    @property
    def bucket(self) -> str | None:
        """The bucket's name; ``None`` for a folder."""
        ...

    def days(self) -> Mapping[date, bool]:
        """Every UTC day that has a statement: does one of its runs say that it finished?"""
        ...

    def earlier(self) -> Mapping[str, Any] | None:
        """The last ``control-status.json`` of this source; ``None`` before the first."""
        ...


@dataclass(frozen=True)
class Context:
    """The boundary, the time the run began (UTC), and where its evidence goes."""

    boundary: Boundary
    now: datetime
    vault: Vault
