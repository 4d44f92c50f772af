"""``soc2 argocd collect`` as people call it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.sources.argocd_server import TOKEN, FakeArgoCd, app

SOC2 = Path(sys.executable).with_name("soc2")


def soc2(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("AWS_", "ARGOCD_"))}
    return subprocess.run(
        [SOC2, *arguments], cwd=cwd, env=clean | environment, capture_output=True, text=True
    )


def test_a_signed_run_and_its_verification(tmp_path: Path) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    with FakeArgoCd([app("shop", 0, 1)]) as server:
        given = {"ARGOCD_SERVER": server.url, "ARGOCD_AUTH_TOKEN": f"{TOKEN}\n"}
        collect = ("argocd", "collect", "--vault", "vault", "--name", "eu", "--key", "key.pem")
        done = soc2(*collect, cwd=tmp_path, **given)
        assert (done.returncode, "2 new" in done.stdout) == (0, True), done.stderr
        server.apps = [app("shop", 0, 1, 3)]
        lost = soc2(*collect, "--json", cwd=tmp_path, **given)
    assert lost.returncode == 1
    status = json.loads(lost.stdout)
    assert status["source"] == "argocd-eu"
    assert status["controls"]["change_management"]["status"] == "FAIL"
    assert soc2("verify", "vault", cwd=tmp_path).returncode == 0


CANNOT = {
    "no server": ([], {}, "--server"),
    "no token": (["--server", "https://a"], {}, "set ARGOCD_AUTH_TOKEN"),
    "plain http": (["--server", "http://a"], {"ARGOCD_AUTH_TOKEN": "t"}, "use https"),
    "a name with a slash": (
        ["--server", "https://a", "--name", "a/b"],
        {"ARGOCD_AUTH_TOKEN": "t"},
        "--name 'a/b'",
    ),
    "signed and not": (
        ["--server", "https://a", "--key", "k", "--unsigned"],
        {"ARGOCD_AUTH_TOKEN": "t"},
        "exclude each other",
    ),
    "no such boundary": (
        ["--server", "https://a", "--boundary", "none.yaml"],
        {"ARGOCD_AUTH_TOKEN": "t"},
        "give the path of a boundary file",
    ),
}


@pytest.mark.parametrize("name", CANNOT)
def test_what_cannot_be_done_ends_with_2_and_a_sentence(name: str, tmp_path: Path) -> None:
    arguments, environment, said = CANNOT[name]
    done = soc2("argocd", "collect", *arguments, cwd=tmp_path, **environment)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert said in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "evidence").exists()


def test_the_name_is_the_servers_host_unless_given(tmp_path: Path) -> None:
    with FakeArgoCd([app("shop", 0)]) as server:
        done = soc2(
            *("argocd", "collect", "--unsigned", "--json", "--server", server.url),
            cwd=tmp_path,
            ARGOCD_AUTH_TOKEN=TOKEN,
        )
    assert json.loads(done.stdout)["source"] == "argocd-" + server.url[7:].replace(":", "-")
