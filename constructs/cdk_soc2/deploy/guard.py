"""Refuses to synthesize a template that breaks a control."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import jsii
from constructs import Construct

import cdk_soc2
from cdk_soc2.control import Control, RuleFinding, Status
from cdk_soc2.controls import CONTROLS
from cdk_soc2.template import Template


@jsii.implements(cdk.IPolicyValidationPlugin)
class Soc2Guard:
    """Holds every template against every control's rules.

    Accept a finding, with a reason, beside the code that causes it:
    ``Validations.of(x).acknowledge(Acknowledgment(id="soc2::<rule>", reason=...))``.
    """

    @classmethod
    def add_to(cls, scope: Construct) -> None:
        """Guard the app, or the stage, that *scope* is in. A second time changes nothing."""
        stage = scope if isinstance(scope, cdk.Stage) else cdk.Stage.of(scope)
        if stage is None:
            raise ValueError(f"{scope.node.path}: not in an App; put its stack into one first")
        if stage.node.try_find_child(cls.__name__) is None:
            Construct(stage, cls.__name__)
            cdk.Validations.of(stage).add_plugins(cls())

    @property
    def name(self) -> str:
        return "soc2"

    @property
    def version(self) -> str:
        return cdk_soc2.__version__

    @property
    def rule_ids(self) -> list[str]:
        return [f"soc2::{rule}" for control in CONTROLS for rule in control.rules]

    def validate(self, context: cdk.IPolicyValidationContext) -> cdk.PolicyValidationPluginReport:
        violations = [v for path in context.template_paths for v in _violations(path)]
        return cdk.PolicyValidationPluginReport(
            success=not violations, violations=violations, plugin_version=self.version
        )


def _violations(path: str) -> Iterator[cdk.PolicyViolation]:
    template = Template(json.loads(Path(path).read_text(encoding="utf-8")))
    for control in CONTROLS:
        for finding in control.review(template):
            if finding.status in (Status.FAIL, Status.UNKNOWN):
                yield _violation(control, finding, path)


def _violation(control: Control, finding: RuleFinding, path: str) -> cdk.PolicyViolation:
    said = f"{control.name}: {control.rules[finding.rule].says} Here: {finding.detail}"
    if finding.status is Status.UNKNOWN:
        said = f"could not be judged. {said}"
    where: dict[str, Any] = {"locations": [], "template_path": path}
    if finding.resource != "-":
        where["resource_logical_id"] = finding.resource
    return cdk.PolicyViolation(
        rule_name=f"soc2::{finding.rule}",
        description=said,
        fix=finding.remedy,
        # Always "error". With none, or "warning", one acknowledged finding lets all others pass.
        severity="error",
        rule_metadata={
            "control": control.key,
            "criteria": " ".join(control.criteria),
            "status": finding.status,
        },
        violating_resources=[cdk.PolicyViolatingResource(**where)],
    )
