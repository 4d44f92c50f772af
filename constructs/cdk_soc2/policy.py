"""The least IAM policy that collecting needs, derived from what the controls read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cdk_soc2.control import Control
from cdk_soc2.controls.evidence.control import ON_THE_VAULT


def account_actions(controls: Iterable[Control]) -> list[str]:
    """What the checks read of the account, sorted. None of these can be bound to a resource:
    they list, or they tell of the account itself."""
    return sorted({a for c in controls for a in c.reads} - set(ON_THE_VAULT))


def vault_actions(controls: Iterable[Control]) -> list[str]:
    """What the checks read of the evidence bucket's settings, sorted."""
    return sorted({a for c in controls for a in c.reads} & set(ON_THE_VAULT))


def writer_statements(bucket_arn: str, source: str) -> list[dict[str, Any]]:
    """What a writer of *source* may do in the vault: add under its own prefixes, list there, and read
    its own ledger, verdicts and public keys. It can neither overwrite nor delete nor lock, nor see
    another source's evidence.

    Versions are listed, because the ledger's tail may hide behind a delete marker.
    """
    day = "daily/????-??-??"  # not *, which would also match a longer path of another source
    return [
        {
            "Sid": "AddEvidence",
            "Effect": "Allow",
            "Action": ["s3:PutObject"],
            "Resource": [
                f"{bucket_arn}/{day}/{source}/*",
                f"{bucket_arn}/ledger/{source}/*",
                f"{bucket_arn}/keys/*",
            ],
        },
        {
            "Sid": "ReadOwnLedgerAndVerdicts",
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:GetObjectVersion"],
            "Resource": [
                f"{bucket_arn}/{day}/{source}/*/control-status.json",
                f"{bucket_arn}/ledger/{source}/*",
                f"{bucket_arn}/keys/*",
            ],
        },
        {
            "Sid": "ListOwnLedgerAndRuns",
            "Effect": "Allow",
            "Action": ["s3:ListBucketVersions"],
            "Resource": [bucket_arn],
            "Condition": {"StringLike": {"s3:prefix": [f"{day}/{source}/*", f"ledger/{source}/*"]}},
        },
    ]


def collect_policy(
    controls: Iterable[Control], *, bucket: str | None = None, source: str | None = None
) -> dict[str, Any]:
    """The policy document for ``soc2 collect``; with *bucket* and *source*, also to write there."""
    controls = list(controls)
    statements: list[dict[str, Any]] = [
        {
            "Sid": "ReadTheAccount",
            "Effect": "Allow",
            "Action": account_actions(controls),
            "Resource": ["*"],
        }
    ]
    if bucket is not None and source is not None:
        arn = f"arn:aws:s3:::{bucket}"
        statements.append(
            {
                "Sid": "ReadTheVaultsSettings",
                "Effect": "Allow",
                "Action": vault_actions(controls),
                "Resource": [arn],
            }
        )
        statements += writer_statements(arn, source)
    return {"Version": "2012-10-17", "Statement": statements}
