"""Control 1 in a template: people come from the identity provider, and work with roles."""

from __future__ import annotations

from cdk_soc2.control import Observed
from cdk_soc2.controls.mfa.control import MFA
from cdk_soc2.template import Resource


@MFA.rule_for(
    "AWS::IAM::User",
    fix="Use a role, which people take on through the identity provider and machines by their service; "
    "or name the user under break_glass_users in the boundary file.",
    criteria=("CC6.1", "CC6.2"),
)
def no_iam_user(user: Resource) -> Observed:
    """No IAM user is deployed but a break-glass user of the boundary."""
    boundary = user.template.boundary if user.template else None
    known = boundary is not None and user.properties.get("UserName") in boundary.break_glass_users
    return user.seen(known, "a break-glass user" if known else "an IAM user")
