"""The boundary file: what is in scope, who may change it, what is accepted, and until when."""

from __future__ import annotations

import difflib
import hashlib
import ipaddress
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar, cast

from cdk_soc2.verdict import Waiver

T = TypeVar("T")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class BoundaryError(ValueError):
    """The boundary file cannot be used. Says where, what was given and what to write instead."""


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise BoundaryError(f"{where}: {value!r} is not a text; write a non-empty string")
    return value


def _yes_no(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise BoundaryError(f"{where}: {value!r} is neither true nor false")
    return value


def _day(value: Any, where: str) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(_text(value, where))
    except ValueError:
        raise BoundaryError(f"{where}: {value!r} is not a date; write YYYY-MM-DD") from None


def _account(value: Any, where: str) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"\d{12}", value):
        raise BoundaryError(
            f"{where}: {value!r} is not an AWS account id; write its 12 digits in quotes"
        )
    return value


def _region(value: Any, where: str) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[a-z]{2,}(-[a-z]+)+-\d+", value):
        raise BoundaryError(f"{where}: {value!r} is not a region's name, such as us-east-1")
    return value


def _network(value: Any, where: str) -> Network:
    try:
        return ipaddress.ip_network(_text(value, where))
    except ValueError as error:
        raise BoundaryError(
            f"{where}: {value!r} is not a CIDR block: {error}; write it as 10.0.0.0/8"
        ) from None


def _days(value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BoundaryError(f"{where}: {value!r} is not a number of days, 0 or more")
    return value


def _many(one: Callable[[Any, str], T]) -> Callable[[Any, str], tuple[T, ...]]:
    def read(value: Any, where: str) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise BoundaryError(f"{where}: {value!r} is not a list")
        items = cast(list[Any], value)
        return tuple(one(item, f"{where}[{n}]") for n, item in enumerate(items))

    return read


def _texts(value: Any, where: str) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise BoundaryError(f"{where}: {value!r} is not a mapping of names to values")
    items = cast(Mapping[Any, Any], value)
    return {_text(k, where): _text(v, f"{where}.{k}") for k, v in items.items()}


def _as(read: Callable[[Any, str], Any], default: Any = MISSING) -> Any:
    return field(default=default, metadata={"read": read})


def _part(kind: type[T]) -> Callable[[Any, str], T]:
    """Reads a mapping into the dataclass *kind*; refuses keys it does not know."""

    def read(value: Any, where: str) -> T:
        if not isinstance(value, Mapping):
            raise BoundaryError(f"{where}: {value!r} is not a mapping of keys to values")
        given = cast(Mapping[str, Any], value)
        known = {f.name: f for f in fields(cast(Any, kind))}
        for key in given:
            if key not in known:
                near = difflib.get_close_matches(str(key), known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
                raise BoundaryError(f"{where}: unknown key {key!r}; {hint}")
        missing = [n for n, f in known.items() if f.default is MISSING and n not in given]
        if missing:
            raise BoundaryError(f"{where}: {', '.join(missing)} missing")
        return kind(**{k: known[k].metadata["read"](v, f"{where}.{k}") for k, v in given.items()})

    return read


@dataclass(frozen=True, slots=True)
class Period:
    """The observation period: its first and its last day, UTC."""

    start: date = _as(_day)
    end: date = _as(_day)

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise BoundaryError(f"boundary.period: ends {self.end}, before it starts {self.start}")


@dataclass(frozen=True, slots=True)
class Vpcs:
    """Which VPCs segmentation is proved for: those that carry all these tags."""

    tags: dict[str, str] = _as(_texts)


@dataclass(frozen=True, slots=True)
class ReviewedConnection:
    """A way into the boundary that somebody reviewed, and until when that holds."""

    id: str = _as(_text)
    reason: str = _as(_text)
    reviewed_by: str = _as(_text)
    until: date = _as(_day)


@dataclass(frozen=True, slots=True)
class AcceptedException:
    """A failing resource that somebody accepted, and until when that holds."""

    check: str = _as(_text)
    subject: str = _as(_text)
    reason: str = _as(_text)
    reviewed_by: str = _as(_text)
    until: date = _as(_day)


@dataclass(frozen=True, slots=True)
class SlaDays:
    """How many days a finding of each severity may stay open."""

    critical: int = _as(_days, 30)
    high: int = _as(_days, 90)
    guardduty: int = _as(_days, 0)


@dataclass(frozen=True, slots=True)
class System:
    """One system and the four questions. Any yes puts it in scope."""

    name: str = _as(_text)
    kind: str = _as(_text)
    stores_customer_data: bool = _as(_yes_no)
    affects_availability: bool = _as(_yes_no)
    has_production_credentials: bool = _as(_yes_no)
    breach_if_compromised: bool = _as(_yes_no)
    decided_by: str = _as(_text)
    decided_on: date = _as(_day)


@dataclass(frozen=True)
class Boundary:
    """What is in scope of the audit. Every field may be absent: this account, all its regions."""

    name: str = _as(_text, "this account")
    accounts: tuple[str, ...] = _as(_many(_account), ())
    regions: tuple[str, ...] = _as(_many(_region), ())
    vpcs: Vpcs | None = _as(_part(Vpcs), None)
    non_production_cidrs: tuple[Network, ...] = _as(_many(_network), ())
    reviewed_connections: tuple[ReviewedConnection, ...] = _as(_many(_part(ReviewedConnection)), ())
    period: Period | None = _as(_part(Period), None)
    break_glass_users: tuple[str, ...] = _as(_many(_text), ())
    accepted_exceptions: tuple[AcceptedException, ...] = _as(_many(_part(AcceptedException)), ())
    deploy_roles: tuple[str, ...] = _as(_many(_text), ())
    sla_days: SlaDays = _as(_part(SlaDays), SlaDays())
    systems: tuple[System, ...] = _as(_many(_part(System)), ())

    def __post_init__(self) -> None:
        for name in ("accounts", "regions", "non_production_cidrs"):
            values: Sequence[object] = getattr(self, name)
            twice = [v for v in values if values.count(v) > 1]
            if twice:
                raise BoundaryError(f"boundary.{name}: {twice[0]} is listed twice")
        _once("accepted_exceptions", [(e.check, e.subject) for e in self.accepted_exceptions])
        _once("reviewed_connections", [(c.id,) for c in self.reviewed_connections])
        _once("systems", [(s.name,) for s in self.systems])

    @property
    def document(self) -> dict[str, Any]:
        """The boundary as JSON can carry it: what ships with the collector and with the evidence."""
        return _plain(self)

    @property
    def body(self) -> bytes:
        """The one byte form of :attr:`document`."""
        return (json.dumps(self.document, indent=2, sort_keys=True) + "\n").encode()

    @property
    def digest(self) -> str:
        """SHA-256 of :attr:`body`, in hex."""
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True)
class AcceptedExceptions:
    """The boundary's accepted exceptions as they stand on one day."""

    boundary: Boundary
    today: date

    def of(self, check: str, subject: str) -> Waiver | None:
        for e in self.boundary.accepted_exceptions:
            if (e.check, e.subject) == (check, subject):
                return Waiver(e.reason, e.reviewed_by, e.until.isoformat(), self.today > e.until)
        return None


def parse(document: Any) -> Boundary:
    """The boundary in *document*, as read from YAML or JSON. Raises :class:`BoundaryError`."""
    return _part(Boundary)({} if document is None else document, "boundary")


def load(path: str | Path) -> Boundary:
    """The boundary in the YAML or JSON file at *path*. Raises :class:`BoundaryError`."""
    import yaml  # the collector reads its boundary as JSON, and has no YAML beside it

    try:
        return parse(yaml.safe_load(Path(path).read_text(encoding="utf-8")))
    except OSError as error:
        raise BoundaryError(f"{path}: {error.strerror}; give the path of a boundary file") from None
    except UnicodeDecodeError:
        raise BoundaryError(f"{path}: not UTF-8; save it as UTF-8 text") from None
    except yaml.YAMLError as error:
        raise BoundaryError(f"{path}: not YAML: {error}") from None
    except BoundaryError as error:
        raise BoundaryError(f"{path}: {error}") from None


def _once(name: str, ids: list[tuple[str, ...]]) -> None:
    for id in ids:
        if ids.count(id) > 1:
            raise BoundaryError(f"boundary.{name}: {' '.join(id)} is listed twice")


def _plain(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        return {
            f.name: _plain(getattr(value, f.name))
            for f in fields(value)
            if getattr(value, f.name) not in (None, ())
        }
    if isinstance(value, (tuple, list)):
        return [_plain(v) for v in cast(Sequence[Any], value)]
    if isinstance(value, date | ipaddress.IPv4Network | ipaddress.IPv6Network):
        return str(value)
    return value
