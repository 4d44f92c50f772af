"""The one message a run may send: what is wrong, what changed since the last run first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cdk_soc2.evidence.record import troubled

WRONG = ("FAIL", "UNKNOWN")
SUBJECT_LENGTH = 100  # SNS refuses more
BODY_BYTES = 250_000  # SNS refuses more than 256 KB


@dataclass(frozen=True)
class Alert:
    """:param subject: one line of ASCII, as SNS wants it."""

    subject: str
    body: str


def alert(
    status: Mapping[str, Any],
    earlier: Mapping[str, Any] | None,
    where: str,
    trouble: str | None = None,
) -> Alert | None:
    """The message about the verdicts in *status*, or ``None`` when there is nothing to say.

    :param earlier: the last run's document, to tell what changed.
    :param where: where the evidence lies.
    :param trouble: why the evidence was not recorded; told before all else.
    """
    now, before = dict(_checks(status)), dict(_checks(earlier or {}))
    wrong = {id: c for id, c in now.items() if c["status"] in WRONG}
    changed = [id for id in wrong if id in before and before[id]["status"] != wrong[id]["status"]]
    new = [id for id in wrong if id not in before]
    if not troubled(status) and not changed and trouble is None:
        return None  # documents that are not due yet are no news
    still = [id for id in wrong if id not in changed and id not in new]
    mended = [
        id for id, c in before.items() if c["status"] in WRONG and id in now and id not in wrong
    ]
    failing = sum(c["status"] == "FAIL" for c in wrong.values())
    parts = [
        *([f"EVIDENCE NOT RECORDED: {trouble}"] if trouble else []),
        f"Account {status['account_id']}, run {status['run']} of {status['collection_date']}.",
        *_part("Changed since the last run", wrong, changed, before),
        *_part("New" if earlier else "Found", wrong, new, before),
        *_part("As before", wrong, still, before),
    ]
    if mended:
        parts.append("Mended since the last run: " + ", ".join(mended))
    parts.append(f"Evidence: {where}")
    subject = ("EVIDENCE NOT RECORDED " if trouble else "") + (
        f"SOC 2 {status['account_id']} {status['collection_date']}: {failing} failed, "
        f"{len(wrong) - failing} unknown, {len(changed) + len(new)} new"
    )
    body = "\n\n".join(parts).encode()[:BODY_BYTES].decode(errors="ignore")
    return Alert(subject.encode("ascii", "replace").decode()[:SUBJECT_LENGTH], body)


def _checks(status: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for control in status.get("controls", {}).values():
        yield from control["checks"].items()


def _part(
    title: str,
    wrong: Mapping[str, Mapping[str, Any]],
    ids: list[str],
    before: Mapping[str, Mapping[str, Any]],
) -> Iterator[str]:
    if not ids:
        return
    lines = [f"{title}:"]
    for id in ids:
        check = wrong[id]
        was = f" (was {before[id]['status']})" if id in before else ""
        lines.append(f"  {check['status']} {id}{was}: {check['detail']}")
        remedies = {o["remedy"] for o in check["observations"] if o.get("remedy")}
        lines += [f"    -> {remedy}" for remedy in sorted(remedies)[:3]]
    yield "\n".join(lines)
