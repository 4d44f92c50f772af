"""The launcher: loopback only, an environment that leads nowhere else, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from local.launch import ACCOUNT, LocalAws, LocalAwsError
from tests.local.calls import eventually

pytestmark = pytest.mark.local_aws
ROOT = Path(__file__).parents[2]


def alive(pid: int) -> bool:
    return (
        Path(f"/proc/{pid}").exists()
        and "Z" not in (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:1])
    )


@pytest.mark.skipif(not Path("/proc").exists(), reason="reads /proc")
def test_listens_on_the_loopback_only(aws: LocalAws) -> None:
    sockets = {
        str(link.readlink()) for link in Path(f"/proc/{aws.pid}/fd").iterdir() if link.is_symlink()
    }
    listening = [
        fields[1]
        for family in ("tcp", "tcp6")
        for line in Path(f"/proc/{aws.pid}/net/{family}").read_text().splitlines()[1:]
        if (fields := line.split())[3] == "0A" and f"socket:[{fields[9]}]" in sockets
    ]
    assert [address.partition(":")[0] for address in listening] == ["0100007F"]


def test_stop_leaves_no_process_and_no_file() -> None:
    with LocalAws() as aws:
        pid, directory = aws.pid, aws.log_path.parent
        assert alive(pid)
    assert not alive(pid)
    assert not directory.exists()
    aws.stop()  # a second time does nothing


def test_use_before_start_is_an_error() -> None:
    with pytest.raises(LocalAwsError, match="not started"):
        _ = LocalAws().log_path


PARENT = """
import io, time, zipfile
from pathlib import Path
from local.launch import LocalAws

archive = io.BytesIO()
with zipfile.ZipFile(archive, "w") as opened:
    opened.writestr("index.py", "import time\\ndef handler(e, c): time.sleep(60)")

def everyone(pid):
    found = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        found |= set((task / "children").read_text().split())
    return found

with LocalAws() as aws:
    role = aws.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    api = aws.client("lambda")
    api.create_function(FunctionName="f", Runtime="python3.13", Handler="index.handler", Role=role,
                        Code={"ZipFile": archive.getvalue()}, Timeout=60)
    api.invoke(FunctionName="f", InvocationType="Event")
    while not everyone(aws.pid):
        time.sleep(0.05)
    print(aws.log_path.parent, aws.pid, *everyone(aws.pid), flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(not Path("/proc").exists(), reason="reads /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_ends_with_its_parent(how: signal.Signals) -> None:
    """Also when the parent gets no chance to clean up; a busy Lambda worker goes too."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        stderr=subprocess.DEVNULL,
    )
    assert parent.stdout
    directory, *processes = parent.stdout.readline().split()
    assert len(processes) == 2
    parent.send_signal(how)
    parent.wait()
    parent.stdout.close()
    assert eventually(lambda: not any(alive(int(pid)) for pid in processes))
    assert eventually(lambda: not Path(directory).exists())


def test_environment_leads_nowhere_else(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "https://kms.us-east-1.amazonaws.com")
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    seen = os.environ | aws.env
    endpoints = {value for name, value in seen.items() if name.startswith("AWS_ENDPOINT_URL")}
    assert endpoints == {aws.endpoint}
    assert seen["AWS_PROFILE"] == "default"
    assert seen["AWS_SESSION_TOKEN"] == ""
    assert "127.0.0.1" in seen["NO_PROXY"]


def test_environment_of_another_account_and_region(aws: LocalAws) -> None:
    other = aws.environment(account="222222222222", region="eu-west-1")
    script = (
        "import boto3; print(boto3.client('sts').get_caller_identity()['Arn']);"
        "print(boto3.client('s3control').meta.region_name)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | other,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["arn:aws:iam::222222222222:root", "eu-west-1"]


def test_s3control_is_reached_from_a_child(aws: LocalAws, account: str) -> None:
    """Its host is `<account>.127.0.0.1`, which no resolver knows."""
    script = (
        "import boto3, sys\n"
        "api, account = boto3.client('s3control'), sys.argv[1]\n"
        "api.put_public_access_block(AccountId=account, PublicAccessBlockConfiguration={\n"
        "    'BlockPublicAcls': True})\n"
        "print(api.get_public_access_block(AccountId=account)['PublicAccessBlockConfiguration'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, account],
        env=os.environ | aws.environment(account=account),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "'BlockPublicAcls': True" in done.stdout


def test_command_line_runs_a_command_and_returns_its_code() -> None:
    script = (
        "import os, boto3, sys; print(boto3.client('sts').get_caller_identity()['Account']);"
        "print(os.environ['AWS_ENDPOINT_URL']); sys.exit(7)"
    )
    done = subprocess.run(
        [sys.executable, "-m", "local.launch", "--", sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 7
    account, endpoint = done.stdout.split()
    assert account == ACCOUNT
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(endpoint, timeout=1)


@pytest.mark.parametrize("arguments", [[], ["--"], ["echo"], ["--", "no-such-command"]])
def test_command_line_misused(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local.launch", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "usage" in done.stderr or "no-such-command" in done.stderr


def test_starts_within_five_seconds() -> None:
    began = time.monotonic()
    with LocalAws():
        assert time.monotonic() - began < 5
