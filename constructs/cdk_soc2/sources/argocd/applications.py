"""Applications and their deployments, as Argo CD's answers tell them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cdk_soc2.answers import malformed, may, records, want

KEPT_BY_DEFAULT = 10  # entries of history, where the application does not say


@dataclass(frozen=True, slots=True)
class Deployment:
    """One completed sync of a whole application: one entry of its history.

    :param id: counts from 0, up by one with every entry, over the application's whole life.
    :param revisions: what was deployed, a commit for each source.
    :param by: who began it; ``None`` where Argo CD does not say, as for its own automation.
    """

    application: str
    id: int
    revisions: tuple[str, ...]
    started: datetime | None
    deployed: datetime
    by: str | None
    automated: bool


@dataclass(frozen=True, slots=True)
class Operation:
    """The last operation of an application, successful or not; Argo CD keeps only this one.

    :param whole: was it of the whole application? A sync of single resources enters no history.
    :param dry: did it only try?
    """

    phase: str
    started: datetime | None
    whole: bool
    dry: bool
    by: str | None
    revisions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Application:
    """One application as it stands.

    :param key: ``namespace/name``, unique on one server.
    :param identity: its uid; another one once it was deleted and made anew.
    :param keeps: how many entries of history it keeps.
    """

    key: str
    identity: str
    project: str
    cluster: str
    created: datetime | None
    keeps: int
    health: str
    sync: str
    history: tuple[Deployment, ...]
    last: Operation | None


def application(answer: Mapping[str, Any]) -> Application:
    """The application in *answer*. Raises :class:`CannotLook` when it is not as Argo CD promises."""
    meta = want(answer, "metadata", dict)
    spec: Mapping[str, Any] = may(answer, "spec", dict) or {}
    status: Mapping[str, Any] = may(answer, "status", dict) or {}
    key, keeps = key_of(answer), may(spec, "revisionHistoryLimit", int)
    destination: Mapping[str, Any] = may(spec, "destination", dict) or {}
    entries = records(status, "history") if status.get("history") is not None else []
    history = tuple(sorted((_deployment(key, e) for e in entries), key=lambda d: d.id))
    if len({d.id for d in history}) != len(history):
        raise malformed(f"{key}: an id stands twice in its history")
    return Application(
        key,
        may(meta, "uid", str) or may(meta, "creationTimestamp", str) or "",
        may(spec, "project", str) or "default",
        may(destination, "name", str) or may(destination, "server", str) or "?",
        moment(meta, "creationTimestamp") if meta.get("creationTimestamp") else None,
        KEPT_BY_DEFAULT if keeps is None else keeps,
        _status_of(status, "health"),
        _status_of(status, "sync"),
        history,
        _operation(status),
    )


def key_of(answer: Mapping[str, Any]) -> str:
    """``namespace/name``. Raises :class:`CannotLook`."""
    meta = want(answer, "metadata", dict)
    return f"{may(meta, 'namespace', str) or 'argocd'}/{want(meta, 'name', str)}"


def moment(answer: Mapping[str, Any], name: str) -> datetime:
    """The RFC 3339 time in the field *name*. Raises :class:`CannotLook`."""
    text = want(answer, name, str)
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise malformed(f"{name} is {text!r}, not a time") from None
    if value.tzinfo is None:
        raise malformed(f"{name} is {text!r}, without a time zone")
    return value


def _deployment(key: str, entry: Mapping[str, Any]) -> Deployment:
    id = want(entry, "id", int)
    if id < 0:
        raise malformed(f"{key}: id {id} in its history")
    by: Mapping[str, Any] = may(entry, "initiatedBy", dict) or {}
    started = entry.get("deployStartedAt")
    return Deployment(
        key,
        id,
        _revisions(entry),
        None if started is None else moment(entry, "deployStartedAt"),
        moment(entry, "deployedAt"),
        may(by, "username", str) or None,
        by.get("automated") is True,
    )


def _operation(status: Mapping[str, Any]) -> Operation | None:
    state = may(status, "operationState", dict)
    if state is None:
        return None
    operation: Mapping[str, Any] = may(state, "operation", dict) or {}
    sync: Mapping[str, Any] = may(operation, "sync", dict) or {}
    whole, dry = not sync.get("resources"), sync.get("dryRun") is True
    started = moment(state, "startedAt") if state.get("startedAt") else None
    by: Mapping[str, Any] = may(operation, "initiatedBy", dict) or {}
    result: Mapping[str, Any] = may(state, "syncResult", dict) or {}
    return Operation(
        want(state, "phase", str),
        started,
        whole,
        dry,
        may(by, "username", str) or None,
        _revisions(result),
    )


def _revisions(told: Mapping[str, Any]) -> tuple[str, ...]:
    """One for each source; applications with a single source have a field of its own for it."""
    single, several = may(told, "revision", str), may(told, "revisions", list)
    return tuple(str(r) for r in several or ()) or ((single,) if single else ())


def _status_of(status: Mapping[str, Any], part: str) -> str:
    told: Mapping[str, Any] = may(status, part, dict) or {}
    return may(told, "status", str) or "Unknown"
