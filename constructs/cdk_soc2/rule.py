"""A rule: a question to a template, and how it is asked of every resource, each on its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import wraps

from cdk_soc2.template import Resource, Template
from cdk_soc2.verdict import CannotLook, Observed, Status, could_not, status_of, told

RuleLook = Callable[[Template], Iterable[Observed]]
ResourceLook = Callable[[Resource], Observed | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """A question to a synthesized template. ``fix`` is the remedy of whatever breaks it."""

    id: str
    says: str
    look: RuleLook
    fix: str
    criteria: tuple[str, ...] = ()


@dataclass(frozen=True)
class RuleFinding:
    """What one rule saw of one resource of a template.

    :param path: where in the template, as in ``Resources.Queue.Properties.KmsMasterKeyId``.
    """

    rule: str
    status: Status
    resource: str
    detail: str
    remedy: str
    path: str = ""


def each(types: Iterable[str], look: ResourceLook) -> RuleLook:
    """*look* at every resource of *types*; one that cannot be judged hides none of the others."""
    of = tuple(types)

    @wraps(look)
    def look_at_all(template: Template) -> Iterator[Observed]:
        for resource in template.resources(*of):
            try:
                seen = look(resource)
            except Exception as error:  # noqa: BLE001  one resource's trouble costs no other
                seen = unseen(error, resource.id)
            if seen is not None:
                yield seen

    return look_at_all


def unseen(error: Exception, subject: str) -> Observed:
    """The observation of a resource that a rule could not read."""
    if isinstance(error, CannotLook):
        return could_not(error, subject)
    return Observed(
        None,
        subject,
        f"the template could not be judged here: {told(error)}",
        remedy="Write the property as CloudFormation documents it; if it is, report it to cdk-soc2.",
    )


def hold(rule: Rule, template: Template) -> Iterator[RuleFinding]:
    """One finding a resource. A rule that breaks has seen nothing: ``UNKNOWN``."""
    seen: dict[str, list[Observed]] = defaultdict(list)
    try:
        for o in rule.look(template):
            seen[o.subject].append(o)
    except Exception as error:  # noqa: BLE001  a rule may break in any way; it is said
        seen["-"].append(unseen(error, "-"))
    for subject, observations in seen.items():
        o = _merged(observations)
        path = o.path or ("" if subject == "-" else f"Resources.{subject}")
        yield RuleFinding(rule.id, status_of(o), subject, o.detail, o.remedy or rule.fix, path)


def _merged(seen: list[Observed]) -> Observed:
    """A resource that conditions shape is seen in every shape; if they differ, it is not known."""
    bad = next((o for o in seen if o.ok is False), None)
    if bad is not None and any(o.ok is True for o in seen):
        return Observed(
            None,
            bad.subject,
            f"under some of the template's conditions: {bad.detail}",
            remedy="Make it right under every condition; or judge one deployment, with its parameters.",
            path=bad.path,
        )
    return bad or next((o for o in seen if o.ok is None), seen[0])
