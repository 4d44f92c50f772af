"""Control 1: MFA."""

from cdk_soc2.controls.mfa.control import MFA as MFA
