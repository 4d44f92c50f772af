"""Account settings that CloudFormation has no type for, as resources of a stack."""

# The CDK's classes name parameters otherwise than its interfaces do; jsii checks arguments itself.
# pyright: reportArgumentType=false
from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_soc2.deploy.bundle import code_sha256, settings_zip
from cdk_soc2.deploy.function import python_function
from cdk_soc2.deploy.wildcards import explain_wildcards


class AccountSetting(Construct):
    """A setting of the account in *regions*, made by a small function that the stack's settings share.

    :param setting: the key of a control that has a ``setting.py``.
    :param actions: the IAM actions that the setting needs.
    :param regions: absent, the stack's own.

    Deleting it leaves the setting as it is. ``found`` and ``now`` say how the regions were and are,
    as ``us-east-1=on,eu-west-1=off``.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        setting: str,
        actions: Sequence[str],
        regions: Sequence[str] | None = None,
    ) -> None:
        super().__init__(scope, id)
        maker = SettingsFunction.of(self)
        maker.allow(actions)
        resource = cdk.CustomResource(
            self,
            "Resource",
            resource_type="Custom::AccountSetting",
            service_token=maker.function.function_arn,
            service_timeout=cdk.Duration.minutes(5),
            properties={
                "Setting": setting,
                "Regions": list(regions) if regions else [cdk.Stack.of(self).region],
                "Code": maker.digest,  # a new version of the code looks again
            },
        )
        self.found = resource.get_att_string("Found")
        self.now = resource.get_att_string("Now")


class SettingsFunction(Construct):
    """The function behind every :class:`AccountSetting` of a stack."""

    ID = "Soc2Settings"

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        self.role = iam.Role(
            self,
            "Role",
            description="Makes account settings for cdk-soc2",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        )
        zip_file = settings_zip()
        self.digest = code_sha256(zip_file)[:16]
        self.function = python_function(
            self,
            zip_file=zip_file,
            role=self.role,
            description="Makes account settings that CloudFormation has no type for",
            memory_size=256,
            timeout=cdk.Duration.minutes(3),
        )
        explain_wildcards(
            self.role,
            ["*"],
            "The actions are account settings, listed one by one; IAM knows no resource that they "
            "could be narrowed to.",
        )

    @classmethod
    def of(cls, scope: Construct) -> SettingsFunction:
        """The one of *scope*'s stack, made when first asked for."""
        stack = cdk.Stack.of(scope)
        there = stack.node.try_find_child(cls.ID)
        return there if isinstance(there, cls) else cls(stack, cls.ID)

    def allow(self, actions: Sequence[str]) -> None:
        self.role.add_to_policy(iam.PolicyStatement(actions=list(actions), resources=["*"]))
