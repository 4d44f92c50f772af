"""The walls of the house: who may import what, and what every control must have."""

import ast
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from cdk_soc2.boundary import Boundary
from cdk_soc2.control import Control
from cdk_soc2.controls import CONTROLS
from cdk_soc2.controls.later import NOT_COLLECTED_YET
from cdk_soc2.criteria import CRITERIA
from cdk_soc2.deploy.bundle import collector_zip
from cdk_soc2.sources.github.controls import GITHUB_CONTROLS

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "constructs" / "cdk_soc2"
CDK = {"aws_cdk", "constructs", "cdk_nag", "jsii"}
OUTSIDE = {"boto3", "botocore", "urllib", "http", "socket", "subprocess", "os", "requests", "click"}
PURE = ["control.py", "assess.py", "boundary.py", "context.py", "criteria.py", "policy.py"]
PURE_EVIDENCE = ["statement.py", "ledger.py", "verify.py", "layout.py", "store.py", "record.py"]


def imported(path: Path) -> Iterator[str]:
    """The top-level name of everything that a module imports, at any depth of the code."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def modules() -> list[Path]:
    return [*PACKAGE.rglob("*.py"), *(ROOT / "stacks").rglob("*.py"), ROOT / "app.py"]


def test_constructs_is_a_source_root_not_a_package() -> None:
    """An __init__.py there would hide the library `constructs`, and `python app.py` would break."""
    assert not (ROOT / "constructs" / "__init__.py").exists()


def test_the_cdk_is_imported_only_where_things_are_deployed() -> None:
    def may(path: Path) -> bool:
        return (
            path.name in ("construct.py", "constructs.py", "app.py")
            or path.is_relative_to(PACKAGE / "deploy")
            or path.is_relative_to(ROOT / "stacks")
        )

    assert [p for p in modules() if CDK & set(imported(p)) and not may(p)] == []


def pure() -> list[Path]:
    return [
        *(PACKAGE / name for name in PURE),
        *(PACKAGE / "evidence" / name for name in PURE_EVIDENCE),
        *PACKAGE.glob("controls/*/control.py"),
        *PACKAGE.glob("controls/*/rules.py"),
        *PACKAGE.glob("network/*.py"),
        *PACKAGE.glob("audit/*.py"),
    ]


@pytest.mark.parametrize("path", pure(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_the_pure_rooms_do_no_input_or_output(path: Path) -> None:
    assert OUTSIDE & set(imported(path)) == set()
    calls = [n.func for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
    assert not [f for f in calls if isinstance(f, ast.Name) and f.id in ("open", "print", "input")]
    clocks = {"now", "utcnow", "today"}
    assert not [f for f in calls if isinstance(f, ast.Attribute) and f.attr in clocks]


def test_the_collectors_zip_starts_with_nothing_beside_it(tmp_path: Path) -> None:
    """Beside it on Lambda there are the standard library and boto3; here even boto3 is a stand-in
    path: the one of this environment, without everything else that is installed."""
    zipfile.ZipFile(BytesIO(collector_zip(Boundary()))).extractall(tmp_path)
    packages = tmp_path / "beside"
    packages.mkdir()
    site = Path(pytest.__file__).parents[1]
    for name in ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six.py"):
        (packages / name).symlink_to(site / name)
    names = [
        ".".join(p.relative_to(tmp_path).with_suffix("").parts).removesuffix(".__init__")
        for p in sorted(tmp_path.rglob("*.py"))
        if not p.is_relative_to(packages)
    ]
    code = "import importlib, sys\n" + "\n".join(f"importlib.import_module({n!r})" for n in names)
    done = subprocess.run(
        [
            sys.executable,
            "-S",
            "-E",
            "-c",
            f"import sys; sys.path.insert(0, {str(packages)!r})\n{code}",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "handler" in names and "cdk_soc2.daily" in names


def test_the_command_and_the_library_do_not_load_the_cdk() -> None:
    code = (
        "import sys, cdk_soc2, cdk_soc2.cli, cdk_soc2.daily, cdk_soc2.cli.collect, "
        "cdk_soc2.cli.verify, cdk_soc2.cli.policy, cdk_soc2.cli.controls\n"
        f"print(sorted({CDK!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


FOLDERS = sorted(p.parent.name for p in (PACKAGE / "controls").glob("*/control.py"))


def test_every_folder_is_in_the_table_of_contents() -> None:
    listed = {c.key for c in (*CONTROLS, *NOT_COLLECTED_YET, *GITHUB_CONTROLS)}
    assert sorted(listed) == FOLDERS
    numbers = [c.number for c in CONTROLS]
    assert numbers == sorted(set(numbers))
    ids = [check for c in CONTROLS for check in c.checks]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("control", CONTROLS, ids=lambda c: c.key)
def test_a_control_is_complete(control: Control) -> None:
    assert control.claim.endswith(".") and control.name
    assert control.criteria and set(control.criteria) <= set(CRITERIA)
    assert control.checks
    assert all(":" in action and "*" not in action for action in control.reads)
    assert list(control.reads) == sorted(set(control.reads), key=control.reads.index)
    assert (ROOT / "tests" / "controls" / f"test_{control.key}.py").exists()
    assert f"## {control.number}. {control.name}" in (ROOT / "docs" / "controls.md").read_text()
