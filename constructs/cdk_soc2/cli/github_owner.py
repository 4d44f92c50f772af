"""``soc2 github policy`` and ``export-rulesets``: what owners do, once or once a quarter."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import click

from cdk_soc2.cli.errors import CouldNot
from cdk_soc2.cli.github_options import API_URL, OWNER, REPOSITORIES, open_client, repositories
from cdk_soc2.cli.output import words
from cdk_soc2.control import CannotLook
from cdk_soc2.policy import writer_statements
from cdk_soc2.sources.files import RunFiles
from cdk_soc2.sources.github.export import export
from cdk_soc2.sources.github.live import Inquiry, LiveGitHub
from cdk_soc2.sources.github.reader import Reader


@click.command()
@OWNER
@click.option("--vault", required=True, help="s3://BUCKET.")
@click.option("--key", help="ARN of the KMS key that signs this source's evidence.")
def policy(owner: str, vault: str, key: str | None) -> None:
    """Print the least IAM policy of the role that `soc2 github collect` writes evidence with.

    It adds evidence of this owner and reads its ledger and verdicts, nothing else. One key a
    source: it signs with this one.
    """
    bucket = vault.removeprefix("s3://").strip("/")
    if not vault.startswith("s3://") or not bucket or "/" in bucket:
        raise CouldNot(f"--vault {vault!r} needs no policy; give s3://BUCKET, without a prefix")
    if key is not None and not key.startswith("arn:"):
        raise CouldNot(f"--key {key!r} is not an ARN; a policy needs the whole ARN of the key")
    statements = writer_statements(f"arn:aws:s3:::{bucket}", f"github-{owner}")
    if key is not None:
        sign = {"Sid": "SignEvidence", "Effect": "Allow"}
        statements.append({**sign, "Action": ["kms:GetPublicKey", "kms:Sign"], "Resource": [key]})
    click.echo(json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2))


@click.command("export-rulesets")
@OWNER
@REPOSITORIES
@API_URL
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="JSON file.")
def export_rulesets(owner: str, repos: str | None, api_url: str, output: Path) -> None:
    """As an owner, write down who may bypass the rulesets: what no read-only token sees.

    Good for 92 days, and for as long as the rulesets do not change.
    """
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="soc2-") as folder:
        inquiry = Inquiry(owner, repositories(repos, owner), now, now)
        reader = Reader(open_client(api_url, None))
        try:
            document = export(LiveGitHub(reader, inquiry, RunFiles(Path(folder)), "export"), now)
        except CannotLook as error:
            raise CouldNot(f"{error.reason}. {error.remedy}") from None
    try:
        output.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise CouldNot(f"{output}: {error.strerror}; give a file that can be written") from None
    words().print(f"{len(document['rulesets'])} rulesets in {output}", soft_wrap=True)
