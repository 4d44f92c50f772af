"""The layers that protect a branch: classic protection and each ruleset, and who may go around them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from cdk_soc2.answers import malformed, may, records, want
from cdk_soc2.control import CannotLook

REVIEW, CHECKS, FORCE_PUSH, DELETION = "review", "checks", "no force push", "no deletion"
NEEDS = (REVIEW, CHECKS, FORCE_PUSH, DELETION)
NOT_ENFORCED = ("evaluate", "disabled")
CAN_BYPASS = ("always", "pull_requests_only", "exempt")


@dataclass(frozen=True, slots=True)
class Layer:
    """One thing that protects the branch.

    :param holds: what it requires of everyone it binds, of :data:`NEEDS`.
    :param around: who may go around it, by what they may go around; as subjects of exceptions.
    :param unseen: why it cannot be told who may go around it.
    :param notes: what else it says, for the evidence.
    """

    name: str
    holds: frozenset[str]
    around: Mapping[str, tuple[str, ...]]
    unseen: CannotLook | None = None
    notes: tuple[str, ...] = ()


def classic(answer: Mapping[str, Any], repository: str) -> Layer:
    """Classic branch protection. Raises :class:`CannotLook` for an answer that cannot be read.

    Administrators are bound by reviews and checks only where that is enforced; force pushes and
    deletions are refused to all, unless allowed.
    """
    reviews = may(answer, "required_pull_request_reviews", dict)
    checks = may(answer, "required_status_checks", dict)
    admins = () if _enabled(answer, "enforce_admins") else (f"{repository} admins",)
    holds: set[str] = set()
    around: dict[str, tuple[str, ...]] = {}
    notes: list[str] = []
    if reviews is not None and want(reviews, "required_approving_review_count", int) > 0:
        holds.add(REVIEW)
        around[REVIEW] = (*admins, *_allowances(reviews, repository))
        notes += _review_notes(reviews, "dismiss_stale_reviews")
    if checks is not None and (_names(checks, "checks") or _names(checks, "contexts")):
        holds.add(CHECKS)
        around[CHECKS] = admins
    if not _enabled(answer, "allow_force_pushes"):
        holds.add(FORCE_PUSH)
    if not _enabled(answer, "allow_deletions"):
        holds.add(DELETION)
    return Layer("classic protection", frozenset(holds), around, notes=tuple(notes))


def ruleset(
    number: int,
    rules: Iterable[Mapping[str, Any]],
    source: str,
    detail: Mapping[str, Any] | CannotLook,
) -> Layer | None:
    """The ruleset *number* as far as it applies to the branch; ``None`` where it is not enforced.

    :param rules: its rules that are in effect on the branch.
    :param source: the repository or organization that it belongs to.
    """
    holds: set[str] = set()
    notes: list[str] = []
    for rule in rules:
        kind, given = want(rule, "type", str), may(rule, "parameters", dict) or {}
        if kind == "pull_request" and want(given, "required_approving_review_count", int) > 0:
            holds.add(REVIEW)
            notes += _review_notes(given, "dismiss_stale_reviews_on_push")
        elif kind in ("required_status_checks", "workflows") and records(given, kind):
            holds.add(CHECKS)
        elif kind == "non_fast_forward":
            holds.add(FORCE_PUSH)
        elif kind == "deletion":
            holds.add(DELETION)
    name = f"ruleset {number} of {source}"
    if isinstance(detail, CannotLook):
        return Layer(name, frozenset(holds), {}, detail, tuple(notes))
    enforcement = want(detail, "enforcement", str)
    if enforcement in NOT_ENFORCED:
        return None
    if enforcement != "active":
        raise malformed(f"enforcement of {name} is {enforcement!r}")
    name = f"ruleset {want(detail, 'name', str)!r} ({number}) of {source}"
    actors = detail.get("bypass_actors")
    if isinstance(actors, list):
        who = tuple(_actor(a, source) for a in records(detail, "bypass_actors"))
    elif detail.get("current_user_can_bypass") in CAN_BYPASS:
        who = (f"{source} whoever collects",)
    else:
        return Layer(name, frozenset(holds), {}, _not_shown(name), tuple(notes))
    return Layer(name, frozenset(holds), dict.fromkeys(holds, who), notes=tuple(notes))


def _not_shown(name: str) -> CannotLook:
    return CannotLook(
        f"the bypass actors of {name} are not shown to this token",
        "Let an owner run `soc2 github export-rulesets` and give the file with --rulesets-export.",
    )


def _actor(actor: Mapping[str, Any], source: str) -> str:
    kind, id = want(actor, "actor_type", str), actor.get("actor_id")
    return f"{source} {kind}" if id is None else f"{source} {kind}:{id}"


def _allowances(reviews: Mapping[str, Any], repository: str) -> tuple[str, ...]:
    """Who may merge without the required review. GitHub leaves the field out where nobody may."""
    if "bypass_pull_request_allowances" not in reviews:
        return ()
    told = want(reviews, "bypass_pull_request_allowances", dict)
    return tuple(
        f"{repository} {kind}:{one.get(name)}"
        for kind, field, name in (
            ("user", "users", "login"),
            ("team", "teams", "slug"),
            ("app", "apps", "slug"),
        )
        if told.get(field) is not None
        for one in records(told, field)
    )


def _review_notes(reviews: Mapping[str, Any], stale: str) -> list[str]:
    dismissed = "dismissed" if reviews.get(stale) is True else "kept"
    last = "needed" if reviews.get("require_last_push_approval") is True else "not needed"
    return [f"stale reviews {dismissed}, approval of the last push by another person {last}"]


def _enabled(answer: Mapping[str, Any], name: str) -> bool:
    return want(want(answer, name, dict), "enabled", bool)


def _names(checks: Mapping[str, Any], name: str) -> Sequence[Any]:
    value = checks.get(name, [])
    if not isinstance(value, list):
        raise malformed(f"required_status_checks.{name} is {value!r}, not a list")
    return cast(Sequence[Any], value)
