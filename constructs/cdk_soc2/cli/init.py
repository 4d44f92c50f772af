"""``soc2 init``: workflows, runbook, boundary file and stack into a repository that is there already."""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import click

from cdk_soc2 import __version__
from cdk_soc2.cli.errors import CouldNot
from cdk_soc2.cli.output import words

TEMPLATES = Path(__file__).parents[1] / "templates"

ALWAYS = {
    "boundary.yaml": "boundary.yaml",
    "soc2_stack.py": "soc2_stack.py.txt",
    "docs/incident-response.md": "incident-response.md",
    "docs/tabletop.md": "tabletop.md",
}
GITHUB = {
    ".github/workflows/soc2-deploy.yml": "workflows/deploy.yml",
    ".github/workflows/soc2-security-scan.yml": "workflows/security-scan.yml",
    ".github/workflows/soc2-daily-evidence-github.yml": "workflows/daily-evidence-github.yml",
    ".github/rulesets/default-branch.json": "ruleset.json",
    ".github/dependabot.yml": "dependabot.yml",
}
ARGOCD = {".github/workflows/soc2-daily-evidence-argocd.yml": "workflows/daily-evidence-argocd.yml"}

UNNAMED = "<OWNER>/<REPOSITORY>"  # EvidenceWriter refuses it, and says what to write
ORIGIN = re.compile(r'\[remote "origin"\][^[]*?\burl\s*=\s*\S*github\.com[:/]([^/\s]+/[^/\s]+)')

NEXT = """
Next:
  1. boundary.yaml: what is in scope. soc2_stack.py: who is told; add the stack to your app.
  2. Have aws-cdk in package.json, pinned: npm install --save-dev --save-exact aws-cdk@2.1148.1
  3. Environments in GitHub, as the head of each workflow says; `production` with required reviewers.
  4. Branch rules: gh api repos/OWNER/REPOSITORY/rulesets --input .github/rulesets/default-branch.json
     Add your own tests to its required checks first.
  5. docs/incident-response.md: fill it in, have it reviewed, attach it."""

State = Literal["new", "same", "differs", "replaced"]


@dataclass(frozen=True)
class File:
    """One file of ours in somebody's repository. ``differs``: it is there, and was left alone."""

    path: str
    state: State


@click.command()
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option(
    "--github/--no-github", default=True, show_default=True, help="Workflows and branch rules."
)
@click.option("--argocd", is_flag=True, help="Daily evidence from Argo CD, too.")
@click.option("--force", is_flag=True, help="Replace files that differ.")
@click.option("--dry-run", is_flag=True, help="Only say what would be written; show differences.")
@click.option("--json", "as_json", is_flag=True, help="Print the list of files as JSON.")
def init(path: Path, github: bool, argocd: bool, force: bool, dry_run: bool, as_json: bool) -> int:
    """Place workflows, runbook, boundary file and stack into the repository at PATH.

    Nothing that is there is overwritten, unless with --force.

    Exit status: 0 everything is as placed, 1 a file differs and was left alone, 2 could not do it.
    """
    if not path.is_dir():
        raise CouldNot(f"{path} is not a folder; give the root of a repository")
    contents = dict(_contents(path, github=github, argocd=argocd))
    try:
        states: dict[str, State] = {
            name: _state(path, name, body, force) for name, body in contents.items()
        }
        for name, body in contents.items():
            if not dry_run and states[name] in ("new", "replaced"):
                _write(path / name, body)
            elif dry_run and states[name] in ("differs", "replaced") and not as_json:
                click.echo(_difference(path, name, body), err=True)
    except OSError as error:
        raise CouldNot(f"{error.filename}: {error.strerror}; nothing further was written") from None
    files = [File(name, state) for name, state in states.items()]
    _show(files, dry_run, as_json)
    return 1 if any(f.state == "differs" for f in files) else 0


def _contents(root: Path, *, github: bool, argocd: bool) -> Iterator[tuple[str, bytes]]:
    """Every file to place: its path and its bytes, with what only this repository knows filled in."""
    chosen: Mapping[str, str] = ALWAYS | (GITHUB if github else {}) | (ARGOCD if argocd else {})
    for name, template in chosen.items():
        text = (TEMPLATES / template).read_text(encoding="utf-8")
        text = re.sub(r" *# @argocd\n(.*?) *# @end\n", r"\1" if argocd else "", text, flags=re.S)
        text = text.replace("@VERSION@", __version__).replace("@REPOSITORY@", _repository(root))
        yield name, text.encode()


def _repository(root: Path) -> str:
    """``owner/name`` on GitHub, as the clone's own settings say."""
    config = root / ".git" / "config"
    found = (
        ORIGIN.search(config.read_text(encoding="utf-8", errors="replace"))
        if config.is_file()
        else None
    )
    return found[1].removesuffix(".git") if found else UNNAMED


def _state(root: Path, name: str, body: bytes, force: bool) -> State:
    """What is there now. Raises `CouldNot` where a link would lead the writing elsewhere."""
    target = root / name
    if target.is_symlink() or not target.resolve().is_relative_to(root.resolve()):
        raise CouldNot(f"{target} is a link, or lies behind one; put a file or folder in its place")
    if target.is_dir():
        raise CouldNot(f"{target} is a folder, where a file belongs; move it away")
    if not target.exists():
        return "new"
    if target.read_bytes().replace(b"\r\n", b"\n") == body:
        return "same"
    return "replaced" if force else "differs"


def _write(target: Path, body: bytes) -> None:
    """Whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        beside.write_bytes(body)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def _difference(root: Path, name: str, body: bytes) -> str:
    there = (root / name).read_text(encoding="utf-8", errors="replace").splitlines()
    ours = body.decode().splitlines()
    return "\n".join(difflib.unified_diff(there, ours, name, f"{name} (soc2 init)", lineterm=""))


def _show(files: list[File], dry_run: bool, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"dry_run": dry_run, "files": [asdict(f) for f in files]}, indent=2))
        return
    told: Mapping[State, str] = {
        "new": "would write" if dry_run else "wrote",
        "replaced": "would replace" if dry_run else "replaced",
        "same": "is there",
        "differs": "differs",
    }
    for f in files:
        click.echo(f"{told[f.state]:<14}{f.path}")
    if any(f.state == "differs" for f in files):
        words().print("What differs was left alone. --dry-run shows how; --force replaces it.")
    if any(f.state == "new" for f in files) and not dry_run:
        words().print(NEXT, markup=False, soft_wrap=True)
