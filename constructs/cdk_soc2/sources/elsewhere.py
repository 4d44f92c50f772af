"""Production changes that other sources have recorded in the same vault: Argo CD, AWS."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cdk_soc2.answers import want
from cdk_soc2.control import CannotLook, Excluded, Observed
from cdk_soc2.evidence.layout import STATEMENT
from cdk_soc2.evidence.reading import began_at, ended_at, statements
from cdk_soc2.evidence.record import sha256
from cdk_soc2.evidence.statement import Malformed, Statement
from cdk_soc2.evidence.store import Store, StoreRefused
from cdk_soc2.sources.changes import Change, Kind

KINDS = ("argocd-", "aws-")
TABLE = "/answers/changes.json"
EVENTS = "/answers/infrastructure_as_code"  # where an AWS run keeps what CloudTrail told
STACK_CALLS = {"CreateStack", "UpdateStack", "DeleteStack", "ExecuteChangeSet"}


Seen = Change | Excluded | Observed


def changes_elsewhere(store: Store, own: str, since: datetime, until: datetime) -> Sequence[Seen]:
    """The changes between *since* and *until* that other sources' runs recorded.

    A source that may not be read is named as left out: its writer alone vouches for it.
    """
    try:
        paths = [v.key for v in store.versions("ledger/")]
    except StoreRefused as error:
        return [Excluded("other sources", f"the vault's other ledgers cannot be read: {error}")]
    found = {m[1] for m in map(STATEMENT.fullmatch, paths) if m}
    sources = sorted(s for s in found if s != own and s.startswith(KINDS))
    seen: list[Seen] = []
    for source in sources:
        try:
            runs = list(_runs(store, source, since))
            changes = {c.id: c for run in runs for c in _of(store, run)}
            missed = {name for run in runs for name in _missed(store, run)}
        except StoreRefused as error:
            seen.append(Excluded(source, f"its changes may not be read: {error}"))
            continue
        except (KeyError, ValueError, CannotLook) as error:
            told = f"its changes cannot be read: {error}"
            seen.append(Observed(None, source, told, remedy="Run `soc2 verify` on the vault."))
            continue
        seen += [c for c in changes.values() if since < c.at <= until]
        if missed:
            told = f"its runs could not see the changes of {', '.join(sorted(missed))}"
            seen.append(Observed(None, source, told, remedy="Mend what that source's runs say."))
    return seen


def _runs(store: Store, source: str, since: datetime) -> Iterator[Statement]:
    """The statements of *source* that may tell of anything after *since*, newest first."""
    for _, statement in statements(store, source):
        try:
            end = ended_at(statement) or began_at(statement)
        except Malformed:
            continue
        if end is not None and end < since:
            return
        yield statement


def _of(store: Store, statement: Statement) -> Iterator[Change]:
    for path, digest in statement.subject:
        if path.endswith(TABLE):
            yield from changes_in(json.loads(_read(store, path, digest)), statement.source)
        elif EVENTS in path:
            lines = map(json.loads, _read(store, path, digest).splitlines())
            yield from stack_changes(lines, statement.source)


def _missed(store: Store, statement: Statement) -> Iterator[str]:
    """What the run itself says it did not see."""
    for path, digest in statement.subject:
        if path.endswith(TABLE):
            yield from map(str, json.loads(_read(store, path, digest)).get("unseen") or ())


def _read(store: Store, path: str, digest: str) -> bytes:
    body = store.get(path)
    if sha256(body) != digest:
        raise ValueError(f"{path} is not what its statement names")
    return body


def changes_in(document: Mapping[str, Any], source: str) -> Iterator[Change]:
    """The changes in a run's ``changes.json``, whichever source wrote it."""
    for told in want(document, "changes", list):
        yield Change(
            source,
            Kind(want(told, "kind", str)),
            want(told, "id", str),
            want(told, "system", str),
            _time(told, "at"),
            want(told, "by", str),
            tuple(str(c) for c in told.get("commits") or ()),
            str(told.get("environment") or ""),
            str(told.get("session") or ""),
            trouble=str(told.get("trouble") or ""),
        )


def stack_changes(lines: Iterable[Mapping[str, Any]], source: str) -> Iterator[Change]:
    """Stacks created, updated or deleted, from what CloudTrail's LookupEvents answered."""
    for line in lines:
        if line.get("operation") != "LookupEvents" or not isinstance(line.get("answer"), Mapping):
            continue
        for event in line["answer"].get("Events") or ():
            if event.get("EventName") in STACK_CALLS:
                yield from _stack(json.loads(want(event, "CloudTrailEvent", str)), source)


def _stack(event: Mapping[str, Any], source: str) -> Iterator[Change]:
    if event.get("errorCode"):
        return  # refused: nothing changed
    who = want(event, "userIdentity", dict)
    issuer = (who.get("sessionContext") or {}).get("sessionIssuer") or {}
    given = event.get("requestParameters") or {}
    yield Change(
        source,
        Kind.STACK,
        want(event, "eventID", str),
        str(given.get("stackName") or "unknown stack"),
        _time(event, "eventTime"),
        str(issuer.get("userName") or who.get("userName") or who.get("type")),
        session=str(who.get("principalId") or "").partition(":")[2],
    )


def _time(told: Mapping[str, Any], name: str) -> datetime:
    at = datetime.fromisoformat(want(told, name, str))
    if at.tzinfo is None:
        raise ValueError(f"{name} is {at}, without a time zone")
    return at.astimezone(UTC)
