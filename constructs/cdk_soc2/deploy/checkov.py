"""Says, in Checkov's terms, why a finding of its policies is accepted."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from constructs import IConstruct


def skip_checkov(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Accept each policy of *reasons*, such as ``CKV_AWS_18``, on *construct*'s own resource.

    In the template's metadata, so that whoever scans what is deployed reads the reason there.
    """
    resource = (
        construct if cdk.CfnResource.is_cfn_resource(construct) else construct.node.default_child
    )
    assert isinstance(resource, cdk.CfnResource)
    skipped = [{"id": id, "comment": reason} for id, reason in reasons.items()]
    resource.add_metadata("checkov", {"skip": skipped})
