"""Asks a stored run's questions again: the auditor's "run it while I watch"."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, cast

from botocore import xform_name

from cdk_soc2.account import Reader
from cdk_soc2.evidence.spool import plain
from cdk_soc2.evidence.store import Store

QUESTIONS_AT_ONCE = 16
WHERE = ("service", "operation", "region", "parameters", "pages_at_most")


class NoSuchRun(Exception):
    """The vault holds no answers of that run."""


@dataclass(frozen=True)
class Question:
    """One question of the stored run, and its answer page by page; an error is a page, too."""

    service: str
    operation: str
    region: str
    parameters: Mapping[str, Any]
    pages_at_most: int | None
    answers: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Again:
    """A question asked again. Each difference is a path, what it was, and what it is."""

    question: Question
    differences: Sequence[tuple[str, Any, Any]]


def questions(store: Store, run: str) -> list[Question]:
    """What run *run* (its id) asked, each question once. Raises :class:`NoSuchRun`."""
    asked: dict[str, Question] = {}
    for version in store.versions("daily/"):
        parts = version.key.split("/")
        if version.deleted or len(parts) < 6 or parts[3] != run or parts[4] != "answers":
            continue
        for line in store.get(version.key).splitlines():
            _add(asked, json.loads(line))
    if not asked:
        raise NoSuchRun(
            f"{store.address}: no run {run!r} with answers; give the id of a run, such as "
            "000003Z-0a1b2c3d"
        )
    return list(asked.values())


def _add(asked: dict[str, Question], line: Mapping[str, Any]) -> None:
    where = [line.get(name) for name in WHERE]
    key = json.dumps(where, sort_keys=True)
    answer = {name: line[name] for name in ("answer", "error") if name in line}
    before = asked.get(key)
    pages = [*(before.answers if before else ()), answer]
    # Several controls keep the same answer; a page is told once.
    if before and line.get("page", 1) <= len(before.answers):
        return
    asked[key] = Question(*where, answers=pages)  # pyright: ignore[reportArgumentType]  as stored


def ask_again(asked: Iterable[Question], reader: Reader) -> Iterator[Again]:
    """Ask every question of today's account, and compare."""
    with ThreadPoolExecutor(QUESTIONS_AT_ONCE) as pool:
        yield from pool.map(lambda question: _ask(question, reader), asked)


def _ask(question: Question, reader: Reader) -> Again:
    now = reader.ask(
        question.region,
        question.service,
        xform_name(question.operation),
        dict(question.parameters),
        pages=question.pages_at_most,
    )
    answers = [{k: line[k] for k in ("answer", "error") if k in line} for line in now.lines]
    if not answers and now.error is not None:
        answers = [{"error": {"code": type(now.error).__name__, "message": str(now.error)}}]
    pages = max(len(answers), len(question.answers))
    return Again(
        question,
        [
            (f"page {n + 1}{path}" if pages > 1 else path.lstrip("."), was, is_)
            for n in range(pages)
            for path, was, is_ in _differences(
                question.answers[n] if n < len(question.answers) else None,
                plain(answers[n]) if n < len(answers) else None,
            )
        ],
    )


def _differences(was: Any, is_: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    if isinstance(was, Mapping) and isinstance(is_, Mapping):
        before, after = cast(Mapping[str, Any], was), cast(Mapping[str, Any], is_)
        for name in sorted({*before, *after}):
            yield from _differences(before.get(name), after.get(name), f"{path}.{name}")
    elif isinstance(was, list) and isinstance(is_, list):
        before_list, after_list = cast(list[Any], was), cast(list[Any], is_)
        for n in range(max(len(before_list), len(after_list))):
            yield from _differences(
                before_list[n] if n < len(before_list) else None,
                after_list[n] if n < len(after_list) else None,
                f"{path}[{n}]",
            )
    elif was != is_:
        yield path, was, is_
