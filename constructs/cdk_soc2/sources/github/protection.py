"""What holds on a default branch, all layers together, and whether anybody may go around it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cdk_soc2.answers import malformed, want
from cdk_soc2.control import CannotLook, Observed
from cdk_soc2.sources.github.export import settled
from cdk_soc2.sources.github.layers import CHECKS, NEEDS, REVIEW, Layer, classic, ruleset
from cdk_soc2.sources.github.questions import (
    BRANCH_RULES,
    COMMITS,
    ORGANIZATION_RULESET,
    PROTECTION,
    RULESET,
)
from cdk_soc2.sources.github.window import GitHub, Refused, Repository

NOT_PROTECTED = "Branch not protected"
NOT_ON_THIS_PLAN = "Upgrade to GitHub"  # the plan has no protection for private repositories
EMPTY = 409
WORDS = {
    REVIEW: "requires an approving review",
    CHECKS: "requires a status check",
    "no force push": "forbids force pushes",
    "no deletion": "forbids deletion",
}
REMEDY = {
    REVIEW: "Require at least one approving review by a ruleset on the default branch.",
    CHECKS: "Require at least one status check by a ruleset on the default branch.",
    "no force push": "Forbid force pushes by a ruleset on the default branch.",
    "no deletion": "Forbid deletion by a ruleset on the default branch.",
}
NO_BYPASS = (
    "Remove it from the bypass list, or have it accepted as an exception in the boundary file."
)

Accepted = Callable[[str], bool]


@dataclass(frozen=True)
class Protection:
    """The layers of one branch, and what of them could not be seen."""

    layers: Sequence[Layer]
    unseen: Sequence[CannotLook]


def protection(github: GitHub, repository: Repository, now: datetime) -> Protection:
    """Everything that protects the default branch of *repository*."""
    layers: list[Layer] = []
    unseen: list[CannotLook] = []
    for look in (_classic, lambda g, r: _rulesets(g, r, now)):
        try:
            layers += look(github, repository)
        except CannotLook as error:
            unseen.append(error)
    return Protection(layers, unseen)


def is_empty(github: GitHub, repository: Repository) -> bool:
    """Has nobody pushed anything yet? Raises :class:`CannotLook`."""
    try:
        given = {"sha": repository.default_branch, "per_page": 1}
        next(iter(github.pages(COMMITS, given, **repository.place)))
    except Refused as error:
        if error.status == EMPTY:
            return True
        raise
    return False


def judged(repository: Repository, held: Protection, accepted: Accepted) -> Iterator[Observed]:
    """What was observed: the repository, and each who may go around what protects it."""
    wrong: list[tuple[str, str]] = []
    unknown: list[CannotLook] = []
    by: dict[str, str] = {}
    around: dict[str, str] = {}
    for need in NEEDS:
        layers = [layer for layer in held.layers if need in layer.holds]
        layer = _chosen(layers, need, accepted)
        reasons = [*(x.unseen for x in layers if x.unseen), *held.unseen]
        if layer is None and reasons:
            unknown += reasons
        elif layer is None:
            wrong.append((f"no layer {WORDS[need]}", REMEDY[need]))
        elif reasons and not all(accepted(a) for a in layer.around.get(need, ())):
            unknown += reasons  # a layer that is not seen whole may hold for everybody
        else:
            by[need] = layer.name
            around.update(dict.fromkeys(layer.around.get(need, ()), f"{WORDS[need]}: {layer.name}"))
    for actor, what in around.items():
        yield Observed(False, actor, f"may go around what {what}", remedy=NO_BYPASS)
    branch = f"{repository.default_branch}: "
    if wrong:
        yield Observed(
            False, repository.full, branch + "; ".join(w for w, _ in wrong), remedy=wrong[0][1]
        )
    elif unknown:
        reasons = dict.fromkeys(e.reason for e in unknown)
        yield Observed(None, repository.full, branch + "; ".join(reasons), remedy=unknown[0].remedy)
    else:
        notes = dict.fromkeys(n for layer in held.layers for n in layer.notes)
        told = [f"{WORDS[need]}: {name}" for need, name in by.items()]
        yield Observed(True, repository.full, branch + "; ".join([*told, *notes]))


def _chosen(layers: Iterable[Layer], need: str, accepted: Accepted) -> Layer | None:
    """The layer that the fewest may go around, exceptions apart; of those seen whole."""
    seen = [layer for layer in layers if layer.unseen is None]

    def ways(layer: Layer) -> tuple[int, int]:
        around = layer.around.get(need, ())
        return sum(not accepted(a) for a in around), len(around)

    return min(seen, key=ways, default=None)


def _classic(github: GitHub, repository: Repository) -> list[Layer]:
    try:
        answer = github.read(PROTECTION, branch=repository.default_branch, **repository.place)
    except Refused as error:
        if error.status == 404 and error.message == NOT_PROTECTED:
            return []
        if error.status == 403 and error.message.startswith(NOT_ON_THIS_PLAN):
            return []
        raise
    return [classic(answer, repository.full)]


def _rulesets(github: GitHub, repository: Repository, now: datetime) -> list[Layer]:
    try:
        rules = github.list(BRANCH_RULES, branch=repository.default_branch, **repository.place)
    except Refused as error:
        if error.status == 403 and error.message.startswith(NOT_ON_THIS_PLAN):
            return []
        raise
    by_number: dict[int, list[Mapping[str, Any]]] = {}
    for rule in rules:
        by_number.setdefault(want(rule, "ruleset_id", int), []).append(rule)
    layers = [_ruleset(github, repository, n, found, now) for n, found in by_number.items()]
    return [layer for layer in layers if layer is not None]


def _ruleset(
    github: GitHub,
    repository: Repository,
    number: int,
    rules: list[Mapping[str, Any]],
    now: datetime,
) -> Layer | None:
    source = want(rules[0], "ruleset_source", str)
    if any(rule.get("ruleset_source") != source for rule in rules):
        raise malformed(f"ruleset {number} has two sources")
    detail = _detail(github, repository, number, rules[0].get("ruleset_source_type"), source)
    if not isinstance(detail, CannotLook) and not isinstance(detail.get("bypass_actors"), list):
        actors = settled(github.settings.export, number, source, detail, now)
        detail = {**detail, **({"bypass_actors": actors} if actors is not None else {})}
    return ruleset(number, rules, source, detail)


def _detail(
    github: GitHub, repository: Repository, number: int, kind: Any, source: str
) -> Mapping[str, Any] | CannotLook:
    """The ruleset itself: of an organization at its own address, once for all repositories."""
    try:
        if kind == "Organization":
            try:
                return github.read(ORGANIZATION_RULESET, org=source, ruleset_id=number)
            except Refused:
                pass  # who may not see it there may see it, without its actors, from a repository
        return github.read(RULESET, ruleset_id=number, **repository.place)
    except CannotLook as error:
        return error
