"""The only room where the cryptography library is: reading PEM keys and checking signatures."""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
)

from cdk_soc2.evidence.signer import SigningUnavailable, der_of, fingerprint

_ECDSA = ec.ECDSA(hashes.SHA256())


class PublicKey:
    """A P-256 public key read from PEM; raises `ValueError` when it is anything else."""

    def __init__(self, pem: bytes) -> None:
        der = der_of(pem)
        try:
            key = load_der_public_key(der)
        except UnsupportedAlgorithm as error:
            raise ValueError(f"not a P-256 key: {error}") from None
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(
            key.curve, ec.SECP256R1
        ):
            raise ValueError("not a P-256 key")  # noqa: TRY004  the file's content is at fault
        self.keyid = fingerprint(der)
        self._key = key

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Whether *signature* (DER) is this key's over the SHA-256 of *message*."""
        try:
            self._key.verify(signature, message, _ECDSA)
        except InvalidSignature:
            return False
        return True


class PemSigner:
    """Signs with a private P-256 key in PEM, unencrypted: for a laptop or a CI job without KMS."""

    def __init__(self, key: bytes | Path) -> None:
        what = "the given PEM" if isinstance(key, bytes) else str(key)
        remedy = "make one with: openssl ecparam -name prime256v1 -genkey -noout -out key.pem"
        try:
            found = load_pem_private_key(key if isinstance(key, bytes) else key.read_bytes(), None)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise SigningUnavailable(f"signing key {what}: {error}; {remedy}") from error
        if not isinstance(found, ec.EllipticCurvePrivateKey) or not isinstance(
            found.curve, ec.SECP256R1
        ):
            raise SigningUnavailable(f"signing key {what} is not a P-256 key; {remedy}")
        self._key = found
        public = found.public_key()
        self.keyid = fingerprint(
            public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        )
        self.pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, message: bytes) -> bytes:
        """Return the DER ECDSA signature over the SHA-256 of *message*."""
        return self._key.sign(message, _ECDSA)


def verify_signature(pem: bytes, message: bytes, signature: bytes) -> bool:
    """Whether *signature* (DER) over the SHA-256 of *message* is that of the public key *pem*;
    raises `ValueError`."""
    return PublicKey(pem).verifies(message, signature)


def keyid_of_pem(pem: bytes) -> str:
    """Return the fingerprint of a PEM public key; raises `ValueError`."""
    return fingerprint(der_of(pem))
