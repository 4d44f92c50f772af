"""One run of evidence, from the questions to the ledger; and what is left when something refuses."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cdk_soc2.account import Reader
from cdk_soc2.boundary import Boundary, parse
from cdk_soc2.collect import collect
from cdk_soc2.control import CannotLook
from cdk_soc2.controls import CONTROLS
from cdk_soc2.evidence.seal import Outcome
from cdk_soc2.evidence.signer import Signer, SigningUnavailable
from cdk_soc2.evidence.spool import plain
from cdk_soc2.evidence.verify import verify
from cdk_soc2.iam import action
from cdk_soc2.scope import WrongAccount
from tests.aws import FakeSession, api, refused
from tests.controls.test_cloudtrail import STATUS
from tests.evidence.memory import MemoryStore
from tests.evidence.vault import key
from tests.fakes import ACCOUNT, NOW
from tests.good import ACCOUNT_STATE, ARN


class Broken:
    """A key that is disabled."""

    keyid = key("a").keyid
    pem = key("a").pem

    def sign(self, message: bytes) -> bytes:
        raise SigningUnavailable("signing key k: kms:Sign: DisabledException; enable the key again")


def run(
    store: MemoryStore,
    changed: Mapping[tuple[str, ...], Any] | None = None,
    *,
    signer: Signer | None = key("a"),  # noqa: B008  made once, and never changed
    boundary: Boundary | None = None,
    now: datetime = NOW,
    session: FakeSession | None = None,
) -> Outcome:
    delivered = {**STATUS, "LatestDeliveryTime": now - timedelta(minutes=5)}
    report = ACCOUNT_STATE["iam", "get_credential_report"]
    state = ACCOUNT_STATE | {
        ("cloudtrail", "get_trail_status"): delivered,
        ("iam", "get_credential_report"): {**report, "GeneratedTime": now - timedelta(hours=1)},
        **dict(changed or {}),
    }
    session = session or FakeSession(state)
    times = iter([now, now + timedelta(seconds=3)])
    return collect(
        CONTROLS,
        boundary or Boundary(),
        Reader(session, clock=lambda: now),  # pyright: ignore[reportArgumentType]
        "us-east-1",
        store,
        signer,
        collector=lambda _: {"version": "0", "code_sha256": "0" * 64, "trigger": "test"},
        clock=lambda: next(times),
    )


def checks(outcome: Outcome) -> dict[str, str]:
    return {
        id: str(check["status"])
        for control in outcome.status["controls"].values()
        for id, check in control["checks"].items()
    }


NOT_YET = {
    **{id: "UNKNOWN" for c in CONTROLS for id, check in c.checks.items() if check.manual},
    "restore_test": "PASS",  # which AWS Backup can show
    "evidence_schedule": "NOT_APPLICABLE",
}
ALL_GOOD = {id: NOT_YET.get(id, "PASS") for c in CONTROLS for id in c.checks}
PER_REGION = {id for c in CONTROLS for id, check in c.checks.items() if check.per_region}


def test_a_run_is_recorded_signed_chained_and_verifies() -> None:
    store = MemoryStore()
    first, second = run(store), run(store, now=NOW + timedelta(days=1))
    assert checks(first) == ALL_GOOD
    assert checks(second) == {**ALL_GOOD, "evidence_schedule": "PASS"}
    assert first.statement and second.statement and second.statement.sequence == 2
    assert second.earlier == json.loads(json.dumps(first.status))
    found = verify(store, keys={f"aws-{ACCOUNT}": key("a").keyid}, now=NOW + timedelta(days=2))
    assert (found.ok, found.trust, found.findings) == (True, "trusted", ())


def test_what_is_stored_is_what_the_contract_says() -> None:
    store = MemoryStore()
    outcome = run(store)
    folder = f"daily/2026-11-23/aws-{ACCOUNT}/{outcome.status['run']}"
    names = {v.key for v in store.versions()}
    assert names == {
        *(f"{folder}/answers/{c.key}.ndjson" for c in CONTROLS),
        f"{folder}/boundary.json",
        f"{folder}/control-status.json",
        f"keys/{key('a').keyid}.pem",
        f"ledger/aws-{ACCOUNT}/00000001.dsse.json",
    }
    status = json.loads(store.get(f"{folder}/control-status.json"))
    assert status["schema"] == "soc2-control-status/v1"
    assert status["collection_timestamp"] == "2026-11-23T00:00:05.000Z"
    assert status["regions"] == {
        "expected": ["eu-west-1", "us-east-1"],
        "collected": ["eu-west-1", "us-east-1"],
    }
    assert status["collector"]["principal_arn"] == ARN
    assert status["controls"]["ebs_encryption"]["number"] == 7
    ebs = status["controls"]["ebs_encryption"]["checks"]["ebs_encryption"]
    assert (ebs["population"], ebs["observed"], ebs["denied"], ebs["exclusions"]) == (2, 2, 0, [])
    for name, digest in status["files"].items():
        assert hashlib.sha256(store.get(f"{folder}/{name}")).hexdigest() == digest


def told(parameters: Mapping[str, Any]) -> str:
    return json.dumps(plain(parameters), sort_keys=True)


def test_the_answers_hold_every_question_with_its_parameters() -> None:
    store = MemoryStore()
    session = FakeSession(ACCOUNT_STATE)
    run(store, session=session)
    lines = [
        json.loads(line)
        for v in store.versions()
        if v.key.endswith(".ndjson")
        for line in store.get(v.key).splitlines()
    ]
    kept = {(x["region"], x["service"], x["operation"], told(x["parameters"])) for x in lines}
    assert kept == {(r, s, api(o), told(p)) for r, s, o, p in session.calls}
    assert len(session.calls) == len({str(call) for call in session.calls}), "asked twice"


def test_declared_permissions_are_those_used() -> None:
    session = FakeSession(ACCOUNT_STATE)
    run(MemoryStore(), session=session)
    used = {action(service, api(operation)) for _, service, operation, _ in session.calls}
    declared = {a for control in CONTROLS for a in control.reads}
    assert used - {"sts:GetCallerIdentity"} <= declared  # which needs no permission
    assert declared - used == {  # of these there is nothing here; the controls' own tests have some
        "directconnect:DescribeDirectConnectGatewayAssociations",
        "ec2:DescribeClientVpnTargetNetworks",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeVpcEndpointServicePermissions",
        "guardduty:GetFilter",
        "guardduty:GetFindings",
        "guardduty:ListFilters",
    }


REPORTED = {"mfa", "root_access_keys", "console_users", "access_keys"}
WAYS_IN = (
    *("network_acls", "subnets", "route_tables", "vpc_peering_connections", "vpn_gateways"),
    *("transit_gateway_vpc_attachments", "client_vpn_endpoints"),
    "vpc_endpoint_service_configurations",
)
# What becomes unknown without one answer; what is not here is asked only where there is something
# to ask about, which this account has not, or decides nothing.
NEEDED_BY: dict[tuple[str, str], set[str]] = {
    ("backup", "list_restore_jobs"): {"restore_test"},
    ("cloudtrail", "describe_trails"): {"cloudtrail", "cloudtrail_validation"},
    ("cloudtrail", "get_event_selectors"): {"cloudtrail"},
    ("cloudtrail", "get_trail_status"): {"cloudtrail"},
    ("cloudtrail", "lookup_events"): {"guardduty_review"},
    ("ec2", "describe_flow_logs"): {"vpc_flow_logs"},
    ("ec2", "describe_regions"): PER_REGION,
    ("ec2", "describe_volumes"): {"ebs_volumes"},
    ("ec2", "describe_vpcs"): {"network_segmentation", "vpc_flow_logs"},
    ("ec2", "get_ebs_encryption_by_default"): {"ebs_encryption"},
    **{("ec2", f"describe_{name}"): {"network_segmentation"} for name in WAYS_IN},
    ("guardduty", "get_detector"): {"guardduty", "guardduty_findings"},
    ("guardduty", "list_detectors"): {"guardduty", "guardduty_findings", "guardduty_review"},
    ("guardduty", "list_findings"): {"guardduty_findings", "guardduty_review"},
    ("iam", "generate_credential_report"): REPORTED,
    ("iam", "get_account_authorization_details"): {"unused_roles"},
    ("iam", "get_account_password_policy"): {"password_policy"},
    ("iam", "get_account_summary"): {"mfa", "root_access_keys"},
    ("iam", "get_credential_report"): REPORTED,
    ("iam", "list_users"): {"mfa", "console_users", "access_keys"},
    ("ram", "get_resource_share_associations"): {"network_segmentation"},
    ("rds", "describe_db_clusters"): {"rds_encryption", "backups"},
    ("rds", "describe_db_instances"): {"rds_encryption", "backups"},
    ("s3", "get_bucket_policy"): {"evidence_store"},
    ("s3", "get_bucket_versioning"): {"evidence_store"},
    ("s3", "get_object_lock_configuration"): {"evidence_store"},
    ("s3", "get_public_access_block"): {"evidence_store"},
    ("s3control", "get_public_access_block"): {"s3_block_public_access"},
    ("secretsmanager", "describe_secret"): {"secrets_rotation"},
    ("secretsmanager", "list_secrets"): {"secrets_rotation"},
}


@pytest.mark.parametrize("question", sorted(set(ACCOUNT_STATE) - {("sts", "get_caller_identity")}))
def test_a_denied_action_makes_unknown_exactly_what_needs_it(question: tuple[str, str]) -> None:
    unseen = NEEDED_BY.get(question, set())
    outcome = run(MemoryStore(), {question: refused("AccessDenied", api(question[1]))})
    assert checks(outcome) == {
        id: "UNKNOWN" if id in unseen else status for id, status in ALL_GOOD.items()
    }
    assert outcome.recorded
    remedies = {
        o.get("remedy")
        for control in outcome.status["controls"].values()
        for id, check in control["checks"].items()
        for o in check["observations"]
        if id in unseen and o["status"] == "UNKNOWN"
    }
    assert all(action(question[0], api(question[1])) in str(remedy) for remedy in remedies)


def test_a_region_that_does_not_answer_is_not_collected() -> None:
    denied = refused("AccessDenied", "GetEbsEncryptionByDefault")
    outcome = run(MemoryStore(), {("eu-west-1", "ec2", "get_ebs_encryption_by_default"): denied})
    assert outcome.status["regions"]["collected"] == ["us-east-1"]


def test_enabled_but_unlisted_regions_are_exclusions() -> None:
    outcome = run(MemoryStore(), boundary=parse({"regions": ["us-east-1"]}))
    ebs = outcome.status["controls"]["ebs_encryption"]["checks"]["ebs_encryption"]
    assert [e["subject"] for e in ebs["exclusions"]] == ["eu-west-1"]
    assert ebs["status"] == "PASS"


def test_a_foreign_account_is_refused_before_anything_is_written() -> None:
    store = MemoryStore()
    with pytest.raises(WrongAccount, match="123456789012"):
        run(store, boundary=parse({"accounts": ["999999999999"]}))
    assert list(store.versions()) == []


def test_credentials_that_are_not_accepted_at_all_are_told() -> None:
    with pytest.raises(CannotLook, match="not accepted"):
        run(
            MemoryStore(),
            {("sts", "get_caller_identity"): refused("ExpiredToken", "GetCallerIdentity")},
        )


def test_a_store_that_refuses_leaves_the_verdicts_with_the_caller() -> None:
    outcome = run(MemoryStore(lambda key, number: "denied"))
    assert not outcome.recorded and "AccessDenied" in str(outcome.trouble)
    assert checks(outcome) == ALL_GOOD


def test_writes_whose_answers_are_lost_are_one_run() -> None:
    store = MemoryStore(lambda key, number: "lost" if number % 2 else None)
    assert run(store).recorded
    assert verify(store, now=NOW).ok


def test_a_run_that_cannot_be_signed_is_named_by_the_next() -> None:
    store = MemoryStore()
    run(store)
    unsealed = run(store, signer=Broken(), now=NOW + timedelta(days=1))
    assert not unsealed.recorded and "enable the key again" in str(unsealed.trouble)
    third = run(store, now=NOW + timedelta(days=2))
    assert third.recorded
    found = verify(store, now=datetime.now(UTC) + timedelta(days=3))
    assert {f.kind for f in found.findings} == {"unsealed"}
    named = {f.path for f in found.findings}
    assert any(unsealed.status["run"] in str(path) for path in named)


def test_the_first_run_of_all_that_cannot_be_signed_is_named_too() -> None:
    store = MemoryStore()
    run(store, signer=Broken())
    run(store, now=NOW + timedelta(days=1))
    found = verify(store, now=NOW + timedelta(days=2))
    assert {f.kind for f in found.findings} == {"unsealed"}
