"""A signing key that cannot sign. Last of its folder: it leaves an unfinished run in the vault."""

from __future__ import annotations

import json

import pytest

from tests.e2e.conftest import Deployed

pytestmark = pytest.mark.local_aws


def test_a_key_that_cannot_sign_fails_the_run_visibly(deployed: Deployed) -> None:
    kms, key = deployed.client("kms"), deployed.outputs["SigningKeyId"]
    kms.disable_key(KeyId=key)
    try:
        answer = deployed.client("lambda").invoke(
            FunctionName=deployed.outputs["CollectorFunctionName"], Payload=b"{}"
        )
    finally:
        kms.enable_key(KeyId=key)
    assert answer["FunctionError"]
    assert "enable the key again" in answer["Payload"].read().decode()
    found = json.loads(deployed.soc2("verify", f"s3://{deployed.bucket}", "--json").stdout)
    assert [f["kind"] for f in found["findings"]] == ["unfinished"]
