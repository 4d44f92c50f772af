"""What the rules find in templates: every control's rules, and what the template's owner accepted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from cdk_soc2.control import Control
from cdk_soc2.exceptions import Terms, Vague, terms
from cdk_soc2.rule import RuleFinding
from cdk_soc2.rulebook import RULEBOOK
from cdk_soc2.template import Template
from cdk_soc2.verdict import Status

ACCEPT = "soc2:accept"
HELD = RULEBOOK


@dataclass(frozen=True, slots=True)
class TemplateFinding:
    """A rule that is broken, or could not be judged, and where.

    :param accepted: the terms on which the template's owner accepted it.
    """

    control: Control
    template: Template
    finding: RuleFinding
    accepted: Terms | None = None

    @property
    def rule(self) -> str:
        return f"soc2::{self.finding.rule}"

    @property
    def criteria(self) -> tuple[str, ...]:
        return self.control.rules[self.finding.rule].criteria

    def to_json(self) -> dict[str, Any]:
        """As ``soc2 guard --json`` prints it."""
        f = self.finding
        return {
            "rule": self.rule,
            "criteria": list(self.criteria),
            "control": self.control.key,
            "status": str(f.status),
            "template": self.template.name,
            "resource": f.resource,
            "path": f.path,
            "detail": f.detail,
            "remedy": f.remedy,
        }


def findings(
    templates: Iterable[Template], controls: Iterable[Control]
) -> Iterator[TemplateFinding]:
    """Whatever is not as it must be, accepted or not; what passes is not told."""
    asked = list(controls)
    for template in templates:
        for control in asked:
            for finding in control.review(template):
                if finding.status in (Status.FAIL, Status.UNKNOWN):
                    yield TemplateFinding(control, template, finding, _accepted(template, finding))


def _accepted(template: Template, finding: RuleFinding) -> Terms | None:
    """By the metadata of the resource, or of the template where it names the resource.

    Raises :class:`Vague` for an acceptance that says too little, or whose time is over.
    """
    resource: Any = template.section("Resources").get(finding.resource)
    own: Any = (
        cast(Mapping[str, Any], resource).get("Metadata") if isinstance(resource, Mapping) else None
    )
    for holder, here in ((own, True), (template.section("Metadata"), False)):
        listed: Any = (
            cast(Mapping[str, Any], holder).get(ACCEPT) if isinstance(holder, Mapping) else None
        )
        for entry in cast(list[Any], listed) if isinstance(listed, list) else ():
            given = cast(Mapping[str, Any], entry) if isinstance(entry, Mapping) else {}
            named = str(given.get("rule")).removeprefix("soc2::")
            if named == finding.rule and (here or given.get("resource") == finding.resource):
                said = terms(str(given.get("reason", "")))
                if not said.complete:
                    raise Vague(
                        f"{template.name}: {finding.resource} accepts {named} without "
                        f'{said.lacks}; write "reason: why [owner: name] [until: YYYY-MM-DD]"'
                    )
                return said if template.today is None or not said.over(template.today) else None
    return None
