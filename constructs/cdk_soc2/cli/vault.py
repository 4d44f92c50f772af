"""A vault by its address, as every command takes it."""

from __future__ import annotations

from typing import Any

from cdk_soc2.cli.aws import open_session
from cdk_soc2.cli.errors import CouldNot
from cdk_soc2.evidence.folder import FolderStore
from cdk_soc2.evidence.store import Store

READERS = 32
"""How many objects are read from a bucket at once."""


def open_store(vault: str, profile: str | None = None, region: str | None = None) -> Store:
    """Return the store at *vault*: `s3://bucket`, or a folder, which need not exist yet.

    Raises `CouldNot` for an address or AWS settings that lead nowhere.
    """
    scheme, found, rest = vault.partition("://")
    if not found:
        return FolderStore(vault)
    bucket, _, prefix = rest.partition("/")
    if scheme != "s3" or not bucket or prefix:
        raise CouldNot(f"vault {vault!r} is neither s3://BUCKET, without a prefix, nor a folder")
    from botocore.config import Config  # here: an auditor with a folder should not wait for it
    from botocore.exceptions import BotoCoreError

    from cdk_soc2.evidence.s3 import S3Store

    try:
        session: Any = open_session(profile, region)
        config = Config(max_pool_connections=READERS, retries={"mode": "standard"})
        return S3Store(bucket, session.client("s3", config=config))
    except (BotoCoreError, ValueError) as error:
        raise CouldNot(f"vault {vault}: {error}; check --profile and --region") from error
