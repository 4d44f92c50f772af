"""EBS encryption by default, as an account setting that CloudFormation has no type for."""

from __future__ import annotations

from typing import Any

from cdk_soc2.settings import State, Wanted

service = "ec2"
regional = True
actions = ("ec2:EnableEbsEncryptionByDefault", "ec2:GetEbsEncryptionByDefault")


def read(client: Any, wanted: Wanted) -> State:
    """Is every new volume of the client's region encrypted?"""
    on = client.get_ebs_encryption_by_default()["EbsEncryptionByDefault"] is True
    return State(on, "on" if on else "off")


def apply(client: Any, wanted: Wanted) -> None:
    """Encrypt every new volume of the client's region. Volumes that exist stay as they are."""
    client.enable_ebs_encryption_by_default()
