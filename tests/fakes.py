"""An AWS account held in a table: it answers, denies and counts as the live one does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from cdk_soc2.boundary import Boundary
from cdk_soc2.context import Context
from cdk_soc2.control import CannotLook, Observed, could_not
from cdk_soc2.iam import action

ACCOUNT = "123456789012"
HOME = "us-east-1"
NOW = datetime(2026, 11, 23, 0, 0, 5, tzinfo=UTC)


@dataclass
class Denied:
    """The answer to a question that is not allowed."""


@dataclass
class Absent:
    """The answer of a service that has nothing of the kind."""

    code: str


Answer = Any


class FakeRegion:
    """:param answers: by (service, operation), or by (service, operation, first parameter). A
    callable is called with the parameters."""

    def __init__(self, account: FakeAccount, name: str) -> None:
        self.name = name
        self.account = account.id
        self._account = account

    def read(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        answer = self._account.answer(self.name, service, operation, parameters)
        if isinstance(answer, Absent):
            raise CannotLook(f"{operation} failed: {answer.code}", "mend it")
        return answer

    def find(
        self, service: str, operation: str, /, *, absent: str, **parameters: Any
    ) -> dict[str, Any] | None:
        answer = self._account.answer(self.name, service, operation, parameters)
        if isinstance(answer, Absent):
            if answer.code == absent:
                return None
            raise CannotLook(f"{operation} failed: {answer.code}", "mend it")
        return answer

    def list(
        self, service: str, operation: str, key: str, /, **parameters: Any
    ) -> list[dict[str, Any]]:
        return self.read(service, operation, **parameters)[key]

    def first(
        self, service: str, operation: str, key: str, /, *, pages: int, **parameters: Any
    ) -> tuple[list[dict[str, Any]], bool]:
        """An answer with a token has more pages than were asked for."""
        answer = self.read(service, operation, **parameters)
        return answer[key], bool(answer.get("NextToken") or answer.get("nextToken"))

    def poll(
        self,
        service: str,
        operation: str,
        /,
        *,
        until: Callable[[Mapping[str, Any]], bool],
        **parameters: Any,
    ) -> dict[str, Any]:
        """A list in the table is one answer after the other."""
        given: Any = self.read(service, operation, **parameters)
        answers: list[dict[str, Any]] = given if isinstance(given, list) else [given]
        return next((a for a in answers if until(a)), answers[-1])

    def each(
        self,
        items: Iterable[Any],
        subject: Callable[[Any], str],
        look: Callable[[Any], Observed],
    ) -> Iterator[Observed]:
        for item in items:
            try:
                yield look(item)
            except Exception as error:  # noqa: BLE001  as the live one does
                yield could_not(error, subject(item), self.name)


@dataclass
class FakeAccount:
    answers: Mapping[tuple[str, ...], Answer]
    names: tuple[str, ...] = (HOME,)
    id: str = ACCOUNT
    asked: set[str] = field(default_factory=set)

    @property
    def home(self) -> FakeRegion:
        return FakeRegion(self, HOME)

    @property
    def regions(self) -> list[FakeRegion]:
        return [FakeRegion(self, name) for name in self.names]

    def region(self, name: str) -> FakeRegion:
        return FakeRegion(self, name)

    def answer(
        self, region: str, service: str, operation: str, parameters: Mapping[str, Any]
    ) -> Any:
        api = "".join(word.capitalize() for word in operation.split("_"))
        self.asked.add(action(service, api))
        first = str(next(iter(parameters.values()), ""))
        for key in (
            (region, service, operation, first),
            (region, service, operation),
            (service, operation, first),
            (service, operation),
        ):
            if key in self.answers:
                answer = self.answers[key]
                break
        else:
            answer = Denied()
        if callable(answer):
            answer = answer(**parameters)
        if isinstance(answer, Denied):
            raise CannotLook(f"{action(service, api)} in {region} was denied", f"Allow {api}.")
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class FakeVault:
    bucket: str | None = "vault"
    seen: Mapping[date, bool] = field(default_factory=dict)
    last: Mapping[str, Any] | None = None

    def days(self) -> Mapping[date, bool]:
        return self.seen

    def earlier(self) -> Mapping[str, Any] | None:
        return self.last


def context(
    boundary: Boundary | None = None, now: datetime = NOW, vault: FakeVault | None = None
) -> Context:
    return Context(boundary or Boundary(), now, vault or FakeVault())
