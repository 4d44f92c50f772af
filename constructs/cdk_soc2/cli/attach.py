"""``soc2 attach``: a document that people made, into the vault."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from datetime import UTC, date, datetime
from importlib.resources import files as resources
from pathlib import Path

import click

from cdk_soc2.audit.calendar import DUTIES
from cdk_soc2.audit.rows import HANDBOOK
from cdk_soc2.cli.errors import CouldNot
from cdk_soc2.cli.signing import open_signer
from cdk_soc2.cli.vault import open_store
from cdk_soc2.controls import CONTROLS
from cdk_soc2.evidence.attach import Attachment, NotAttached
from cdk_soc2.evidence.attach import attach as write
from cdk_soc2.evidence.signer import Signer, SigningUnavailable
from cdk_soc2.evidence.store import Store, StoreRefused
from cdk_soc2.evidence.tail import LedgerRefused

DAY = click.DateTime(["%Y-%m-%d"])
LARGEST = 256 * 1024 * 1024  # bytes of one document; a film of a meeting is no document
SUPPORT = "supporting"  # a document that belongs to a control, and which nothing waits for
KNOWN = dict.fromkeys([*(c.key for c in CONTROLS), *(c for q in HANDBOOK for c, _ in q.checks)])


def _print_template(context: click.Context, parameter: click.Parameter, name: str | None) -> None:
    if name is not None:
        click.echo(_templates()[name].read_text(encoding="utf-8"), nl=False)
        context.exit()


def _templates() -> dict[str, Path]:
    folder = Path(str(resources("cdk_soc2"))) / "templates"
    return {path.stem: path for path in sorted(folder.glob("*.md"))}


@click.command()
@click.argument("control")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--effective", type=DAY, required=True, help="The day it takes effect, or took place."
)
@click.option("--until", type=DAY, help="Last day on which it is current, if sooner than usual.")
@click.option("--by", "prepared_by", required=True, help="Who prepared it.")
@click.option("--reviewed-by", required=True, help="Who reviewed it: another person.")
@click.option("--document", help=f"Which document it is: {', '.join(DUTIES)}, or any other.")
@click.option("--note", default="", help="Whatever the reader should know.")
@click.option("--vault", default="./evidence", show_default=True, help="s3://BUCKET or a folder.")
@click.option("--key", help="Sign with this KMS key (id, ARN, alias) or PEM file.")
@click.option("--unsigned", is_flag=True, help="Do not sign: nobody vouches for it.")
@click.option("--profile", help="AWS profile.")
@click.option("--region", help="Region of the bucket and of the key.")
@click.option(
    "--template",
    type=click.Choice([*_templates()]),
    callback=_print_template,
    is_eager=True,
    expose_value=False,
    help="Print an empty document to fill in, and do nothing else.",
)
def attach(
    control: str,
    files: Sequence[Path],
    effective: datetime,
    until: datetime | None,
    prepared_by: str,
    reviewed_by: str,
    document: str | None,
    note: str,
    vault: str,
    key: str | None,
    unsigned: bool,
    profile: str | None,
    region: str | None,
) -> int:
    """Attach FILES to CONTROL: hashed, signed with the documents' own key, chained.

    Exit status: 0 recorded, 2 not.
    """
    control, document = _which(control, document, files)
    what = Attachment(
        control,
        document,
        read_files(files),
        effective.date(),
        prepared_by,
        reviewed_by,
        until.date() if until else None,
        note,
    )
    signer = open_signer(key, unsigned, profile, region)
    record(open_store(vault, profile, region), signer, what, datetime.now(UTC))
    if document in DUTIES:
        click.echo(_valid(document, what.effective, what.until), err=True)
    return 0


def read_files(paths: Sequence[Path]) -> dict[str, bytes]:
    """The content of *paths* by name. Raises `CouldNot`."""
    found: dict[str, bytes] = {}
    for path in paths:
        if path.name in found:
            raise CouldNot(f"two files are named {path.name!r}: rename one")
        try:
            if path.stat().st_size > LARGEST:
                raise CouldNot(
                    f"{path}: more than {LARGEST >> 20} MB; attach a document, not a store"
                )
            found[path.name] = path.read_bytes()
        except OSError as error:
            raise CouldNot(f"{path}: {error.strerror}; give a file that can be read") from error
    return found


def record(store: Store, signer: Signer | None, what: Attachment, now: datetime) -> None:
    """Write *what* into *store* and say where it lies. Raises `CouldNot`."""
    try:
        done = write(store, signer, what, now)
    except (NotAttached, LedgerRefused, SigningUnavailable, StoreRefused) as error:
        raise CouldNot(f"not attached: {error}") from error
    click.echo(done.path)
    statement = done.statement
    click.echo(f"Statement: {statement.name}, SHA-256 {statement.digest}", err=True)


def _which(control: str, document: str | None, files: Sequence[Path]) -> tuple[str, str]:
    """The control's key and the document, of which the control may be named in place."""
    if control in DUTIES:
        control, document = DUTIES[control].control, document or control
    if control not in KNOWN:
        near = difflib.get_close_matches(control, [*KNOWN, *DUTIES], n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(KNOWN)}"
        raise CouldNot(f"no control {control!r}; {hint}")
    owed = [check for check, duty in DUTIES.items() if duty.control == control]
    if document is None:
        named = [c for c in owed if any(_says(path, c) for path in files)]
        candidates = named or owed
        if len(candidates) > 1:
            raise CouldNot(f"{control} has several documents: say --document {' or '.join(owed)}")
        document = candidates[0] if candidates else SUPPORT
    elif document in DUTIES and document not in owed:
        raise CouldNot(f"{document} is a document of {DUTIES[document].control}, not of {control}")
    return control, document


def _says(path: Path, document: str) -> bool:
    return document.replace("_", "") in path.stem.casefold().replace("_", "").replace("-", "")


def _valid(document: str, effective: date, until: date | None) -> str:
    last = date.fromordinal(effective.toordinal() + DUTIES[document].days)
    return f"{document} is current to {min(last, until) if until else last}."
