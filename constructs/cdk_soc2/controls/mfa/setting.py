"""IAM's password policy, which CloudFormation has no type for."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from cdk_soc2.settings import State, Wanted

service = "iam"
regional = False
actions = ("iam:GetAccountPasswordPolicy", "iam:UpdateAccountPasswordPolicy")

KINDS = (
    "RequireLowercaseCharacters",
    "RequireNumbers",
    "RequireSymbols",
    "RequireUppercaseCharacters",
)
GIVEN = (
    *("MinimumPasswordLength", "PasswordReusePrevention", "MaxPasswordAge"),
    *("AllowUsersToChangePassword", "HardExpiry", *KINDS),
)


def read(client: Any, wanted: Wanted) -> State:
    """Is the policy at least as strong as what is wanted, in every part?"""
    there = _policy(client)
    if there is None:
        return State(False, "none")
    strong = _stronger(there, wanted) == there
    return State(strong, f"{there.get('MinimumPasswordLength')} characters")


def apply(client: Any, wanted: Wanted) -> None:
    """Of each part the stronger: what is there, or what is wanted.

    The whole policy is written, since AWS takes a part that is not named for its default. Users may
    change their password, unless a policy that is there says that they may not.
    """
    there = _policy(client) or {"AllowUsersToChangePassword": True}
    client.update_account_password_policy(**_stronger(there, wanted))


def _policy(client: Any) -> dict[str, Any] | None:
    """What can be written back of the policy that is there."""
    try:
        policy = client.get_account_password_policy()["PasswordPolicy"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
        return None
    return {name: policy[name] for name in GIVEN if policy.get(name) is not None}


def _stronger(there: dict[str, Any], wanted: Wanted) -> dict[str, Any]:
    made = dict(there)
    for name in ("MinimumPasswordLength", "PasswordReusePrevention"):
        made[name] = max(there.get(name, 0), int(wanted[name]))
    if "MaxPasswordAge" in wanted:
        ages = (there.get("MaxPasswordAge", 0), int(wanted["MaxPasswordAge"]))
        made["MaxPasswordAge"] = min(age for age in ages if age)  # 0: passwords do not expire
    if wanted["EveryKindOfCharacter"] == "yes":
        made |= dict.fromkeys(KINDS, True)
    return made
