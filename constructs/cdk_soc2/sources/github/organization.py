"""Control 1 as GitHub decides it: nobody is in the organization without a second factor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cdk_soc2.answers import may
from cdk_soc2.context import Context
from cdk_soc2.control import CannotLook, Check, Observed, Rule
from cdk_soc2.controls.mfa.control import MFA
from cdk_soc2.sources.github.questions import MEMBERS, ORGANIZATION
from cdk_soc2.sources.github.window import GitHub, github_check

GITHUB_MFA = replace(
    MFA, reads=("members:read",), checks=dict[str, Check](), rules=dict[str, Rule]()
)
REQUIRED = "two_factor_requirement_enabled"


@github_check(GITHUB_MFA, of="organizations")
def organization_two_factor(github: GitHub, context: Context) -> Iterator[Observed]:
    """The organization requires two-factor authentication of everyone in it."""
    required = may(github.read(ORGANIZATION, org=github.id), REQUIRED, bool)
    if required is None:
        yield Observed(
            None,
            github.id,
            f"{REQUIRED} is not shown to this token",
            remedy="Let an owner's token (admin:org) collect, or attach the setting as evidence.",
        )
        return
    yield Observed(
        required,
        github.id,
        f"{REQUIRED} is {str(required).lower()}{'' if required else _without(github)}",
        remedy=None if required else "Require it in the organization's authentication security.",
    )


def _without(github: GitHub) -> str:
    """Who has none, where the token may know."""
    try:
        found = github.list(MEMBERS, {"filter": "2fa_disabled"}, org=github.id)
    except CannotLook as error:
        return f"; who has none is not shown: {error.reason}"
    names = [str(member.get("login")) for member in found]
    return f"; without it: {', '.join(names) or 'nobody'}"
