"""Many questions at once, each with its answer or with what kept it from being given."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

from cdk_soc2.control import CannotLook, Observed, Region

Item = TypeVar("Item", bound=Hashable)
Answer = TypeVar("Answer")


def gather(
    home: Region, items: Iterable[Item], ask: Callable[[Item], Answer]
) -> dict[Item, Answer | CannotLook]:
    """The answer to every item, asked for concurrently."""
    given = list(dict.fromkeys(items))
    answers: dict[Item, Answer | CannotLook] = {}

    def one(item: Item) -> Observed:
        answers[item] = ask(item)
        return Observed(True, str(item), "answered")

    for item, seen in zip(given, home.each(given, str, one), strict=True):
        if seen.ok is not True:
            answers[item] = CannotLook(seen.detail, seen.remedy or "Run again.")
    return answers


def got(answer: Answer | CannotLook) -> Answer:
    """The answer. Raises the :class:`CannotLook` that is there instead."""
    if isinstance(answer, CannotLook):
        raise answer
    return answer
