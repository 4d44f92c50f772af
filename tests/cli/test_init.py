"""``soc2 init`` in somebody's repository: it places, it says, it overwrites nothing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
import yaml
from cdk_nag import AwsSolutionsChecks

from cdk_soc2 import __version__
from cdk_soc2.boundary import load
from tests.deploy.synth import OUR_FLAGS, Template, app

SOC2 = Path(sys.executable).with_name("soc2")
BASE = {"boundary.yaml", "soc2_stack.py", "docs/incident-response.md", "docs/tabletop.md"}
WORKFLOWS = {
    ".github/dependabot.yml",
    ".github/rulesets/default-branch.json",
    ".github/workflows/soc2-daily-evidence-github.yml",
    ".github/workflows/soc2-deploy.yml",
    ".github/workflows/soc2-security-scan.yml",
}
ARGOCD = {".github/workflows/soc2-daily-evidence-argocd.yml"}


def init(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SOC2, "init", *arguments], capture_output=True, text=True)


def placed(root: Path) -> set[str]:
    return {
        p.relative_to(root).as_posix()
        for p in root.rglob("*")
        if p.is_file() and ".git" not in p.relative_to(root).parts
    }


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git = tmp_path / ".git"
    git.mkdir()
    (git / "config").write_text(
        '[core]\n\tbare = false\n[remote "up"]\n\turl = git@github.com:other/one.git\n'
        '[remote "origin"]\n\turl = git@github.com:acme/shop.git\n\tfetch = +refs/heads/*\n'
    )
    return tmp_path


@pytest.mark.parametrize(
    ("options", "files"),
    [
        ([], BASE | WORKFLOWS),
        (["--no-github"], BASE),
        (["--argocd"], BASE | WORKFLOWS | ARGOCD),
        (["--github", "--argocd"], BASE | WORKFLOWS | ARGOCD),
        (["--dry-run"], set[str]()),
    ],
)
def test_what_is_placed(repository: Path, options: list[str], files: set[str]) -> None:
    done = init(repository, *options)
    assert (done.returncode, placed(repository)) == (0, files), done.stderr
    assert all(f in done.stdout for f in files)


def test_a_second_call_finds_everything_there(repository: Path) -> None:
    init(repository)
    done = init(repository)
    assert done.returncode == 0
    assert {line.rpartition("  ")[0].strip() for line in done.stdout.splitlines()} == {"is there"}


def test_what_differs_is_told_and_left_alone_until_forced(repository: Path) -> None:
    (repository / "boundary.yaml").write_text("name: theirs\n")
    told = json.loads(init(repository, "--json").stdout)
    states = {f["path"]: f["state"] for f in told["files"]}
    assert states.pop("boundary.yaml") == "differs" and set(states.values()) == {"new"}
    assert (repository / "boundary.yaml").read_text() == "name: theirs\n"

    shown = init(repository, "--dry-run")
    assert shown.returncode == 1 and "-name: theirs" in shown.stderr
    forced = init(repository, "--force")
    assert forced.returncode == 0 and "replaced      boundary.yaml" in forced.stdout
    assert "name: production" in (repository / "boundary.yaml").read_text()


def test_line_ends_of_another_system_are_no_difference(repository: Path) -> None:
    init(repository)
    there = repository / "docs/tabletop.md"
    there.write_bytes(there.read_bytes().replace(b"\n", b"\r\n"))
    assert init(repository).returncode == 0


def test_nothing_is_written_through_links(repository: Path, tmp_path_factory: Any) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (repository / "docs").symlink_to(elsewhere)
    done = init(repository, "--force")
    assert done.returncode == 2 and "is a link" in done.stderr
    assert not list(elsewhere.iterdir()) and not placed(repository)


@pytest.mark.parametrize("name", ["nowhere", "a file"])
def test_only_into_a_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "a file").touch()
    done = init(tmp_path / name)
    assert done.returncode == 2 and "give the root of a repository" in done.stderr


def test_a_folder_in_a_files_place_is_told(repository: Path) -> None:
    (repository / "boundary.yaml").mkdir()
    done = init(repository)
    assert done.returncode == 2 and "is a folder, where a file belongs" in done.stderr


def uncommented(text: str) -> str:
    """The samples are commented out without a blank; what is said has one."""
    return re.sub(r"^#(?! )", "", re.sub(r"^#  (?=[- ] ?)", "  ", text, flags=re.M), flags=re.M)


def test_the_boundary_is_valid_as_it_is_and_with_all_samples(repository: Path) -> None:
    init(repository)
    path = repository / "boundary.yaml"
    assert load(path).name == "production"
    path.write_text(uncommented(path.read_text()))
    whole = load(path)
    assert whole.period and whole.systems and whole.accepted_exceptions and whole.vpcs
    assert set(yaml.safe_load(path.read_text())) == set(whole.__dataclass_fields__)


def stack(repository: Path) -> dict[str, Any]:
    path = repository / "soc2_stack.py"
    names: dict[str, Any] = {"__file__": str(path), "__name__": "soc2_stack"}
    exec(compile(path.read_text(), path, "exec"), names)
    return names


@pytest.mark.parametrize(
    ("options", "sources"),
    [([], {"github-acme"}), (["--argocd"], {"github-acme", "argocd-production"})],
)
def test_the_stack_synthesizes_guarded_and_clean(
    repository: Path, options: list[str], sources: set[str]
) -> None:
    init(repository, *options)
    it = app(OUR_FLAGS)
    stack(repository)["Soc2Stack"](it, "Soc2")
    cdk.Validations.of(it).add_plugins(AwsSolutionsChecks(it))
    template = Template(json.loads(Path(it.synth().stacks[0].template_full_path).read_text()))
    written = set(re.findall(r"ledger/((?:github|argocd)-\w+)/", json.dumps(template.resources)))
    assert written == sources
    trusted = re.findall(r"repo:acme/shop:environment:([\w-]+)", json.dumps(template.raw))
    assert {f"evidence-{s.partition('-')[0]}" for s in sources} == set(trusted)


def test_without_a_remote_the_repository_is_asked_for(tmp_path: Path) -> None:
    init(tmp_path)
    with pytest.raises(ValueError, match="name the one that runs the workflow"):
        stack(tmp_path)["Soc2Stack"](app(OUR_FLAGS), "Soc2")


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/acme/shop",
        "https://github.com/acme/shop.git",
        "ssh://git@github.com/acme/shop.git",
        "git@github.com:acme/shop.git",
    ],
)
def test_addresses_of_the_remote(tmp_path: Path, url: str) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/config").write_text(f'[remote "origin"]\n\turl = {url}\n')
    init(tmp_path)
    assert 'REPOSITORY = "acme/shop"' in (tmp_path / "soc2_stack.py").read_text()


def test_no_mark_is_left(repository: Path) -> None:
    init(repository, "--argocd")
    for name in placed(repository):
        assert not re.search(r"@[A-Z]{4,}@|# @\w+", (repository / name).read_text()), name
    evidence = (repository / ".github/workflows/soc2-daily-evidence-github.yml").read_text()
    assert f"cdk-soc2=={__version__}" in evidence


RUNBOOK = (
    "## How bad",
    "## Who is told",
    "## The first 15",
    "## Messages",
    "## Clocks",
    "## After",
)


def test_the_runbook_has_what_an_auditor_asks_for(repository: Path) -> None:
    init(repository)
    runbook = (repository / "docs/incident-response.md").read_text()
    at = [runbook.index(heading) for heading in RUNBOOK]
    assert at == sorted(at) and "72 hours" in runbook and "soc2 attach runbook" in runbook
    record = (repository / "docs/tabletop.md").read_text()
    for part in (
        "Held on",
        "Who was there",
        "Scenario",
        "What was missing",
        "soc2 attach tabletop",
    ):
        assert part in record
