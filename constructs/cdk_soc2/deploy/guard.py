"""Refuses to synthesize a template that breaks a control."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import jsii
from constructs import Construct, IValidation

import cdk_soc2
from cdk_soc2.boundary import Boundary
from cdk_soc2.control import Status
from cdk_soc2.deploy import claimed, exceptions
from cdk_soc2.findings import HELD, TemplateFinding, findings
from cdk_soc2.template import Template
from cdk_soc2.template_file import templates

REGISTERS = (exceptions.REGISTER, claimed.REGISTER)


@jsii.implements(cdk.IPolicyValidationPlugin)
class Soc2Guard:
    """Holds every template against every control's rules, and writes the registers into the assembly.

    :param boundary: what is in scope; with it, network ACLs are held against what it denies.
    :param held_elsewhere: controls that no resource of this app makes true, and where they are held.
    :param require_controls: refuse an app in which nothing makes a control true that is not held
        elsewhere. Off, as most apps hold some controls only.
    :param strict_exceptions: refuse an acknowledgement of our rules without an owner or a last day,
        which is a warning otherwise. One whose last day is over is always refused.
    :param label: of its report, in which no other guard's is then mistaken for it; with one, no
        registers are written.
    :param today: the day on which exceptions and runtimes end or not; absent, the real one, UTC.
    :raises ValueError: *held_elsewhere* names no control, or gives no reason.

    Accept a finding beside the code that causes it, with an owner and a last day:
    ``Validations.of(x).acknowledge(Acknowledgment(id="soc2::<rule>", reason="why [owner: ada] [until:
    2027-01-31]"))``.
    """

    @classmethod
    def add_to(cls, scope: Construct, **given: Any) -> None:
        """Guard the app, or the stage, that *scope* is in. A second time changes nothing."""
        stage = exceptions.stage_of(scope)
        if stage.node.try_find_child(cls.__name__) is None:
            guard = cls(**given)
            guard._stage = stage
            Construct(stage, cls.__name__).node.add_validation(_Sweep(stage))
            cdk.Validations.of(stage).add_plugins(guard)

    def __init__(
        self,
        *,
        boundary: Boundary | None = None,
        held_elsewhere: Mapping[str, str] | None = None,
        require_controls: bool = False,
        strict_exceptions: bool = False,
        label: str | None = None,
        today: date | None = None,
    ) -> None:
        self._elsewhere = dict(held_elsewhere or {})
        claimed.check_elsewhere(self._elsewhere)
        self._boundary = boundary
        self._require_controls = require_controls
        self._strict_exceptions = strict_exceptions
        self._label = label
        self._today = today
        self._stage: cdk.Stage | None = None
        if "CDK_OUTDIR" in os.environ:
            _sweep(Path(os.environ["CDK_OUTDIR"]))

    @property
    def name(self) -> str:
        return "soc2"

    @property
    def version(self) -> str:
        return cdk_soc2.__version__

    @property
    def rule_ids(self) -> list[str]:
        return [f"soc2::{rule}" for control in HELD for rule in control.rules]

    def validate(self, context: cdk.IPolicyValidationContext) -> cdk.PolicyValidationPluginReport:
        stacks = {Path(s.template_path): s.stack_construct_path for s in context.stack_templates}
        today = self._today or datetime.now(UTC).date()
        read, _ = templates(stacks, boundary=self._boundary, today=today)
        accepted = exceptions.acknowledged(stacks, context.app_construct, stacks.values())
        about = list(exceptions.troubles(accepted, today, strict=self._strict_exceptions))
        violations = [
            *(_violation(f, stacks) for f in findings(read, HELD) if f.accepted is None),
            *(_about(trouble) for trouble in about),
            *(self._missing(read, next(iter(stacks.values())))),
        ]
        if self._label is None:
            stage = self._stage or exceptions.stage_of(context.app_construct)
            self._register(Path(stage.outdir), accepted, read)
        return cdk.PolicyValidationPluginReport(
            success=all(v.severity == "warning" for v in violations),
            violations=violations,
            plugin_version=self.version,
            metadata={"label": self._label} if self._label else None,
        )

    def _register(
        self, folder: Path, accepted: list[exceptions.Acknowledged], read: list[Template]
    ) -> None:
        named = [_named(template, folder) for template in read]
        _write(folder / exceptions.REGISTER, exceptions.register(accepted))
        _write(folder / claimed.REGISTER, claimed.register(named, self._elsewhere))

    def _missing(self, read: list[Template], stack: str) -> Iterator[cdk.PolicyViolation]:
        for control in claimed.missing(read, self._elsewhere) if self._require_controls else ():
            yield cdk.PolicyViolation(
                rule_name=claimed.HELD,
                description=f"{control.name}: nothing in this app makes it true: {control.claim}",
                fix=f"Add its construct, or say where it is held: "
                f'Soc2Guard(held_elsewhere={{"{control.key}": "..."}}).',
                severity="error",
                rule_metadata={"control": control.key, "criteria": " ".join(control.criteria)},
                violating_resources=[
                    cdk.PolicyViolatingResource(locations=[], construct_path=stack)
                ],
            )


def _violation(found: TemplateFinding, stacks: Mapping[Path, str]) -> cdk.PolicyViolation:
    finding, template = found.finding, found.template
    said = f"{found.control.name}: {found.control.rules[finding.rule].says} Here: {finding.detail}"
    if finding.status is Status.UNKNOWN:
        said = f"could not be judged. {said}"
    return cdk.PolicyViolation(
        rule_name=found.rule,
        description=said,
        fix=finding.remedy,
        # Always "error". With none, or "warning", one acknowledged finding lets all others pass.
        severity="error",
        rule_metadata={
            "control": found.control.key,
            "criteria": " ".join(found.criteria),
            "status": finding.status,
        },
        violating_resources=[_resource(found, template, stacks)],
    )


def _resource(
    found: TemplateFinding, template: Template, stacks: Mapping[Path, str]
) -> cdk.PolicyViolatingResource:
    """By its logical id; what is said of a template as a whole, by the path of its stack."""
    id, path = found.finding.resource, found.finding.path
    if id in template.section("Resources"):
        within = path.removeprefix(f"Resources.{id}").lstrip(".")
        return cdk.PolicyViolatingResource(
            locations=[within] if within else [],
            resource_logical_id=id,
            template_path=template.name,
        )
    stack = stacks.get(Path(template.name)) or next(iter(stacks.values()))
    return cdk.PolicyViolatingResource(locations=[path] if path else [], construct_path=stack)


def _about(trouble: exceptions.Trouble) -> cdk.PolicyViolation:
    return cdk.PolicyViolation(
        rule_name=trouble.rule,
        description=trouble.detail,
        fix=trouble.remedy,
        severity=trouble.severity,
        rule_metadata={"criteria": " ".join(exceptions.criteria(trouble.at.rule))},
        violating_resources=[
            cdk.PolicyViolatingResource(locations=[], construct_path=trouble.at.path)
        ],
    )


def _named(template: Template, folder: Path) -> Template:
    """*template* under a name that is the same on every machine."""
    return Template(template.body, name=Path(template.name).relative_to(folder).as_posix())


def _write(path: Path, text: str) -> None:
    """The CDK lets a plugin add files to the assembly, and refuses one that changes any."""
    if path.exists() and path.read_text(encoding="utf-8") != text:
        raise FileExistsError(
            f"{path} is of an earlier synth, and the CDK lets no plugin change it: delete it; "
            "Soc2Guard.add_to(app), in place of add_plugins, does so by itself"
        )
    path.write_text(text, encoding="utf-8")


def _sweep(folder: Path) -> None:
    for name in REGISTERS:
        with suppress(OSError):
            (folder / name).unlink()


@jsii.implements(IValidation)
class _Sweep:
    """Takes the registers of an earlier synth away before this one's are written."""

    def __init__(self, stage: cdk.Stage) -> None:
        self._folder = Path(stage.outdir)

    def validate(self) -> list[str]:
        _sweep(self._folder)
        return []
