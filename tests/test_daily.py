"""The Lambda: what it returns, what it tells, and how it fails."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cdk_soc2.boundary import BoundaryError
from cdk_soc2.controls import CONTROLS
from cdk_soc2.daily import NotRecorded, NotTold, run
from tests.aws import FakeSession, refused
from tests.evidence.memory import MemoryStore
from tests.fakes import ACCOUNT, NOW
from tests.good import ACCOUNT_STATE

KEY = ec.generate_private_key(ec.SECP256R1())
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:collector"
INVOCATION = SimpleNamespace(
    aws_request_id="request-1",
    invoked_function_arn=FUNCTION,
    get_remaining_time_in_millis=lambda: 900_000,
)
ENVIRONMENT = {
    "EVIDENCE_BUCKET": "memory",
    "SIGNING_KEY_ID": "k",
    "ALERT_TOPIC_ARN": f"arn:aws:sns:us-east-1:{ACCOUNT}:alerts",
}


def sign(Message: bytes, **_: Any) -> dict[str, Any]:
    return {"Signature": KEY.sign(Message, ec.ECDSA(utils.Prehashed(SHA256())))}


class S3:
    """S3's four calls over a store in memory."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store

    def answers(self) -> dict[tuple[str, ...], Any]:
        return {
            ("s3", "put_object"): self._put,
            ("s3", "get_object"): self._get,
            ("s3", "list_object_versions"): self._list,
        }

    def _put(self, Key: str, Body: Any, **_: Any) -> dict[str, Any]:
        self.store.put(Key, Body if isinstance(Body, bytes) else Body.read())
        return {}

    def _get(self, Key: str, **_: Any) -> dict[str, Any]:
        return {"Body": self.store.open(Key).thing}

    def _list(self, Prefix: str, **_: Any) -> dict[str, Any]:
        return {
            "Versions": [
                {
                    "Key": v.key, "VersionId": v.id, "IsLatest": v.latest,
                    "Size": v.size, "LastModified": v.modified,
                }
                for v in self.store.versions(Prefix)
            ]
        }  # fmt: skip


class Bench:
    def __init__(self, changed: dict[tuple[str, ...], Any] | None = None) -> None:
        self.store = MemoryStore()
        self.sent: list[dict[str, Any]] = []
        der = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.session = FakeSession(
            ACCOUNT_STATE
            | S3(self.store).answers()
            | {
                ("lambda", "get_function_configuration"): {
                    "CodeSha256": base64.b64encode(b"\1" * 32).decode()
                },
                ("kms", "get_public_key"): {
                    "PublicKey": der, "KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY",
                },
                ("kms", "sign"): sign,
                ("sns", "publish"): lambda **sent: self.sent.append(sent) or {},
            }
            | (changed or {})
        )  # fmt: skip

    def run(self, boundary: str = "{}", environment: Any = None, tmp: Path = Path("/none")) -> Any:
        file = tmp / "boundary.json"
        if tmp != Path("/none"):
            file.write_text(boundary)
        return run(
            {"trigger": "schedule"},
            INVOCATION,  # pyright: ignore[reportArgumentType]
            boundary_file=file,
            environment=ENVIRONMENT | (environment or {}),
            session=self.session,  # pyright: ignore[reportArgumentType]
            clock=lambda: NOW,
        )

    def status(self, told: Any) -> Any:
        return json.loads(self.store.get(told["evidence_location"].removeprefix("s3://memory/")))


OFF = {("ec2", "get_ebs_encryption_by_default"): {"EbsEncryptionByDefault": False}}


def test_a_good_day_is_recorded_and_nobody_is_disturbed() -> None:
    bench = Bench()
    told = bench.run()
    assert told["statusCode"] == 200
    assert told["controls_checked"] == len(CONTROLS)
    assert told["controls_failed"] == 0
    assert told["controls_unknown"] == 2  # an attestation and a review, which nobody has attached
    collector = bench.status(told)["collector"]
    assert collector["code_sha256"] == "01" * 32
    assert (collector["trigger"], collector["request_id"]) == ("schedule", "request-1")
    assert bench.sent == []


def test_a_failure_is_told_once() -> None:
    bench = Bench(OFF)
    assert bench.run()["controls_failed"] == 1
    [sent] = bench.sent
    assert "ebs_encryption" in sent["Message"] and "1 failed" in sent["Subject"]


def test_a_code_digest_that_cannot_be_had_is_not_made_up() -> None:
    bench = Bench({("lambda", "get_function_configuration"): refused("AccessDenied", "G")})
    collector = bench.status(bench.run())["collector"]
    assert collector["code_sha256"] is None and "denied" in collector["code_sha256_from"]


def test_a_bucket_that_refuses_fails_visibly_and_the_log_has_the_verdicts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bench = Bench(OFF | {("s3", "put_object"): refused("AccessDenied", "PutObject")})
    with pytest.raises(NotRecorded, match="AccessDenied"):
        bench.run()
    first_line = capsys.readouterr().out.splitlines()[0]
    assert json.loads(first_line)["controls"]["ebs_encryption"]["status"] == "FAIL"
    assert bench.sent[0]["Subject"].startswith("EVIDENCE NOT RECORDED")


def test_a_key_that_cannot_sign_fails_visibly_and_the_files_are_there() -> None:
    bench = Bench({("kms", "sign"): refused("DisabledException", "Sign")})
    with pytest.raises(NotRecorded, match="enable the key again"):
        bench.run()
    keys = [v.key for v in bench.store.versions()]
    assert any(k.endswith("control-status.json") for k in keys)
    assert not any(k.startswith("ledger/") for k in keys)


def test_an_alert_that_cannot_be_sent_fails_visibly_after_the_evidence_is_safe() -> None:
    bench = Bench(OFF | {("sns", "publish"): refused("AuthorizationError", "Publish")})
    with pytest.raises(NotTold, match="did not take the alert"):
        bench.run()
    assert any(v.key.startswith("ledger/") for v in bench.store.versions())


BOUNDARIES = {
    "ships with the code": ('{"regions": ["us-east-1"]}', {}, ["us-east-1"]),
    "overridden": (
        '{"regions": ["us-east-1"]}',
        {"BOUNDARY": '{"regions": ["eu-west-1"]}'},
        ["eu-west-1"],
    ),
    "in a parameter": ("{}", {"BOUNDARY": "/soc2/boundary"}, ["eu-west-1"]),
    "an empty override is none": ('{"regions": ["us-east-1"]}', {"BOUNDARY": ""}, ["us-east-1"]),
}


@pytest.mark.parametrize("name", BOUNDARIES)
def test_boundary(name: str, tmp_path: Path) -> None:
    shipped, environment, regions = BOUNDARIES[name]
    bench = Bench(
        {("ssm", "get_parameter"): {"Parameter": {"Value": '{"regions": ["eu-west-1"]}'}}}
    )
    told = bench.run(shipped, environment, tmp_path)
    assert bench.status(told)["regions"]["expected"] == regions


def test_a_boundary_that_is_no_json_is_refused() -> None:
    with pytest.raises(BoundaryError, match="neither JSON nor"):
        Bench().run(environment={"BOUNDARY": "{regions"})
