"""EBS encryption by default, as an account setting that CloudFormation has no type for."""

from __future__ import annotations

from typing import Any

service = "ec2"
actions = ("ec2:EnableEbsEncryptionByDefault", "ec2:GetEbsEncryptionByDefault")


def read(client: Any) -> bool:
    """Is every new volume of the client's region encrypted?"""
    return client.get_ebs_encryption_by_default()["EbsEncryptionByDefault"] is True


def apply(client: Any) -> None:
    """Encrypt every new volume of the client's region. Volumes that exist stay as they are."""
    client.enable_ebs_encryption_by_default()
