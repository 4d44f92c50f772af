"""Ties what is deployed to the controls that it makes true."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from cdk_soc2.control import Control

TAG = "soc2:controls"


def claim(construct: Construct, *controls: Control) -> None:
    """Mark every resource under *construct* with the keys of *controls*; call it when all are there.

    By the tag ``soc2:controls``, the keys set apart by spaces; a resource that CloudFormation cannot
    tag carries them in its metadata under the same name. The innermost claim holds.
    """
    keys = " ".join(control.key for control in controls)
    cdk.Tags.of(construct).add(TAG, keys)
    for node in construct.node.find_all():
        if not isinstance(node, cdk.CfnResource) or cdk.TagManager.is_taggable(node):
            continue
        if node.get_metadata(TAG) is None:
            node.add_metadata(TAG, keys)
