"""``soc2 github`` as people call it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from cdk_soc2.sources.github.app import AppToken, token_from
from tests.sources.github.server import Hub, serving
from tests.sources.github.world import NOT_PROTECTED, Clock, World, rules, ruleset

CALL = "import sys; sys.argv[0] = 'soc2'; from cdk_soc2.cli import main; main()"


def soc2(*arguments: str, cwd: Path, **given: str) -> subprocess.CompletedProcess[str]:
    environment = {n: v for n, v in os.environ.items() if not n.startswith(("AWS_", "GITHUB_"))}
    return subprocess.run(
        [sys.executable, "-c", CALL, "github", *arguments],
        capture_output=True, text=True, cwd=cwd, env=environment | given,
    )  # fmt: skip


def test_a_run_is_recorded_and_its_verdicts_printed(tmp_path: Path) -> None:
    made_up = World()
    made_up.answers["/repos/acme/shop/code-scanning/analyses"] = []
    with serving(made_up.hub()) as address:
        done = soc2(
            "collect", "--owner", "acme", "--unsigned", "--json", cwd=tmp_path,
            GITHUB_API_URL=address, GITHUB_TOKEN="t0ken",
        )  # fmt: skip
    assert done.returncode == 1, done.stderr  # nothing scanned: a finding
    status = json.loads(done.stdout)
    assert (status["source"], status["account_id"]) == ("github-acme", "acme")
    assert set(status["controls"]) == {
        "mfa",
        "branch_protection",
        "image_scanning",
        "change_management",
    }
    [ledger] = (tmp_path / "evidence/ledger/github-acme").iterdir()
    assert ledger.name == "00000001.dsse.json"


def test_an_owner_exports_what_others_do_not_see(tmp_path: Path) -> None:
    made_up = World()
    full = "/repos/acme/shop"
    whole = ruleset(updated_at="2026-01-01T00:00:00Z")
    made_up.answers |= {
        f"{full}/rulesets": [{k: v for k, v in whole.items() if k != "bypass_actors"}],
        f"{full}/rulesets/7": whole,
    }
    with serving(made_up.hub()) as address:
        given = {"GITHUB_API_URL": address, "GITHUB_TOKEN": "owner"}
        call = ["export-rulesets", "--owner", "acme", "-o", "rulesets.json"]
        done = soc2(*call, cwd=tmp_path, **given)
        assert (done.returncode, "1 rulesets" in done.stderr) == (0, True), done.stderr
        made_up.answers |= {
            f"{full}/branches/main/protection": NOT_PROTECTED,
            f"{full}/rules/branches/main": rules(),
            f"{full}/rulesets/7": {k: v for k, v in whole.items() if k != "bypass_actors"},
        }
        call = ["collect", "--owner", "acme", "--unsigned", "--json"]
        blind = soc2(*call, cwd=tmp_path, **given)
        seeing = soc2(*call, "--rulesets-export", "rulesets.json", cwd=tmp_path, **given)
    found = [json.loads(d.stdout)["controls"]["branch_protection"] for d in (blind, seeing)]
    assert [f["checks"]["branch_protection"]["status"] for f in found] == ["UNKNOWN", "PASS"]
    assert "answers/rulesets-export.json" in json.loads(seeing.stdout)["files"]


CANNOT: dict[str, tuple[list[str], dict[str, str], str]] = {
    "no token": (["collect", "--owner", "acme"], {}, "set GITHUB_TOKEN"),
    "half an app": (["collect", "--owner", "acme"], {"GITHUB_APP_ID": "1"}, "GITHUB_APP_PRIVATE_KEY"),
    "no key": (
        ["collect", "--owner", "acme"],
        {"GITHUB_APP_ID": "1", "GITHUB_APP_PRIVATE_KEY": "none.pem", "GITHUB_APP_INSTALLATION_ID": "2"},
        "none.pem",
    ),
    "no owner": (["collect"], {}, "--owner"),
    "an owner with a path": (["collect", "--owner", "acme/shop"], {"GITHUB_TOKEN": "t"}, "no login"),
    "another's repository": (
        ["collect", "--owner", "acme", "--repos", "other/shop"], {"GITHUB_TOKEN": "t"}, "is not of acme",
    ),
    "a policy for a folder": (["policy", "--owner", "acme", "--vault", "./evidence"], {}, "s3://BUCKET"),
    "a policy for a key's alias": (
        ["policy", "--owner", "acme", "--vault", "s3://b", "--key", "alias/x"], {}, "whole ARN",
    ),
    "no date": (["collect", "--owner", "acme", "--from", "soon"], {"GITHUB_TOKEN": "t"}, "YYYY-MM-DD"),
    "no repositories": (["collect", "--owner", "a", "--repos", ","], {"GITHUB_TOKEN": "t"}, "names"),
    "no export": (
        ["collect", "--owner", "acme", "--rulesets-export", "none.json"], {"GITHUB_TOKEN": "t"}, "none.json",
    ),
    "signed and not": (
        ["collect", "--owner", "a", "--key", "k", "--unsigned"], {"GITHUB_TOKEN": "t"}, "exclude each other",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CANNOT)
def test_what_cannot_be_done_ends_with_2_and_a_sentence(name: str, tmp_path: Path) -> None:
    arguments, environment, said = CANNOT[name]
    done = soc2(*arguments, cwd=tmp_path, **environment)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr and "Traceback" not in done.stderr
    assert done.stdout == ""


def test_the_policy_lets_one_owner_write_and_nobody_read_the_rest(tmp_path: Path) -> None:
    arn = "arn:aws:kms:eu-west-1:123456789012:key/k"
    done = soc2("policy", "--owner", "acme", "--vault", "s3://b", "--key", arn, cwd=tmp_path)
    by_sid = {s["Sid"]: s for s in json.loads(done.stdout)["Statement"]}
    assert "arn:aws:s3:::b/ledger/github-acme/*" in by_sid["AddEvidence"]["Resource"]
    assert by_sid["SignEvidence"]["Resource"] == [arn]
    actions = {a for s in by_sid.values() for a in s["Action"]}
    assert not {a for a in actions if "Delete" in a or "Retention" in a or a.endswith("*")}


NOT_EXPORTS: dict[str, tuple[Any, str]] = {
    "not JSON": ("{", "Expecting"),
    "something else": ('{"schema": "x"}', "no export of rulesets"),
    "of another owner": (
        '{"schema": "soc2-github-rulesets/v1", "owner": "other"}', "is of 'other'",
    ),
    "without actors": (
        '{"schema": "soc2-github-rulesets/v1", "owner": "acme", "exported_at": "2026-01-01T00:00:00Z", '
        '"rulesets": [{"id": 1, "source": "acme", "updated_at": "x"}]}', "bypass_actors",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_EXPORTS)
def test_an_export_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    text, said = NOT_EXPORTS[name]
    (tmp_path / "x.json").write_text(text)
    done = soc2(
        "collect", "--owner", "acme", "--rulesets-export", "x.json", cwd=tmp_path, GITHUB_TOKEN="t"
    )
    assert done.returncode == 2 and said in done.stderr, done.stderr


def test_an_apps_token_is_bought_and_renewed() -> None:
    private = rsa.generate_private_key(65537, 2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    clock, hub = Clock(), Hub()
    hub.posts = {"/app/installations/2/access_tokens": lambda: _token(clock, len(hub.asked))}
    with serving(hub) as address:
        token = AppToken(address, "1", pem, "2", clock)
        assert [token.value(), token.value()] == ["token-1", "token-1"]
        clock.sleep(56 * 60)
        assert token.value() == "token-2"
    [jwt, _] = [t.removeprefix("Bearer ") for t in sorted(hub.tokens)]
    assert jwt.count(".") == 2
    given = {
        "GITHUB_APP_ID": "1",
        "GITHUB_APP_PRIVATE_KEY": pem.decode(),
        "GITHUB_APP_INSTALLATION_ID": "2",
        "GITHUB_TOKEN": "t",
    }
    assert isinstance(token_from("http://127.0.0.1:9", given), AppToken)


def _token(clock: Clock, number: int) -> dict[str, str]:
    from datetime import timedelta

    end = clock() + timedelta(hours=1)
    return {"token": f"token-{number}", "expires_at": f"{end:%Y-%m-%dT%H:%M:%SZ}"}
