"""What runs in production, by digest, and how long its findings have been open."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from cdk_soc2.boundary import SlaDays
from cdk_soc2.evidence.ledger import append
from cdk_soc2.evidence.record import sha256
from cdk_soc2.sources.now import production
from cdk_soc2.sources.production import (
    Running,
    Scans,
    Weakness,
    running_applications,
    scans_in,
    standing,
)
from tests.evidence.memory import MemoryStore
from tests.sources.github.world import NOW, World, ago, deployment, run, sha, status

DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64
IMAGE = f"registry.example/shop@{DIGEST}"
SHOP = "/repos/acme/shop"


def runs(*images: str) -> Running:
    return Running("github-acme", "acme/shop", "production", "c0ffee", images, NOW)


def weak(severity: str, days: float | None, digest: str = DIGEST) -> Weakness:
    since = None if days is None else NOW - timedelta(days=days)
    return Weakness(digest, "CVE-1", severity, since)


SEEN = frozenset({DIGEST})
CASES: dict[str, tuple[Running, Scans, bool | None, str]] = {
    "nothing found": (runs(IMAGE), Scans(SEEN, ()), True, "0 severe findings, none overdue"),
    "critical, in time": (runs(IMAGE), Scans(SEEN, (weak("CRITICAL", 30),)), True, "none overdue"),
    "critical, late": (runs(IMAGE), Scans(SEEN, (weak("CRITICAL", 31),)), False, "CVE-1 CRITICAL, 31"),
    "high, late": (runs(IMAGE), Scans(SEEN, (weak("HIGH", 91),)), False, "CVE-1 HIGH, 91 days"),
    "medium": (runs(IMAGE), Scans(SEEN, (weak("MEDIUM", 900),)), True, "0 severe"),
    "of another image": (runs(IMAGE), Scans(SEEN, (weak("HIGH", 900, OTHER),)), True, "0 severe"),
    "no date": (runs(IMAGE), Scans(SEEN, (weak("HIGH", None),)), None, "since when"),
    "never scanned": (runs(IMAGE), Scans(frozenset({OTHER}), ()), None, "no scan of it"),
    "no digest": (runs(), Scans(SEEN, ()), None, "commit c0ffee; no image's digest"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_standing(name: str) -> None:
    running, scans, ok, said = CASES[name]
    [seen] = standing([running], scans, SlaDays(), NOW)
    assert (seen.ok, said in seen.detail) == (ok, True), seen.detail
    assert (seen.remedy is None) is (ok is True)


LINES: list[Mapping[str, Any]] = [
    {"operation": "DescribeImages", "answer": {"imageDetails": [
        {"imageDigest": DIGEST, "imageScanStatus": {"status": "ACTIVE"}},
        {"imageDigest": OTHER}]}},
    {"operation": "ListFindings", "answer": {"findings": [
        {"status": "ACTIVE", "severity": "HIGH", "firstObservedAt": ago(days=3),
         "packageVulnerabilityDetails": {"vulnerabilityId": "CVE-2"},
         "resources": [{"details": {"awsEcrContainerImage": {"imageHash": DIGEST}}}]},
        {"status": "SUPPRESSED"}]}},
    {"operation": "DescribeImageScanFindings", "answer": {"imageId": {"imageDigest": OTHER},
        "imageScanFindings": {"findings": [{"name": "CVE-3", "severity": "CRITICAL"}]}}},
    {"operation": "ListFindings", "error": {"code": "AccessDenied"}},
]  # fmt: skip


def test_what_aws_found_is_read_by_digest() -> None:
    scans = scans_in(LINES)
    assert scans.digests == {DIGEST}  # the other was never scanned
    assert {(w.digest, w.id, w.severity) for w in scans.found} == {
        (DIGEST, "CVE-2", "HIGH"),
        (OTHER, "CVE-3", "CRITICAL"),
    }


def test_what_argo_cd_runs_is_read() -> None:
    item = {
        "metadata": {"name": "shop"},
        "spec": {"destination": {"name": "prod"}},
        "status": {"summary": {"images": [IMAGE, "nginx:1"]}, "sync": {"revision": "c0ffee"}},
    }
    line = {"operation": "GET /api/v1/applications", "answer": {"items": [item]}}
    [found] = running_applications([line], "argocd-main")
    assert (found.system, found.environment, found.images) == ("shop", "prod", (IMAGE,))


def test_the_vault_tells_what_runs_and_what_was_found() -> None:
    made_up, store = World(), MemoryStore()
    made_up.answers[f"{SHOP}/deployments"] = [
        deployment(8, "m3", at=ago(days=1)),
        deployment(7, "m2", at=ago(days=40), payload={"image": IMAGE}),
        deployment(6, "m1", at=ago(days=50), payload={"image": OTHER}),
    ]
    made_up.answers[f"{SHOP}/deployments/8/statuses"] = [status("failure")]
    made_up.answers[f"{SHOP}/deployments/7/statuses"] = [status("success", at=ago(days=40))]
    run(made_up.hub(), store=store)
    path = "daily/2026-11-22/aws-123456789012/010000Z-00000001/answers/image_scanning.ndjson"
    body = b"".join(json.dumps(line).encode() + b"\n" for line in LINES)
    store.put(path, body)
    append(
        store, None, source="aws-123456789012", run="010000Z-00000001",
        subject=[(path, sha256(body))], predicate={},
    )  # fmt: skip
    running, scans, sources = production(store)
    assert [(r.commit, r.images) for r in running] == [(sha("m2"), (IMAGE,))]
    assert scans.digests == {DIGEST} and sources == ["aws-123456789012", "github-acme"]
