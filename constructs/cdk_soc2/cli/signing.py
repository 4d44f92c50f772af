"""A signing key by its name, as every command takes it that writes evidence."""

from __future__ import annotations

from pathlib import Path

from cdk_soc2.cli.errors import CouldNot
from cdk_soc2.cli.output import words
from cdk_soc2.evidence.signer import Signer


def open_signer(
    key: str | None, unsigned: bool, profile: str | None = None, region: str | None = None
) -> Signer | None:
    """The signer of *key*: a PEM file, or a KMS key's id, ARN or alias; ``None`` for no key.

    Raises `CouldNot` when both or an unusable key are given.
    """
    if key and unsigned:
        raise CouldNot("--key and --unsigned exclude each other; give one")
    if key is None:
        if not unsigned:
            words().print("Not signed: nobody will vouch for this evidence. Sign with --key.")
        return None
    if Path(key).is_file():
        from cdk_soc2.evidence.keys import PemSigner  # here: KMS needs no cryptography

        try:
            return PemSigner(Path(key).read_bytes())
        except (OSError, ValueError) as error:
            raise CouldNot(f"--key {key}: {error}; give a P-256 private key as PEM") from error
    from botocore.exceptions import BotoCoreError

    from cdk_soc2.cli.aws import open_session
    from cdk_soc2.evidence.signer import KmsSigner

    try:
        return KmsSigner(open_session(profile, region).client("kms"), key)
    except BotoCoreError as error:
        raise CouldNot(f"--key {key}: {error}; check --profile and --region") from error
