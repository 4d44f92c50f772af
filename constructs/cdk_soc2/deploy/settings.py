"""Account settings that CloudFormation has no type for, as resources of a stack."""

# The CDK's classes name parameters otherwise than its interfaces do; jsii checks arguments itself.
# pyright: reportArgumentType=false
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_soc2.control import Control
from cdk_soc2.deploy.bundle import code_sha256, settings_zip
from cdk_soc2.deploy.function import python_function
from cdk_soc2.deploy.wildcards import explain_wildcards
from cdk_soc2.settings import ALL, Setting

Regions = Sequence[str] | Literal["all"]


class AccountSetting(Construct):
    """A setting of the account, made by a small function that the stack's settings share.

    :param control: whose folder the setting is in.
    :param setting: that folder's module ``setting``.
    :param regions: for a regional setting: a list, or ``"all"`` for every region that the account has
        enabled when the stack is deployed; absent or empty, the stack's own.
    :param wanted: what the setting is to be; texts, and lists of texts.
    :param narrowed: the resources of those of the setting's actions that IAM knows any for; the
        others are allowed on ``*``.
    :raises ValueError: *regions* is a text other than ``"all"``.

    Deleting it leaves the setting as it is. ``found`` and ``now`` say how each region, or ``account``,
    was and is, as ``us-east-1=on,eu-west-1=off``.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        control: Control,
        setting: Setting,
        regions: Regions | None = None,
        wanted: Mapping[str, str | Sequence[str]] | None = None,
        narrowed: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        super().__init__(scope, id)
        if isinstance(regions, str) and regions != ALL:
            raise ValueError(f'{self.node.path}: regions is {regions!r}; give a list, or "{ALL}"')
        narrowed = narrowed or {}
        maker = SettingsFunction.of(self)
        maker.allow([a for a in setting.actions if a not in narrowed])
        for action, resources in narrowed.items():
            maker.allow([action], resources)
        properties: dict[str, object] = {
            "Setting": control.key,
            "Code": maker.digest,  # a new version of the code looks again
        }
        if setting.regional:
            own = [cdk.Stack.of(self).region]
            properties["Regions"] = regions if isinstance(regions, str) else list(regions or own)
        if regions == ALL:
            maker.allow(["ec2:DescribeRegions"])
        if wanted:
            properties["Wanted"] = dict(wanted)
        self.resource = cdk.CustomResource(
            self,
            "Resource",
            resource_type="Custom::AccountSetting",
            service_token=maker.function.function_arn,
            service_timeout=cdk.Duration.minutes(10),
            properties=properties,
        )
        self.found = self.resource.get_att_string("Found")
        self.now = self.resource.get_att_string("Now")


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
            memory_size=512,
            timeout=cdk.Duration.minutes(5),  # an account may have 30 regions
        )
        explain_wildcards(
            self.role,
            ["*"],
            "The actions are listed one by one, and are account settings and lists; IAM knows no "
            "resource that they could be narrowed to.",
        )

    @classmethod
    def of(cls, scope: Construct) -> SettingsFunction:
        """The one of *scope*'s stack, made when first asked for."""
        stack = cdk.Stack.of(scope)
        there = stack.node.try_find_child(cls.ID)
        return there if isinstance(there, cls) else cls(stack, cls.ID)

    def allow(self, actions: Sequence[str], resources: Sequence[str] = ("*",)) -> None:
        self.role.add_to_policy(
            iam.PolicyStatement(actions=list(actions), resources=list(resources))
        )
        explain_wildcards(
            self.role,
            [arn for arn in resources if "*" in arn and arn != "*"],
            "The setting is made for resources of this account that are not known beforehand, in "
            "every region it is asked for.",
        )
