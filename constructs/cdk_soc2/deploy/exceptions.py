"""The exception register: everything that was acknowledged in an app, why, by whom, until when."""

from __future__ import annotations

import csv
import difflib
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, cast

import aws_cdk as cdk
from constructs import IConstruct

from cdk_soc2.exceptions import Terms, Vague, terms
from cdk_soc2.findings import HELD

REGISTER = "soc2-exceptions.csv"
COLUMNS = ("rule", "criteria", "resource", "reason", "owner", "expiry")
COMPLETE, CURRENT, NAMED = (
    "soc2::exception_is_complete",
    "soc2::exception_is_current",
    "soc2::exception_names_a_rule",
)
ABOUT = (COMPLETE, CURRENT, NAMED)
OTHERS = ("soc2::control_is_held",)
METADATA = "aws:cdk:acknowledged-rules"
STACK = "aws:cloudformation:stack"
NAG = Path(__file__).parents[1] / "data" / "cdk_nag_criteria.json"
CONVENTION = 'Write the reason as "why [owner: name] [until: YYYY-MM-DD]".'


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """One acknowledgement: of which rule, at which construct and below, and why."""

    rule: str
    path: str
    reason: str

    def covers(self, rule: str, path: str) -> bool:
        """Does it speak of *rule* at the construct with this *path*?"""
        within = not self.path or path == self.path or path.startswith(f"{self.path}/")
        return rule == self.rule and within


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with an acknowledgement.

    :param severity: ``"fatal"`` cannot itself be acknowledged: an exception that is over is not
        prolonged by another. ``"warning"`` is printed, and lets synth pass.
    """

    rule: str
    severity: str
    at: Acknowledged
    detail: str
    remedy: str


def acknowledged(
    templates: Iterable[Path], root: IConstruct, stacks: Iterable[str]
) -> list[Acknowledged]:
    """Every acknowledgement in the stacks with these *templates*, and around them.

    :param stacks: the stacks' construct paths. What lies within a stack is read from the assembly,
        which costs nothing; what is acknowledged above it, from the constructs.
    """
    found: dict[tuple[str, str], Acknowledged] = {}
    for path, entries in (*_above(root, stacks), *_within(templates)):
        for entry in entries:
            for rule, reason in cast(Mapping[str, str], entry).items():
                found[rule, path] = Acknowledged(rule, path, reason)
    return list(found.values())


def troubles(
    given: Iterable[Acknowledged], today: date, *, strict: bool = False
) -> Iterator[Trouble]:
    """What is wrong with the acknowledgements: over, unreadable, of no rule, without an owner or an end.

    :param strict: is one of our rules' without an owner or an end an error, rather than a warning?
        Those of others, who know nothing of the convention, are only listed.
    """
    known = {*(f"soc2::{rule}" for control in HELD for rule in control.rules), *ABOUT, *OTHERS}
    for one in given:
        ours = one.rule.startswith("soc2::")
        if ours and one.rule not in known:
            near = difflib.get_close_matches(one.rule, known, n=1)
            hint = f"Did you mean {near[0]}?" if near else "See docs/rules.md for their names."
            told = f"{one.rule} is no rule, so nothing is accepted by this"
            yield Trouble(NAMED, "warning", one, told, hint)
            continue
        try:
            said = terms(one.reason)
        except Vague as error:
            yield Trouble(COMPLETE, "error", one, str(error), CONVENTION)
            continue
        if said.over(today):
            told = f"{one.rule}: the exception ended on {said.until}: {said.reason}"
            again = "Fix what it accepts, or have it reviewed anew."
            yield Trouble(CURRENT, "fatal", one, told, again)
        elif ours and said.lacks:
            told = f"{one.rule} is accepted without {said.lacks}"
            yield Trouble(COMPLETE, "error" if strict else "warning", one, told, CONVENTION)


def register(given: Iterable[Acknowledged]) -> str:
    """The register as CSV, a line an acknowledgement."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in sorted(given, key=lambda a: (a.rule, a.path)):
        try:
            said = terms(one.reason)
        except Vague:
            said = Terms(one.reason)
        row = (one.rule, " ".join(criteria(one.rule)), one.path, said.reason, said.owner)
        writer.writerow([_inert(cell) for cell in (*row, str(said.until or ""))])
    return out.getvalue()


def criteria(rule: str) -> tuple[str, ...]:
    """The criteria that a rule of ours, or of cdk-nag, supports; none, where it is not known."""
    name = rule.partition("[")[0].rpartition("::")[2]
    for control in HELD:
        if rule.startswith("soc2::") and name in control.rules:
            return control.rules[name].criteria
    return tuple(_nag().get(name, ()))


@cache
def _nag() -> dict[str, list[str]]:
    return json.loads(NAG.read_text(encoding="utf-8"))


def _above(root: IConstruct, stacks: Iterable[str]) -> Iterator[tuple[str, list[Any]]]:
    seen: set[str] = set()
    for stack in stacks:
        node: IConstruct | None = root
        for name in ["", *stack.split("/")[:-1]]:
            node = node.node.try_find_child(name) if name and node else node
            if node is not None and node.node.path not in seen:
                seen.add(node.node.path)
                yield node.node.path, [m.data for m in node.node.metadata if m.type == METADATA]


def _within(templates: Iterable[Path]) -> Iterator[tuple[str, list[Any]]]:
    for template in templates:
        folder = template.parent
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        for artifact in manifest.get("artifacts", {}).values():
            properties = artifact.get("properties") or {}
            if artifact["type"] != STACK or properties.get("templateFile") != template.name:
                continue
            entries = dict(artifact.get("metadata") or {})
            if "additionalMetadataFile" in artifact:
                text = (folder / artifact["additionalMetadataFile"]).read_text(encoding="utf-8")
                entries.update(json.loads(text))
            for path, listed in entries.items():
                yield path.lstrip("/"), [e["data"] for e in listed if e["type"] == METADATA]


def _inert(cell: str) -> str:
    """A spreadsheet must not take a reason for a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t")) else cell


def stage_of(construct: IConstruct) -> cdk.Stage:
    """The app, or the stage, that *construct* is in. Raises ``ValueError``."""
    stage = construct if isinstance(construct, cdk.Stage) else cdk.Stage.of(construct)
    if stage is None:
        raise ValueError(f"{construct.node.path}: not in an App; put its stack into one first")
    return stage
