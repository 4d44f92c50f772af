"""Starts the embedded AWS, hands out the environment that points at it, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from local.names import loopback_names

HERE = Path(__file__).resolve().parent
PYTHON = HERE / ".venv" / "bin" / "python"
NAMES = HERE / "names"
ACCOUNT = "123456789012"
REGION = "us-east-1"
START_TIMEOUT_SECONDS = 30.0
STOP_TIMEOUT_SECONDS = 5.0
LOG_TAIL_LINES = 40


class LocalAwsError(RuntimeError):
    """The embedded AWS cannot be started; the message says why and what to do."""


class LocalAws:
    """One emulator on a free loopback port, alive inside a ``with`` block.

    It holds everything in memory and in a temporary directory of its own, so a fresh instance is
    an empty AWS. It ends with this process, however this process ends.
    """

    def __init__(self, region: str = REGION) -> None:
        self.region = region
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline: int | None = None
        self._directory: Path | None = None
        self._port = 0
        self._session: Any = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def endpoint(self) -> str:
        """The URL that answers for every AWS service."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        return self._running().pid

    @property
    def log_path(self) -> Path:
        """The emulator's log; it goes away with ``stop``."""
        if self._directory is None:
            raise LocalAwsError("the local AWS is not started: use `with LocalAws() as aws:`")
        return self._directory / "emulator.log"

    @property
    def env(self) -> dict[str, str]:
        """Variables for a child process, as the root of the default account."""
        return self.environment()

    def environment(self, *, region: str = "", account: str = ACCOUNT) -> dict[str, str]:
        """Variables that point boto3, the AWS CLI, the CDK CLI and ``soc2`` at this emulator.

        Lay them over ``os.environ``; nothing there needs to be removed, because whatever could
        lead an SDK elsewhere (profiles, endpoints, proxies) is overridden here.
        """
        region = region or self.region
        elsewhere = {name for name in os.environ if name.startswith("AWS_ENDPOINT_URL")}
        inherited = {"AWS_PROFILE": "default", "AWS_SESSION_TOKEN": ""}
        no_proxy = ",".join(filter(None, [os.environ.get("NO_PROXY"), "127.0.0.1,localhost"]))
        return {
            **dict.fromkeys(elsewhere, self.endpoint),
            **{name: value for name, value in inherited.items() if name in os.environ},
            "AWS_ACCESS_KEY_ID": "test" if account == ACCOUNT else account,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
            "PYTHONPATH": os.pathsep.join(filter(None, [str(NAMES), os.environ.get("PYTHONPATH")])),
            "AWS_CONFIG_FILE": str(self.log_path.parent / "aws-config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.log_path.parent / "aws-credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": no_proxy,
            "no_proxy": no_proxy,
            "CDK_DEFAULT_ACCOUNT": account,
            "CDK_DEFAULT_REGION": region,
            "CDK_DISABLE_VERSION_CHECK": "1",
            "CDK_DISABLE_CLI_TELEMETRY": "true",
        }

    def client(
        self,
        service: str,
        *,
        region: str = "",
        account: str = ACCOUNT,
        keys: tuple[str, str] | None = None,
    ) -> Any:
        """A boto3 client, as the root of ``account``, whom no policy binds here, or with *keys*.

        Needs boto3 in the calling environment.
        """
        import boto3  # not at the top: starting an emulator needs the standard library only
        from botocore.config import Config

        loopback_names.install()  # for S3 Control
        access_key, secret = keys or ("test" if account == ACCOUNT else account, "test")
        session: Any = boto3.Session()
        return session.client(
            service,
            endpoint_url=self.endpoint,
            region_name=region or self.region,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret,
            config=Config(
                retries={"total_max_attempts": 1},
                s3={"addressing_style": "path"},
            ),
        )

    def administrator(self) -> tuple[str, str]:
        """Keys of a new IAM user who may do everything, as far as IAM alone is asked."""
        iam, name = self.client("iam"), f"administrator-{secrets.token_hex(4)}"
        everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        iam.create_user(UserName=name)
        iam.put_user_policy(
            UserName=name,
            PolicyName="everything",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [everything]}),
        )
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return key["AccessKeyId"], key["SecretAccessKey"]

    def start(self) -> Self:
        """Start and wait until it answers; raises `LocalAwsError` with the log's tail if not."""
        if not PYTHON.exists():
            raise LocalAwsError(
                f"the emulator's environment {PYTHON.parent.parent} is missing; make it with: "
                f"python3 -m venv {PYTHON.parent.parent} && {PYTHON} -m pip install "
                f"--require-hashes -r {HERE / 'requirements.txt'}"
            )
        if self._process is not None:
            raise LocalAwsError(f"this local AWS already runs as process {self._process.pid}")
        self._directory = Path(tempfile.mkdtemp(prefix="local-aws-"))
        self._write_profile(self._directory)
        self._port = _free_port()
        read_end, self._lifeline = os.pipe()
        try:
            with self.log_path.open("wb") as log:
                self._process = subprocess.Popen(
                    [str(PYTHON), "-m", "emulator"],
                    cwd=HERE,
                    env=self._emulator_environment(read_end),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=[read_end],
                    start_new_session=True,
                )
        finally:
            os.close(read_end)
        try:
            self._wait_until_healthy()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the emulator and its Lambda workers, and remove their files. May be repeated."""
        if self._lifeline is not None:
            os.close(self._lifeline)  # the emulator sees this and ends its process group
            self._lifeline = None
        if self._process is not None:
            process, self._process = self._process, None
            try:
                process.wait(STOP_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise LocalAwsError("the local AWS is not running: use `with LocalAws() as aws:`")
        return self._process

    def _write_profile(self, directory: Path) -> None:
        """An AWS profile for tools that insist on one, so that nobody's own profile is read."""
        (directory / "aws-config").write_text(f"[default]\nregion = {self.region}\n")
        (directory / "aws-credentials").write_text(
            "[default]\naws_access_key_id = test\naws_secret_access_key = test\n"
        )

    def _emulator_environment(self, lifeline: int) -> dict[str, str]:
        """The emulator's whole environment; its Lambda workers inherit it, so it is made here."""
        directory = str(self._directory)
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TZ") if name in os.environ}
        return kept | {
            "LOCAL_AWS_LIFELINE": str(lifeline),
            "LOCAL_AWS_DIRECTORY": directory,
            "HOME": directory,
            "TMPDIR": directory,
            "S3_DATA_DIR": f"{directory}/s3",
            "STATE_DIR": f"{directory}/state",
            "GATEWAY_PORT": str(self._port),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "IOT_MTLS_ENABLED": "0",  # else it opens MQTT on every interface
            "SFTP_ENABLED": "0",
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "MINISTACK_REGION": self.region,
            "AUTH": "true",
            "CLOUDTRAIL_RECORDING": "1",
            "LAMBDA_EXECUTOR": "local",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "DOCKER_HOST": f"unix://{directory}/no-docker.sock",
            "NO_PROXY": "127.0.0.1,localhost",
            "PYTHONPATH": str(NAMES),
            "PYTHONUNBUFFERED": "1",
        }

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        process = self._running()
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise LocalAwsError(
                    f"the emulator ended with code {process.returncode} while starting; "
                    f"its log ends:\n{self._log_tail()}"
                )
            try:
                with direct.open(f"{self.endpoint}/_ministack/health", timeout=1):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise LocalAwsError(
            f"the emulator did not answer on {self.endpoint} within {START_TIMEOUT_SECONDS:.0f} s; "
            f"its log ends:\n{self._log_tail()}"
        )

    def _log_tail(self) -> str:
        lines = self.log_path.read_text(errors="replace").splitlines()
        return "\n".join(lines[-LOG_TAIL_LINES:])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _exit_on_signal(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def main(arguments: list[str]) -> int:
    """Run a command against a fresh local AWS; its exit code is ours."""
    if arguments[:1] != ["--"] or not arguments[1:]:
        print("usage: python -m local.launch -- COMMAND [ARGUMENT ...]", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _exit_on_signal)
    try:
        with LocalAws() as aws:
            command = subprocess.Popen(arguments[1:], env=os.environ | aws.env)
            try:
                return command.wait()
            finally:
                if command.poll() is None:
                    command.terminate()
                    command.wait()
    except FileNotFoundError as missing:
        print(f"no such command: {missing.filename}", file=sys.stderr)
    except LocalAwsError as error:
        print(error, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
