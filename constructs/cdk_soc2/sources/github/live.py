"""Reads one owner's repositories through GitHub's API, and keeps every answer as evidence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar, cast
from urllib.parse import quote

from cdk_soc2.answers import malformed, may, want
from cdk_soc2.control import CannotLook, Excluded, Observed
from cdk_soc2.sources.changes import Change
from cdk_soc2.sources.files import RunFiles
from cdk_soc2.sources.github.client import Answer, NoAnswer
from cdk_soc2.sources.github.questions import REPOSITORIES, REPOSITORY, Question
from cdk_soc2.sources.github.reader import Reader
from cdk_soc2.sources.github.window import Page, Reach, Refused, Repository, Settings, Unseen

Item = TypeVar("Item")
Found = TypeVar("Found")
PAGE_SIZE = 100
HEADERS = ("x-github-request-id", "date", "etag")
FIELD = re.compile(r"\{(\w+)\}")
BLANK = "(not kept)"


@dataclass(frozen=True)
class Inquiry:
    """What is asked of an owner.

    :param names: the repositories in scope; ``None`` for all.
    :param reaches: how far back to look, by repository; ``since`` for the others.
    :param seen: filled as the run goes: up to which commit each default branch was seen.
    """

    owner: str
    names: tuple[str, ...] | None
    since: datetime
    until: datetime
    settings: Settings = field(default_factory=Settings)
    reaches: Mapping[str, Reach] = field(default_factory=dict[str, Reach])
    historic: bool = False
    seen: dict[str, str] = field(default_factory=dict[str, str])


Others = Callable[[datetime, datetime], Sequence[Change | Excluded | Observed]]


class LiveGitHub:
    """One owner, with the answers kept under one control's name."""

    def __init__(
        self,
        reader: Reader,
        inquiry: Inquiry,
        files: RunFiles,
        control: str,
        others: Others = lambda since, until: (),
    ) -> None:
        self.id = inquiry.owner
        self.names = inquiry.names
        self.until = inquiry.until
        self.settings = inquiry.settings
        self.historic = inquiry.historic
        self.leave = files.add
        self.map = reader.map
        self._reader = reader
        self._inquiry = inquiry
        self._spool = files
        self._others = others
        self._control = control

    def reach(self, repository: Repository) -> Reach:
        return self._inquiry.reaches.get(repository.full, Reach(self._inquiry.since))

    def reached(self, repository: Repository, head: str) -> None:
        self._inquiry.seen[repository.full] = head

    def others(self) -> Sequence[Change | Excluded | Observed]:
        reaches = [r.since for r in self._inquiry.reaches.values()]
        return self._others(min(reaches, default=self._inquiry.since), self.until)

    def repositories(self) -> Sequence[Repository | Unseen]:
        return self._repositories

    @cached_property
    def _repositories(self) -> list[Repository | Unseen]:
        if self.names is not None:
            return [self._named(name) for name in self.names]
        try:
            found = self.list(REPOSITORIES, {"type": "all"}, org=self.id)
        except Refused as error:
            if error.status == 404:
                remedy = f"If {self.id} is a person, name the repositories with --repos."
                raise CannotLook(error.reason, f"{error.remedy} {remedy}") from None
            raise
        return sorted((self._repository(r) for r in found), key=lambda r: r.full.lower())

    def _named(self, name: str) -> Repository | Unseen:
        try:
            return self._repository(self.read(REPOSITORY, owner=self.id, repo=name))
        except CannotLook as error:
            return Unseen(f"{self.id}/{name}", error)

    def _repository(self, told: Mapping[str, Any]) -> Repository | Unseen:
        full = want(told, "full_name", str)
        owner, _, name = full.partition("/")
        try:
            if "archived" not in told or "default_branch" not in told:  # a list may leave them out
                told = self.read(REPOSITORY, owner=owner, repo=name)
            branch, archived = want(told, "default_branch", str), want(told, "archived", bool)
            return Repository(owner, name, branch, archived, may(told, "size", int))
        except CannotLook as error:
            return Unseen(full, error)

    def read(
        self, question: Question, query: Mapping[str, Any] | None = None, /, **place: Any
    ) -> Mapping[str, Any]:
        body = self._ask(
            question, query or {}, place, self._url(question, query or {}, place), 1
        ).body
        if not isinstance(body, Mapping):
            raise malformed(f"{question.path} gave {type(body).__name__}, not a record")
        return cast(Mapping[str, Any], body)

    def pages(
        self, question: Question, query: Mapping[str, Any] | None = None, /, **place: Any
    ) -> Iterator[Page]:
        given = {"per_page": PAGE_SIZE, **(query or {})}
        url: str | None = self._url(question, given, place)
        number = 0
        met: set[str] = set()
        while url is not None:
            if url in met:
                raise malformed(f"{question.path} gave the same page twice")
            met.add(url)
            number += 1
            answer = self._ask(question, given, place, url, number)
            yield _page(question, answer.body)
            url = answer.next

    def list(
        self, question: Question, query: Mapping[str, Any] | None = None, /, **place: Any
    ) -> list[Mapping[str, Any]]:
        return [item for page in self.pages(question, query, **place) for item in page.items]

    def _url(self, question: Question, query: Mapping[str, Any], place: Mapping[str, Any]) -> str:
        path = FIELD.sub(lambda found: quote(str(place[found[1]]), safe=""), question.path)
        return self._reader.client.url(path, query)

    def _ask(
        self,
        question: Question,
        query: Mapping[str, Any],
        place: Mapping[str, Any],
        url: str,
        number: int,
    ) -> Answer:
        line: dict[str, Any] = {
            "service": "github",
            "operation": f"GET {question.path}",
            "parameters": {**place, **query},
            "region": None,
            "page": number,
        }
        try:
            answer = self._reader.ask(url, once=question.once)
        except NoAnswer as error:
            told = {"code": "NoAnswer", "message": str(error)}
            self._spool.write(self._control, {**line, "time": self._reader.clock(), "error": told})
            raise CannotLook(
                f"{_asked(question, place)} got no answer: {error}",
                f"Check that {self._reader.client.api_url} can be reached, then run again.",
            ) from None
        told = {name: answer.headers.get(name) for name in HEADERS}
        kept = _blanked(answer.body, question.secret)
        self._spool.write(
            self._control,
            {
                **line,
                "status": answer.status,
                "request_id": told.pop("x-github-request-id"),
                **told,
                "unchanged": answer.unchanged,
                "time": self._reader.clock(),
                "answer": kept,
            },
        )
        if answer.status != 200:
            raise refused(answer, question, place)
        return answer


def refused(answer: Answer, question: Question, place: Mapping[str, Any]) -> Refused:
    """Why the question brought nothing, and what would. A 404 may hide what one may not see."""
    words = f": {answer.message}" if answer.message else ""
    asked = _asked(question, place)
    if answer.status == 401:
        remedy = "Give a token that is valid, in GITHUB_TOKEN."
        reason = f"{asked}: the token was not accepted{words}"
    elif answer.status in (403, 404):
        permission, _, level = question.needs.partition(":")
        remedy = f"Allow the token the permission {permission} ({level}), then run again."
        reason = f"{asked} needs {question.needs}; GitHub answered {answer.status}{words}"
    else:
        remedy = "Read the answer, mend its cause, run again."
        reason = f"{asked} failed: GitHub answered {answer.status}{words}"
    return Refused(answer.status, answer.message, reason, remedy)


def _asked(question: Question, place: Mapping[str, Any]) -> str:
    return FIELD.sub(lambda found: str(place[found[1]]), question.path)


def _page(question: Question, body: Any) -> Page:
    total: int | None = None
    items: Any = body
    if question.key is not None:
        if not isinstance(body, Mapping):
            raise malformed(f"{question.path} gave {type(body).__name__}, not a record")
        total = may(cast(Mapping[str, Any], body), "total_count", int)
        items = body.get(question.key)
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        raise malformed(f"{question.path}: its items are no list of records")
    return Page(cast("list[Mapping[str, Any]]", items), total)


def _blanked(body: Any, secret: Sequence[str]) -> Any:
    if not secret:
        return body
    if isinstance(body, list):
        return [_blanked(item, secret) for item in body]
    if isinstance(body, Mapping):
        return {k: BLANK if k in secret else v for k, v in body.items()}
    return body
