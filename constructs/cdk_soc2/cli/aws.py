"""The AWS settings that every command takes in the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cdk_soc2.cli.errors import CouldNot

if TYPE_CHECKING:
    import boto3


def open_session(profile: str | None, region: str | None) -> boto3.Session:
    """The session for ``--profile`` and ``--region``, else for what the environment says.

    Raises `CouldNot` for settings that lead nowhere.
    """
    import boto3  # here: an auditor with a folder needs no AWS and should not wait for it
    from botocore.exceptions import BotoCoreError

    try:
        return boto3.Session(profile_name=profile, region_name=region)
    except BotoCoreError as error:
        raise CouldNot(f"{error}; check --profile and the AWS configuration files") from error
