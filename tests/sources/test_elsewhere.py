"""Changes that other sources recorded in the same vault, joined with GitHub's requests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from cdk_soc2.boundary import parse
from cdk_soc2.evidence.ledger import append
from cdk_soc2.evidence.record import sha256
from tests.evidence.memory import MemoryStore
from tests.sources.github.world import NOW, World, ago, check, run, sha, workflow_run

SHOP = "/repos/acme/shop"
ROLES = parse({"deploy_roles": ["deploy"]})


def recorded(source: str, name: str, body: bytes) -> MemoryStore:
    """A vault with one run of *source*, which left the file *name*."""
    store, folder = MemoryStore(), f"daily/2026-11-22/{source}/010000Z-00000001"
    path = f"{folder}/answers/{name}"
    store.put(path, body)
    window = {"start": ago(hours=2), "end": ago(hours=1)}
    append(
        store, None, source=source, run="010000Z-00000001", subject=[(path, sha256(body))],
        predicate={"window": window, "finished": True},
    )  # fmt: skip
    return store


def sync(*commits: str, **more: Any) -> bytes:
    change = {"kind": "sync", "id": "4", "system": "shop", "at": ago(hours=3), "by": "argocd",
              "commits": [sha(c) for c in commits]}  # fmt: skip
    return json.dumps({"changes": [change], **more}).encode()


def event(role: str, session: str, **more: Any) -> bytes:
    told = {
        "eventID": "e1",
        "eventTime": ago(hours=3),
        "userIdentity": {
            "principalId": f"AROA:{session}",
            "sessionContext": {"sessionIssuer": {"userName": role}},
        },
        "requestParameters": {"stackName": "shop"},
    } | more
    events = [{"EventName": "ExecuteChangeSet", "CloudTrailEvent": json.dumps(told)}]
    line = {"operation": "LookupEvents", "answer": {"Events": events}}
    return json.dumps(line).encode() + b"\n"


ARGO, AWS, EVENTS = "argocd-main", "aws-123456789012", "infrastructure_as_code.ndjson"
CASES: dict[str, tuple[str, str, bytes, str, str]] = {
    "a sync of what was approved": (ARGO, "changes.json", sync("m1"), "PASS", "sync by argocd"),
    "a sync of nothing known": (ARGO, "changes.json", sync("zz"), "FAIL", "comes from no request"),
    "a sync, others not seen": (ARGO, "changes.json", sync("m1", unseen=["till"]), "UNKNOWN", "till"),
    "a stack, by a workflow run": (AWS, EVENTS, event("deploy", "run-77"), "PASS", "by its session"),
    "a stack, by a person": (AWS, EVENTS, event("admin", "ada"), "FAIL", "is no deploy role"),
    "a stack, refused": (AWS, EVENTS, event("admin", "ada", errorCode="AccessDenied"), "PASS", "1 of 1"),
    "what nobody can read": (ARGO, "changes.json", b'{"changes": [{}]}', "UNKNOWN", "cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_joined(name: str) -> None:
    source, file, body, expected, said = CASES[name]
    made_up = World()
    made_up.merged(1)
    made_up.answers[f"{SHOP}/actions/runs"] = [
        workflow_run(77, "m1", ago(hours=4)) | {"updated_at": ago(hours=2)}
    ]
    outcome = run(made_up.hub(), store=recorded(source, file, body), boundary=ROLES)
    verdict = check(outcome, "change_log")
    assert (verdict["status"], said in verdict["detail"]) == (expected, True), verdict["detail"]


def test_a_vault_whose_other_ledgers_are_closed_is_said() -> None:
    class Closed(MemoryStore):
        def versions(self, prefix: str = "") -> Any:
            from cdk_soc2.evidence.store import StoreRefused

            if prefix == "ledger/":
                raise StoreRefused("s3:ListBucketVersions: AccessDenied")
            return super().versions(prefix)

    made_up = World()
    made_up.merged(1)
    verdict = check(run(made_up.hub(), store=Closed()), "change_log")
    assert verdict["status"] == "PASS"
    assert [e["subject"] for e in verdict["exclusions"]] == ["other sources"]


def test_a_file_that_was_changed_is_not_believed() -> None:
    store = recorded(ARGO, "changes.json", sync("m1"))
    [path] = [v.key for v in store.versions() if v.key.endswith("changes.json")]
    store.replace(path, sync("zz"))
    made_up = World()
    made_up.merged(1)
    verdict = check(run(made_up.hub(), store=store), "change_log")
    assert verdict["status"] == "UNKNOWN"
    assert "is not what its statement names" in verdict["detail"]


def test_a_source_that_was_silent_since_the_window_is_not_read() -> None:
    store = recorded(ARGO, "changes.json", sync("zz"))
    made_up = World()
    outcome = run(made_up.hub(), store=store, start=NOW - timedelta(minutes=30), end=NOW)
    found: Mapping[str, Any] = check(outcome, "change_log")
    assert found["status"] == "NOT_APPLICABLE"
