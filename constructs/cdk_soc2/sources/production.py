"""What runs in production now, by image digest, and how long what was found in it has been open.

Pure: GitHub's and Argo CD's runs tell what runs, AWS's runs what scanners found, by digest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from cdk_soc2.answers import may, records, want
from cdk_soc2.boundary import SlaDays
from cdk_soc2.control import Observed
from cdk_soc2.evidence.layout import moment
from cdk_soc2.evidence.spool import plain

IMAGE = re.compile(r"(?:[\w.:/-]+@)?sha256:[0-9a-f]{64}")
SEVERE = ("CRITICAL", "HIGH")
NO_DIGEST = "Deploy images by digest, and name it in the deployment's payload or the manifest."
NOT_SCANNED = "Scan the image in its registry, and collect the registry's account into this vault."


@dataclass(frozen=True, slots=True)
class Running:
    """Something that runs in production.

    :param source: who told it, as in the vault.
    :param images: with their digests, ``registry/name@sha256:…`` or the digest alone.
    :param since: when it was deployed; ``None`` where that is not told.
    """

    source: str
    system: str
    environment: str
    commit: str
    images: tuple[str, ...]
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Weakness:
    """One open finding in one image. ``since``: when it was first seen; ``None``: not told."""

    digest: str
    id: str
    severity: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Scans:
    """What scanners looked at, and what they found there."""

    digests: frozenset[str]
    found: tuple[Weakness, ...]


def standing(
    running: Iterable[Running], scans: Scans, sla: SlaDays, now: datetime
) -> Iterator[Observed]:
    """Of every image in production: is a severe finding in it older than it may be?"""
    by_digest: dict[str, list[Weakness]] = {}
    for weakness in scans.found:
        by_digest.setdefault(weakness.digest, []).append(weakness)
    for r in running:
        subject = f"{r.system} in {r.environment}"
        if not r.images:
            told = f"commit {r.commit or 'unknown'}; no image's digest is told"
            yield Observed(None, subject, told, remedy=NO_DIGEST)
        for image in r.images:
            digest = image.rpartition("@")[2]
            if digest in scans.digests:
                yield _judged(subject, image, by_digest.get(digest, ()), sla, now)
            else:
                told = f"{image}: no scan of it is in this vault"
                yield Observed(None, subject, told, remedy=NOT_SCANNED)


def _judged(
    subject: str, image: str, found: Sequence[Weakness], sla: SlaDays, now: datetime
) -> Observed:
    days = {"CRITICAL": sla.critical, "HIGH": sla.high}
    late: list[str] = []
    undated: list[str] = []
    for w in found:
        if w.severity not in days:
            continue
        if w.since is None:
            undated.append(f"{w.id} {w.severity}")
        elif now - w.since > timedelta(days=days[w.severity]):
            late.append(f"{w.id} {w.severity}, {(now - w.since).days} days")
    severe = sum(w.severity in days for w in found)
    told = f"{image}: {severe} severe findings"
    if late:
        return Observed(
            False, subject, f"{told}; overdue: {', '.join(late)}", remedy="Rebuild and deploy it."
        )
    if undated:
        remedy = "Use a scanner that tells when a finding was first seen."
        return Observed(None, subject, f"{told}; since when: {', '.join(undated)}", remedy=remedy)
    return Observed(True, subject, f"{told}, none overdue")


def images_in(told: str) -> tuple[str, ...]:
    """Every image that *told* names by its digest."""
    return tuple(dict.fromkeys(IMAGE.findall(told)))


def as_document(running: Iterable[Running]) -> bytes:
    """``production.json``, as a run keeps it."""
    document = {"schema": "soc2-production/v1", "running": [asdict(r) for r in running]}
    return (json.dumps(plain(document), indent=2, ensure_ascii=False) + "\n").encode()


def running_in(document: Mapping[str, Any]) -> Iterator[Running]:
    """What a run of GitHub's left in ``production.json``. Raises :class:`CannotLook`."""
    for told in records(document, "running"):
        since = may(told, "since", str)
        yield Running(
            want(told, "source", str),
            want(told, "system", str),
            want(told, "environment", str),
            want(told, "commit", str),
            tuple(str(image) for image in want(told, "images", list)),
            moment(since) if since else None,
        )


def running_applications(lines: Iterable[Mapping[str, Any]], source: str) -> Iterator[Running]:
    """What Argo CD says its applications run, from the answers that its run kept."""
    for line in lines:
        answer = line.get("answer")
        if line.get("operation") != "GET /api/v1/applications" or not isinstance(answer, Mapping):
            continue
        for item in cast(Mapping[str, Any], answer).get("items") or ():
            meta, status = want(item, "metadata", dict), may(item, "status", dict) or {}
            summary, sync = may(status, "summary", dict) or {}, may(status, "sync", dict) or {}
            where = may(may(item, "spec", dict) or {}, "destination", dict) or {}
            yield Running(
                source,
                want(meta, "name", str),
                str(where.get("name") or where.get("server") or "?"),
                str(sync.get("revision") or ""),
                images_in(" ".join(map(str, summary.get("images") or ()))),
                None,
            )


def scans_in(lines: Iterable[Mapping[str, Any]]) -> Scans:
    """What ECR and Amazon Inspector said, from the answers that an AWS run kept."""
    digests: set[str] = set()
    found: dict[tuple[str, str], Weakness] = {}
    for line in lines:
        answer = line.get("answer")
        if not isinstance(answer, Mapping):
            continue
        told = cast(Mapping[str, Any], answer)
        if line.get("operation") == "DescribeImages":
            digests |= {d["imageDigest"] for d in told.get("imageDetails") or () if _scanned(d)}
        elif line.get("operation") == "DescribeImageScanFindings":
            digest = want(want(told, "imageId", dict), "imageDigest", str)
            for f in (told.get("imageScanFindings") or {}).get("findings") or ():
                w = Weakness(digest, str(f.get("name")), str(f.get("severity")), None)
                found[w.digest, w.id] = w
        elif line.get("operation") == "ListFindings":
            for w in (w for f in told.get("findings") or () for w in _inspected(f)):
                found[w.digest, w.id] = w
    return Scans(frozenset(digests), tuple(found.values()))


def _scanned(detail: Mapping[str, Any]) -> bool:
    return (detail.get("imageScanStatus") or {}).get("status") in ("ACTIVE", "COMPLETE")


def _inspected(finding: Mapping[str, Any]) -> Iterator[Weakness]:
    if finding.get("status") != "ACTIVE":
        return
    for resource in finding.get("resources") or ():
        image = (resource.get("details") or {}).get("awsEcrContainerImage") or {}
        if isinstance(image.get("imageHash"), str):
            id = (finding.get("packageVulnerabilityDetails") or {}).get("vulnerabilityId")
            yield Weakness(
                image["imageHash"],
                str(id or finding.get("findingArn")),
                want(finding, "severity", str),
                moment(want(finding, "firstObservedAt", str)),
            )
