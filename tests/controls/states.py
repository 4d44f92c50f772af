"""Asks one control of one account state, or template, and tells what every check or rule found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import cdk_soc2.rulebook  # noqa: F401  attaches the rules
from cdk_soc2.assess import assess
from cdk_soc2.boundary import Boundary
from cdk_soc2.control import Control, Finding
from cdk_soc2.scope import Scope
from cdk_soc2.template import Template
from tests.fakes import ACCOUNT, HOME, FakeAccount, FakeVault, context


def findings(
    control: Control,
    answers: dict[tuple[str, ...], Any],
    *,
    regions: tuple[str, ...] = (HOME,),
    boundary: Boundary | None = None,
    vault: FakeVault | None = None,
) -> dict[str, Finding]:
    return _ask(control, FakeAccount(answers, regions), boundary, vault)


def verdicts(*args: Any, **kwargs: Any) -> dict[str, str]:
    return {id: str(f.status) for id, f in findings(*args, **kwargs).items()}


def reads(
    control: Control,
    states: Iterable[dict[tuple[str, ...], Any]],
    *,
    boundary: Boundary | None = None,
    vault: FakeVault | None = None,
) -> set[str]:
    """The IAM actions that the checks of *control* ask for, over all *states*."""
    used: set[str] = set()
    for answers in states:
        _ask(control, FakeAccount(answers, asked=used), boundary, vault)
    return used


def reviewed(control: Control, resources: dict[str, Any]) -> dict[str, list[str]]:
    """What the rules in *control*'s ``rules.py`` say of a template with these *resources*.

    Those in its other modules have their tests in ``tests/rules``.
    """
    own = [r.id for r in control.rules.values() if r.look.__module__.endswith(".rules")]
    seen: dict[str, list[str]] = {rule: [] for rule in own}
    for finding in control.review(Template({"Resources": resources})):
        assert finding.remedy
        if finding.rule in seen:
            seen[finding.rule].append(str(finding.status))
    return seen


def _ask(
    control: Control, account: FakeAccount, boundary: Boundary | None, vault: FakeVault | None
) -> dict[str, Finding]:
    scope = Scope(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", HOME, account.names)
    found = assess([control], lambda _: account, scope, context(boundary, vault=vault))
    return {f.check: f for f in found.findings[control.key]}
