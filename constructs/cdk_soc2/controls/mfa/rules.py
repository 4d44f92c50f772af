"""Control 1 in a template: no user is deployed who signs in with a password or a key."""

from __future__ import annotations

from cdk_soc2.control import Observed
from cdk_soc2.controls.mfa import rules_users as rules_users  # they attach themselves
from cdk_soc2.controls.mfa.control import MFA
from cdk_soc2.template import Resource


@MFA.rule_for(
    "AWS::IAM::User",
    fix="Leave LoginProfile out; let people sign in through the identity provider.",
)
def user_has_no_password(user: Resource) -> Observed:
    """A user has no console password."""
    ok = "LoginProfile" not in user.properties
    return user.seen(ok, "no password" if ok else "has a console password", "LoginProfile")


@MFA.rule_for(
    "AWS::IAM::AccessKey", fix="Use a role instead: its credentials expire by themselves."
)
def no_access_key(key: Resource) -> Observed:
    """Nobody gets a long-lived access key."""
    return key.seen(False, "a long-lived access key")
