import hashlib
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import boto3
import pytest

from cdk_soc2.boundary import Boundary, parse
from cdk_soc2.controls import CONTROLS
from cdk_soc2.deploy import bundle

BOUNDARY = parse({"name": "production", "regions": ["eu-west-1"]})
ZIPS = {"collector": lambda: bundle.collector_zip(BOUNDARY), "settings": bundle.settings_zip}
CDK_HALF = ("construct.py", "constructs.py", "/deploy/", "/cli/", "/audit/")


@pytest.fixture(params=ZIPS)
def code(request: pytest.FixtureRequest) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(ZIPS[request.param]()))


def test_leaves_the_cdk_half_out(code: zipfile.ZipFile):
    assert [n for n in code.namelist() if any(part in n for part in CDK_HALF)] == []


def test_is_small(code: zipfile.ZipFile):
    assert sum(entry.file_size for entry in code.infolist()) < 300_000


def test_says_nothing_of_the_machine(code: zipfile.ZipFile):
    assert code.namelist() == sorted(code.namelist())
    assert {
        (e.date_time, e.external_attr, e.create_system, e.compress_type, e.extra)
        for e in code.infolist()
    } == {((1980, 1, 1, 0, 0, 0), 0o100644 << 16, 3, zipfile.ZIP_STORED, b"")}


def test_imports_with_nothing_beside_it_but_boto3(code: zipfile.ZipFile, tmp_path: Path):
    function, beside = tmp_path / "function", tmp_path / "beside"
    code.extractall(function)
    beside.mkdir()
    site = Path(boto3.__file__).parents[1]
    for name in ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six.py", "urllib3"):
        (beside / name).symlink_to(site / name)
    modules = [
        name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for name in code.namelist()
        if name.endswith(".py")
    ]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", IMPORT_ALL, str(function), str(beside), *modules],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


IMPORT_ALL = """
import importlib, sys
sys.path[:0] = sys.argv[1:3]
for module in sys.argv[3:]:
    importlib.import_module(module)
assert callable(sys.modules["handler"].lambda_handler)
"""


def test_collector_carries_its_boundary_and_every_control():
    code = zipfile.ZipFile(io.BytesIO(bundle.collector_zip(BOUNDARY)))
    assert parse(json.loads(code.read("boundary.json"))) == BOUNDARY
    names = set(code.namelist())
    assert {f"cdk_soc2/controls/{control.key}/control.py" for control in CONTROLS} <= names
    assert not [name for name in names if "/rules" in name]  # which it never asks


def test_collector_has_no_setting_and_settings_have_all():
    def found(code: bytes) -> set[str]:
        names = zipfile.ZipFile(io.BytesIO(code)).namelist()
        return {n.split("/")[2] for n in names if n.endswith("/setting.py")}

    assert found(bundle.collector_zip(BOUNDARY)) == set()
    assert found(bundle.settings_zip()) == {
        path.parent.name for path in bundle.PACKAGE.glob("controls/*/setting.py")
    }


def test_is_the_same_elsewhere():
    script = (
        "from cdk_soc2.boundary import Boundary; from cdk_soc2.deploy import bundle;"
        "print(bundle.code_sha256(bundle.collector_zip(Boundary())))"
    )
    elsewhere = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(bundle.PACKAGE.parent),
        "PYTHONHASHSEED": "7",
        "TZ": "Pacific/Auckland",
        "LC_ALL": "C",
    }
    told = subprocess.run(
        [sys.executable, "-c", f"import os; os.umask(0o077); {script}"],
        env=elsewhere,
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert told == bundle.code_sha256(bundle.collector_zip(Boundary()))


def test_bytes_of_a_zip_are_these():
    # Of no file of ours: another Python must write these same bytes.
    zip_file = bundle.archive({"b.py": b"b = 2\n", "a/__init__.py": b""})
    assert hashlib.sha256(zip_file).hexdigest() == (
        "3cb4fb1d52c044e0a7ac3e1bc2c6049d267e29de6fad534c14a74cec863a3f29"
    )


def test_another_boundary_is_another_code():
    other = parse({"name": "staging"})
    assert bundle.collector_zip(BOUNDARY) != bundle.collector_zip(other)


def test_unknown_function_says_where_it_looked():
    with pytest.raises(FileNotFoundError, match=r"no handler of 'nothing' in .*_lambda"):
        bundle.handler("nothing")
