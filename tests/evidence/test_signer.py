"""Keys: what KMS is asked, what a PEM file must be, and that the writing side needs no cryptography."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)

from cdk_soc2.evidence.keys import PemSigner, PublicKey, keyid_of_pem, verify_signature
from cdk_soc2.evidence.signer import KmsSigner, SigningUnavailable, der_of, pem_of
from tests.evidence.vault import key

PEM = key("kms").pem
DER = der_of(PEM)


def kms() -> tuple[KmsSigner, Stubber]:
    client = boto3.client(
        "kms", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    stub = Stubber(client)
    stub.activate()
    return KmsSigner(client, "alias/evidence"), stub


def public_key(**change: Any) -> dict[str, Any]:
    return {"PublicKey": DER, "KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"} | change


def test_kms_signs_the_digest() -> None:
    signer, stub = kms()
    message = b"m" * 5000
    signature = key("kms").sign(message)
    stub.add_response("get_public_key", public_key(), {"KeyId": "alias/evidence"})
    stub.add_response(
        "sign",
        {"Signature": signature},
        {
            "KeyId": "alias/evidence",
            "Message": hashlib.sha256(message).digest(),
            "MessageType": "DIGEST",
            "SigningAlgorithm": "ECDSA_SHA_256",
        },
    )
    assert (signer.keyid, signer.pem) == (hashlib.sha256(DER).hexdigest(), PEM)
    assert verify_signature(signer.pem, message, signer.sign(message))


@pytest.mark.parametrize("code", ["AccessDeniedException", "DisabledException", "Surprise"])
@pytest.mark.parametrize("action", ["get_public_key", "sign"])
def test_kms_unavailable(action: str, code: str) -> None:
    signer, stub = kms()
    stub.add_client_error(action, code)
    with pytest.raises(SigningUnavailable, match=f"alias/evidence.*{code}.*; "):
        signer.sign(b"") if action == "sign" else signer.keyid


@pytest.mark.parametrize("change", [{"KeySpec": "RSA_2048"}, {"KeyUsage": "KEY_AGREEMENT"}])
def test_kms_key_of_another_kind(change: dict[str, str]) -> None:
    signer, stub = kms()
    stub.add_response("get_public_key", public_key(**change))
    with pytest.raises(SigningUnavailable, match="ECC_NIST_P256"):
        assert signer.keyid


def test_pem_is_that_of_openssl() -> None:
    assert pem_of(DER) == PEM
    public = load_pem_public_key(PEM)
    assert public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == DER
    assert keyid_of_pem(PEM) == key("kms").keyid


BAD_PEMS = [b"", b"x", PEM[:-2], PEM + b"x", PEM.replace(b"\n", b" "), PEM + PEM, b"\xff" * 50]


@pytest.mark.parametrize("pem", BAD_PEMS)
def test_bad_pem(pem: bytes) -> None:
    with pytest.raises(ValueError, match="PEM"):
        PublicKey(pem)


def test_other_kinds_of_keys(tmp_path: Path) -> None:
    for other in (ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)):
        public = other.public_key()
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        with pytest.raises(ValueError, match="P-256"):
            PublicKey(pem)
        private = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with pytest.raises(SigningUnavailable, match="P-256"):
            PemSigner(private)
    with pytest.raises(SigningUnavailable, match=r"none\.pem"):
        PemSigner(tmp_path / "none.pem")


def test_the_writing_side_needs_nothing_but_boto3() -> None:
    program = """
import sys
class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"cryptography", "aws_cdk", "click", "rich", "yaml"}:
            raise ImportError(name)
sys.meta_path.insert(0, Wall())
import cdk_soc2.evidence.ledger, cdk_soc2.evidence.s3, cdk_soc2.evidence.folder
"""
    subprocess.run([sys.executable, "-c", program], check=True)
