"""Asks for long passwords of the IAM users that remain."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from cdk_soc2.controls.mfa import setting
from cdk_soc2.controls.mfa.control import MFA, PASSWORD_LENGTH
from cdk_soc2.deploy.claim import claim
from cdk_soc2.deploy.settings import AccountSetting

LONGEST = 128
MOST_REMEMBERED = 24


class PasswordPolicy(Construct):
    """The account's password policy: at least this, and never less than what it finds.

    :param minimum_length: characters, 14 to 128.
    :param reuse_prevention: how many earlier passwords cannot be used again, 1 to 24.
    :param every_kind_of_character: ask for a lower-case and an upper-case letter, a digit and a symbol.
    :param maximum_age: after which a password must be changed; absent, as it is.
    :raises ValueError: a number is out of its range.

    It stays when the stack is deleted. It cannot give anybody an MFA device: root's and the users' are
    for people to register.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        minimum_length: int = PASSWORD_LENGTH,
        reuse_prevention: int = MOST_REMEMBERED,
        every_kind_of_character: bool = True,
        maximum_age: cdk.Duration | None = None,
    ) -> None:
        super().__init__(scope, id)
        self._within("minimum_length", minimum_length, PASSWORD_LENGTH, LONGEST)
        self._within("reuse_prevention", reuse_prevention, 1, MOST_REMEMBERED)
        wanted = {
            "MinimumPasswordLength": str(minimum_length),
            "PasswordReusePrevention": str(reuse_prevention),
            "EveryKindOfCharacter": "yes" if every_kind_of_character else "no",
        }
        if maximum_age is not None:
            days = int(maximum_age.to_days())
            self._within("maximum_age in days", days, 1, 1095)
            wanted["MaxPasswordAge"] = str(days)
        self.setting = AccountSetting(self, "Setting", control=MFA, setting=setting, wanted=wanted)
        claim(self, MFA)

    def _within(self, name: str, value: int, least: int, most: int) -> None:
        if not least <= value <= most:
            raise ValueError(f"{self.node.path}: {name} is {value}; give {least} to {most}")
