"""Who signs: a KMS key whose private half nobody holds, reached with nothing but boto3."""

from __future__ import annotations

import base64
import binascii
import hashlib
from functools import cached_property
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

_REMEDIES = {
    "AccessDeniedException": "allow this role kms:GetPublicKey and kms:Sign on the key",
    "DisabledException": "enable the key again",
    "KMSInvalidStateException": "cancel the key's deletion, or enable it",
    "NotFoundException": "check the key's id and region",
}


class SigningUnavailable(Exception):
    """The key cannot sign now; the message names the key, the code and the remedy."""


class Signer(Protocol):
    """A P-256 key. ``keyid`` is the lower-case hex SHA-256 of its DER SubjectPublicKeyInfo, ``pem``
    the public key.

    All three raise `SigningUnavailable`.
    """

    @property
    def keyid(self) -> str: ...

    @property
    def pem(self) -> bytes: ...

    def sign(self, message: bytes) -> bytes:
        """Return the DER ECDSA signature over the SHA-256 of *message*."""
        ...


class KmsSigner:
    """Signs with the KMS key *key_id* (id, ARN or alias) of kind ECC_NIST_P256; *client* is a boto3
    KMS client."""

    def __init__(self, client: Any, key_id: str) -> None:
        self._client = client
        self._key_id = key_id

    @cached_property
    def _der(self) -> bytes:
        try:
            answer = self._client.get_public_key(KeyId=self._key_id)
        except (ClientError, BotoCoreError) as error:
            raise self._unavailable("kms:GetPublicKey", error) from error
        kind = answer.get("KeySpec"), answer.get("KeyUsage")
        if kind != ("ECC_NIST_P256", "SIGN_VERIFY"):
            raise SigningUnavailable(
                f"signing key {self._key_id}: it is {kind[0]} for {kind[1]}; "
                "give one of key spec ECC_NIST_P256 and usage SIGN_VERIFY"
            )
        return bytes(answer["PublicKey"])

    @property
    def keyid(self) -> str:
        return fingerprint(self._der)

    @property
    def pem(self) -> bytes:
        return pem_of(self._der)

    def sign(self, message: bytes) -> bytes:
        # The digest, because KMS takes at most 4,096 bytes of message and statements are longer.
        digest = hashlib.sha256(message).digest()
        try:
            answer = self._client.sign(
                KeyId=self._key_id,
                Message=digest,
                MessageType="DIGEST",
                SigningAlgorithm="ECDSA_SHA_256",
            )
        except (ClientError, BotoCoreError) as error:
            raise self._unavailable("kms:Sign", error) from error
        return bytes(answer["Signature"])

    def _unavailable(self, action: str, error: ClientError | BotoCoreError) -> SigningUnavailable:
        code = type(error).__name__
        if isinstance(error, ClientError):
            code = str(error.response.get("Error", {}).get("Code", "?"))
        remedy = _REMEDIES.get(
            code, "check the key, the connection and the credentials, then run again"
        )
        return SigningUnavailable(
            f"signing key {self._key_id}: {action}: {code} ({error}); {remedy}"
        )


def fingerprint(der: bytes) -> str:
    """Return a public key's id: the lower-case hex SHA-256 of its DER SubjectPublicKeyInfo."""
    return hashlib.sha256(der).hexdigest()


def pem_of(der: bytes) -> bytes:
    """Return a DER SubjectPublicKeyInfo as PEM (RFC 7468), byte for byte as openssl writes it."""
    text = base64.b64encode(der).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join(
        ["-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----", ""]
    ).encode()


def der_of(pem: bytes) -> bytes:
    """Return the DER inside a PEM public key in its one proper form (CRLF allowed); raises
    `ValueError`."""
    text = pem.replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n"
    try:
        der = base64.b64decode(b"".join(text.split(b"\n")[1:-2]), validate=True)
    except binascii.Error:
        der = b""
    if not der or pem_of(der) != text:
        raise ValueError("not one PEM public key as openssl writes it")
    return der
