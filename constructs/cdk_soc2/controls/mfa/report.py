"""The IAM credential report: the one answer that tells of every user's password, MFA and keys."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cdk_soc2.answers import malformed, records, want, when
from cdk_soc2.context import Context
from cdk_soc2.control import Account, CannotLook, Observed, could_not

ROOT = "<root_account>"
# IAM gives out a report again for four hours; what is older is not what was asked for.
FRESH = timedelta(hours=4, minutes=30)
AGAIN = "Run again when the report is four hours old: IAM then makes a new one."
SKEW = timedelta(minutes=15)  # how far the clocks of IAM and of the collector may differ


@dataclass(frozen=True, slots=True)
class Row:
    """What the report says of one user, or of root. Words, as IAM writes them."""

    fields: Mapping[str, Any]

    def text(self, name: str) -> str:
        return want(self.fields, name, str)

    def flag(self, name: str) -> bool:
        """Is *name* true? Raises :class:`CannotLook` for any word but true and false."""
        word = self.text(name).lower()
        if word not in ("true", "false"):
            raise malformed(f"{name} of {self.user} is {self.text(name)!r}")
        return word == "true"

    def age(self, name: str, now: datetime) -> timedelta:
        """How long the time in *name* is ago. Raises :class:`CannotLook`."""
        try:
            ago = now - datetime.fromisoformat(self.text(name))
        except (ValueError, TypeError):
            raise malformed(f"{name} of {self.user} is {self.text(name)!r}, not a time") from None
        if ago < -SKEW:
            raise malformed(f"{name} of {self.user} is {self.text(name)}, in the future")
        return ago

    @property
    def user(self) -> str:
        return self.text("user")

    @property
    def arn(self) -> str:
        return self.text("arn")

    @property
    def active_keys(self) -> list[int]:
        """Which of the two access keys are active."""
        return [n for n in (1, 2) if self.flag(f"access_key_{n}_active")]


@dataclass(frozen=True, slots=True)
class Report:
    """:param users: a row a user, without root's."""

    made: datetime
    root: Row | None
    users: Sequence[Row]

    def __str__(self) -> str:
        return f"credential report of {self.made:%Y-%m-%dT%H:%M:%SZ}"


def read_report(account: Account, context: Context) -> Report:
    """Have IAM make the report, and read it. Raises :class:`CannotLook`."""
    state = account.home.poll("iam", "generate_credential_report", until=_complete)
    if not _complete(state):
        raise CannotLook(
            f"the credential report was still {want(state, 'State', str)} after several askings",
            "Run again in some minutes: IAM goes on making the report.",
        )
    answer = account.home.read("iam", "get_credential_report")
    made = when(answer, "GeneratedTime")
    if made is None:
        raise malformed("the credential report does not say when it was made")
    if not -SKEW <= context.now - made <= FRESH:
        raise CannotLook(
            f"the credential report is of {made:%Y-%m-%dT%H:%M:%SZ}, "
            f"the run of {context.now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            AGAIN,
        )
    rows = _rows(want(answer, "Content", bytes))
    root = next((row for row in rows if row.user == ROOT), None)
    return Report(made, root, [row for row in rows if row.user != ROOT])


def each_user(
    account: Account, report: Report, look: Callable[[Row], Observed]
) -> Iterator[Observed]:
    """``look`` at every user's row, reconciled with the users of now: the report may be hours old.

    Who is listed and not in it was created since. Who is in it and not listed is gone, and is not
    blamed; but a list that lacks somebody makes nothing good, either.
    """
    try:
        listed = _listed(account)
    except CannotLook as error:
        yield could_not(error, "users created since the report")
        yield from account.home.each(report.users, subject, look)
        return
    then = {row.arn for row in report.users}
    for arn, created in listed.items():
        if arn not in then or created > report.made:
            told = f"created {created:%Y-%m-%dT%H:%M:%SZ}, not in the {report}"
            yield Observed(None, arn, told, remedy=AGAIN)

    def now(row: Row) -> Observed:
        seen = look(row)
        if seen.ok is True or row.arn in listed:
            return seen
        return replace(seen, ok=None, detail=f"{seen.detail}; not listed now", remedy=AGAIN)

    same = [row for row in report.users if listed.get(row.arn, report.made) <= report.made]
    yield from account.home.each(same, subject, now)


def subject(row: Row) -> str:
    return str(row.fields.get("arn"))


def _complete(answer: Mapping[str, Any]) -> bool:
    return want(answer, "State", str) == "COMPLETE"


def _listed(account: Account) -> dict[str, datetime]:
    """Every user's ARN, and when it was created."""
    users = records({"Users": account.home.list("iam", "list_users", "Users")}, "Users")
    listed: dict[str, datetime] = {}
    for user in users:
        created = when(user, "CreateDate")
        if created is None:
            raise malformed(f"{want(user, 'Arn', str)} has no CreateDate")
        listed[want(user, "Arn", str)] = created
    return listed


def _rows(content: bytes) -> list[Row]:
    try:
        rows = [Row(row) for row in csv.DictReader(_lines(content), strict=True)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise malformed(f"the credential report is not CSV: {error}") from None
    names = [row.user for row in rows]
    if not rows or len(set(names)) != len(names):
        raise malformed(
            f"the credential report names {len(rows)} users, {len(set(names))} of them once"
        )
    return rows


def _lines(content: bytes) -> Iterator[str]:
    yield from content.decode().splitlines()
