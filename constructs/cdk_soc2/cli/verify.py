"""``soc2 verify``: what an auditor runs on evidence, with nothing deployed and no trust in us."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from cdk_soc2.cli.errors import CouldNot
from cdk_soc2.cli.output import data, words
from cdk_soc2.cli.vault import READERS, open_store
from cdk_soc2.evidence.layout import DIGEST
from cdk_soc2.evidence.store import Locked, Store, StoreRefused
from cdk_soc2.evidence.verify import SourceSummary, Verification
from cdk_soc2.evidence.verify import verify as recompute

DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.argument("vault")
@click.option("--from", "first", type=DAY, help="First UTC day whose files are recomputed.")
@click.option("--to", "last", type=DAY, help="Last UTC day whose files are recomputed.")
@click.option("--source", "sources", multiple=True, help="Only this source; may be repeated.")
@click.option(
    "--head", "heads", multiple=True, help="Known digest: SOURCE=DIGEST, or with --source."
)
@click.option(
    "--key", "keys", multiple=True, help="Trusted fingerprint: SOURCE=HEX, or with --source."
)
@click.option("--period-end", type=DAY, help="Day that the locks in a bucket must outlast.")
@click.option("--profile", help="AWS profile.")
@click.option("--region", help="The bucket's region.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def verify(
    vault: str,
    first: datetime | None,
    last: datetime | None,
    sources: Sequence[str],
    heads: Sequence[str],
    keys: Sequence[str],
    period_end: datetime | None,
    profile: str | None,
    region: str | None,
    as_json: bool,
) -> int:
    """Recompute every digest, signature and chain in VAULT (s3://BUCKET or a folder).

    Exit status: 0 everything holds, 1 a finding, 2 could not verify.
    """
    if first and last and first > last:
        raise click.UsageError(f"--from {first:%Y-%m-%d} is after --to {last:%Y-%m-%d}")
    store = open_store(vault, profile, region)
    try:
        held = _held(store) if any("=" not in v for v in (*heads, *keys)) and not sources else []
        known_heads = _by_source("--head", heads, sources, held)
        known_keys = _by_source("--key", keys, sources, held)
        with _progress() as bar:
            task = bar.add_task("recomputing runs", total=None)
            result = recompute(
                store,
                now=datetime.now(UTC),
                sources=[*sources] or None,
                heads=known_heads,
                keys=known_keys,
                window=(_day(first), _day(last)),
                period_end=_day(period_end),
                progress=lambda done, total: bar.update(task, completed=done, total=total),
                workers=READERS if isinstance(store, Locked) else 1,
            )
    except StoreRefused as error:
        raise CouldNot(str(error)) from error
    _expect(store, result, sources, known_heads)
    if as_json:
        click.echo(json.dumps(result.to_json(), indent=2))
    else:
        _print(result, first, last)
    return 0 if result.ok else 1


def _held(store: Store) -> list[str]:
    """The sources in the vault, asked for when a value does not say which it is for."""
    parts = (v.key.split("/") for v in store.versions("ledger/"))
    return sorted({p[1] for p in parts if len(p) == 3 and not p[1].startswith(".")})


def _by_source(
    option: str, values: Sequence[str], sources: Sequence[str], held: Sequence[str]
) -> dict[str, str]:
    found: dict[str, str] = {}
    for value in values:
        source, given, digest = value.rpartition("=")
        if not given:
            candidates = sources or held
            if len(candidates) != 1:
                several = ", ".join(candidates) or "none"
                raise click.UsageError(
                    f"{option} {value}: which source? Write SOURCE={value} or add --source "
                    f"(sources: {several})"
                )
            source = candidates[0]
        plain = digest.lower().removeprefix("sha256:").replace(":", "")
        if not DIGEST.fullmatch(plain):
            raise click.UsageError(f"{option} {value}: {digest!r} is no SHA-256 of 64 hex digits")
        if found.setdefault(source, plain) != plain:
            raise click.UsageError(f"{option}: two values for source {source}; give one")
    return found


def _expect(
    store: Store, result: Verification, sources: Sequence[str], heads: Mapping[str, str]
) -> None:
    """A mistyped address or source is no finding; one whose head is known, and which is gone, is."""
    present = [s.source for s in result.sources if s.statements or s.source in heads]
    unfinished = {f.source for f in result.findings if f.kind == "unfinished"}
    deleted = {f.source for f in result.findings if f.kind in ("deleted", "hole")}
    for source in sources:
        if source not in {*present, *unfinished, *deleted}:
            raise CouldNot(f"{store.address} has no source {source!r}")
    if not result.sources and not result.findings:
        raise CouldNot(
            f"{store.address} holds no evidence: a vault has folders daily/, ledger/ and keys/"
        )


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _progress() -> Progress:
    console = words()
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _print(result: Verification, first: datetime | None, last: datetime | None) -> None:
    table = Table("source", "statements", "first", "last", "from", "to", "trust")
    for s in result.sources:
        cells = (s.source, s.statements, s.first, s.last, s.began, s.ended, s.trust)
        table.add_row(*(Text("-" if c is None else _clean(str(c))) for c in cells))
    data().print(table)
    for s in result.sources:  # one a line and whole, to be copied as they are
        for option, value in (("--head", s.head), ("--key", s.key)):
            if value is not None:
                click.echo(_clean(f"{option} {s.source}={value}"))
    for f in result.findings:
        click.echo(_clean(f"{f.kind}: {f.path}: {f.detail}"))
    for warning in result.warnings:
        click.echo(_clean(f"warning: {warning}"), err=True)
    for sentence in _closing(result, first, last):
        click.echo(_clean(sentence), err=True)


def _closing(result: Verification, first: datetime | None, last: datetime | None) -> list[str]:
    count = len(result.findings)
    statements = sum(s.statements for s in result.sources)
    span = f" from {first:%Y-%m-%d}" if first else ""
    span += f" to {last:%Y-%m-%d}" if last else ""
    sentences = [
        f"Recomputed {result.files} files of {result.runs} runs{span}, and all {statements} "
        f"statements of {len(result.sources)} sources: "
        + ("everything holds." if result.ok else f"{count} finding(s), listed above.")
    ]
    sentences += [_vouched(s) for s in result.sources if s.vouched is not None]
    if result.trust == "unsigned":
        sentences.append(
            "Nothing is signed: this shows that the evidence is complete in itself, and not who "
            "made it, nor that it was not made anew."
        )
    elif result.trust == "self-asserted":
        sentences.append(
            "Self-asserted: the keys come with the evidence. Ask the account's owner for each "
            "source's fingerprint by another channel (in AWS: kms get-public-key) and pass it "
            "as --key."
        )
    if any(s.vouched is None and s.statements for s in result.sources):
        sentences.append(
            "Not verified: that no newer statement was removed from a ledger's end. Write down the "
            "heads above, and pass them next time as --head."
        )
    return sentences


def _vouched(source: SourceSummary) -> str:
    rest = "" if source.vouched == source.last else f", not for those up to {source.last}"
    return f"The known head of {source.source} vouches for statements 1 to {source.vouched}{rest}."


def _clean(text: str) -> str:
    """Names in a vault are strangers' words: nothing in them may steer the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
