"""Asks one control of one account state, and tells the verdict of every check."""

from __future__ import annotations

from typing import Any

from cdk_soc2.assess import assess
from cdk_soc2.boundary import Boundary
from cdk_soc2.control import Control, Finding
from cdk_soc2.scope import Scope
from tests.fakes import ACCOUNT, HOME, FakeAccount, FakeVault, context


def findings(
    control: Control,
    answers: dict[tuple[str, ...], Any],
    *,
    regions: tuple[str, ...] = (HOME,),
    boundary: Boundary | None = None,
    vault: FakeVault | None = None,
) -> dict[str, Finding]:
    account = FakeAccount(answers, regions)
    scope = Scope(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", HOME, regions)
    found = assess([control], lambda _: account, scope, context(boundary, vault=vault))
    return {f.check: f for f in found.findings[control.key]}


def verdicts(*args: Any, **kwargs: Any) -> dict[str, str]:
    return {id: str(f.status) for id, f in findings(*args, **kwargs).items()}
