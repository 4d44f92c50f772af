"""``soc2 policy``: the least IAM policy that ``soc2 collect`` needs."""

from __future__ import annotations

import json

import click

from cdk_soc2.cli.errors import CouldNot
from cdk_soc2.controls import CONTROLS
from cdk_soc2.policy import collect_policy


@click.command()
@click.option("--vault", help="Also allow to write evidence to this bucket (s3://NAME).")
@click.option("--account", help="The account whose evidence is written there (12 digits).")
def policy(vault: str | None, account: str | None) -> None:
    """Print the least IAM policy that `soc2 collect` needs, derived from the controls.

    Without --vault it reads only: enough for evidence in a folder.
    """
    if vault is None:
        document = collect_policy(CONTROLS)
    else:
        if not vault.startswith("s3://"):
            raise CouldNot(f"--vault {vault!r} needs no policy; give s3://NAME, or leave it out")
        if account is None or len(account) != 12 or not account.isdigit():
            raise CouldNot(f"--account {account!r} is not an account id; give its 12 digits")
        bucket = vault.removeprefix("s3://").strip("/")
        document = collect_policy(CONTROLS, bucket=bucket, source=f"aws-{account}")
    click.echo(json.dumps(document, indent=2))
