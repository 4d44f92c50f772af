"""Control 4: detectors, open findings, and who archived what."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from cdk_soc2.boundary import parse
from cdk_soc2.controls.guardduty import GUARDDUTY
from tests.controls.states import findings, reads, reviewed, verdicts
from tests.fakes import NOW, Denied, FakeVault

DETECTOR = "12abc34d567e8fa901bc2d34e56789f0"
REGIONS = ("eu-west-1", "us-east-1")
LAST_RUN = NOW - timedelta(days=1)
VAULT = FakeVault(last={"collection_timestamp": f"{LAST_RUN:%Y-%m-%dT%H:%M:%S.000Z}"})
P, F, U, N = "PASS", "FAIL", "UNKNOWN", "NOT_APPLICABLE"
ENABLED, DISABLED = {"Status": "ENABLED"}, {"Status": "DISABLED"}
ADA = "arn:aws:sts::123456789012:assumed-role/Security/ada"


def text(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%S.000Z}"


def finding(
    id: str, *, severity: Any = 8.0, archived: Any = False, created: Any = None, **more: Any
) -> dict[str, Any]:
    return {
        "Id": id,
        "Arn": f"arn:{id}",
        "Type": "Backdoor:EC2/C&CActivity.B!DNS",
        "Severity": severity,
        "CreatedAt": text(NOW - timedelta(days=3)) if created is None else created,
        "UpdatedAt": text(NOW - timedelta(hours=1)),
        "Service": {"Archived": archived},
        **more,
    }


def call(*ids: str, **changed: Any) -> dict[str, Any]:
    told = {
        "userIdentity": {"arn": ADA},
        "requestParameters": {"detectorId": DETECTOR, "findingIds": list(ids)},
        **changed,
    }
    time = NOW - timedelta(hours=2)
    return {"EventId": "e", "EventTime": time, "CloudTrailEvent": json.dumps(told)}


def suppression(name: str, *types: str, action: Any = "ARCHIVE") -> dict[str, Any]:
    criteria = {"Criterion": {"type": {"Equals": list(types)}}}
    return {"Name": name, "Action": action, "FindingCriteria": criteria}


def state(
    *stored: dict[str, Any],
    detectors: Any = (DETECTOR,),
    detector: Any = ENABLED,
    calls: Any = (),
    rules: tuple[dict[str, Any], ...] = (),
    told: Any = None,
) -> dict[tuple[str, ...], Any]:
    """GuardDuty as it filters and pages; *told* is what GetFindings says instead."""
    by_id = {f["Id"]: f for f in stored}

    def listed(DetectorId: str, FindingCriteria: dict[str, Any]) -> dict[str, Any]:
        assert DetectorId == DETECTOR
        wanted = FindingCriteria["Criterion"]
        [archived] = wanted["service.archived"]["Equals"]
        since = wanted.get("updatedAt", {}).get("GreaterThanOrEqual", 0)
        return {
            "FindingIds": [
                f["Id"]
                for f in stored
                if str(f.get("Service", {}).get("Archived")).lower() == archived
                and f["Type"] in wanted.get("type", {}).get("Equals", [f["Type"]])
                and datetime.fromisoformat(f["UpdatedAt"]).timestamp() * 1000 >= since
            ]
        }

    def got(DetectorId: str, FindingIds: list[str]) -> Any:
        assert DetectorId == DETECTOR and 1 <= len(FindingIds) <= 50
        return {"Findings": [by_id[id] for id in FindingIds]} if told is None else told

    return {
        ("guardduty", "list_detectors"): {"DetectorIds": list(detectors)}
        if isinstance(detectors, tuple)
        else detectors,
        ("guardduty", "get_detector"): detector,
        ("guardduty", "list_findings"): listed,
        ("guardduty", "get_findings"): got,
        ("guardduty", "list_filters"): {"FilterNames": [r["Name"] for r in rules]},
        ("guardduty", "get_filter"): lambda DetectorId, FilterName: next(
            r for r in rules if r["Name"] == FilterName
        ),
        ("cloudtrail", "lookup_events"): {"Events": list(calls)}
        if isinstance(calls, tuple)
        else calls,
    }


OPEN, MEDIUM, LOW = finding("open"), finding("m", severity=6.9), finding("l", severity=1)
ARCHIVED = finding("gone", archived=True)
TODAY = text(NOW - timedelta(hours=3))
SUPPRESSED = finding("hidden", archived=True, created=TODAY)
EVENTS, FINDINGS = ("cloudtrail", "lookup_events"), ("guardduty", "get_findings")
LISTS = ("guardduty", "list_findings")

STATES: dict[str, tuple[dict[tuple[str, ...], Any], str, str, str]] = {
    # name: (answers, guardduty, guardduty_findings, guardduty_review)
    "good": (state(), P, P, P),
    "no detector": (state(detectors=()), F, U, N),
    "no detector in one region": (
        state() | {("eu-west-1", "guardduty", "list_detectors"): {"DetectorIds": []}}, F, U, P,
    ),
    "suspended": (state(detector=DISABLED), F, U, P),
    "suspended in one region": (
        state() | {("eu-west-1", "guardduty", "get_detector"): DISABLED}, F, U, P,
    ),
    "suspended, a finding is left": (state(OPEN, detector=DISABLED), F, F, P),
    "a high finding": (state(OPEN), P, F, P),
    "a critical finding": (state(finding("c", severity=9.5)), P, F, P),
    "a high finding, whole number": (state(finding("c", severity=7)), P, F, P),
    "severity just below": (state(MEDIUM, LOW), P, P, P),
    "a finding of just now": (state(finding("n", created=text(NOW))), P, F, P),
    "archived long ago": (state(ARCHIVED), P, P, P),
    "archived by somebody": (state(ARCHIVED, calls=(call("gone"),)), P, P, P),
    "archived by nobody named": (
        state(ARCHIVED, calls=(call("gone", userIdentity={}),)), P, P, U,
    ),
    "archived by a service": (
        state(ARCHIVED, calls=(call("gone", userIdentity={"invokedBy": "x.amazonaws.com"}),)),
        P, P, P,
    ),
    "made and archived by somebody elsewhere": (
        state(
            SUPPRESSED,
            calls=(call(requestParameters={"detectorId": "other", "findingIds": ["hidden"]}),),
        ),
        P, P, U,
    ),
    "made and archived by somebody": (state(SUPPRESSED, calls=(call("hidden"),)), P, P, P),
    "made and archived, the call was refused": (
        state(SUPPRESSED, calls=(call("hidden", errorCode="AccessDenied"),)), P, P, U,
    ),
    "made and archived by a rule": (
        state(SUPPRESSED, rules=(suppression("noise", SUPPRESSED["Type"]),)), P, P, P,
    ),
    "made and archived, a rule for others": (
        state(SUPPRESSED, rules=(suppression("noise", "Recon:EC2/Portscan"),)), P, P, U,
    ),
    "made and archived, a filter that archives nothing": (
        state(SUPPRESSED, rules=(suppression("v", SUPPRESSED["Type"], action="NOOP"),)), P, P, U,
    ),
    "made and archived, nothing tells by whom": (state(SUPPRESSED), P, P, U),
    "made and archived, filters denied": (
        state(SUPPRESSED) | {("guardduty", "list_filters"): Denied()}, P, P, U,
    ),
    "a rule without an action": (
        state(SUPPRESSED, rules=(suppression("v", SUPPRESSED["Type"], action=None),)), P, P, U,
    ),
    "too many calls": (
        state() | {EVENTS: {"Events": [call("a")], "NextToken": "more"}}, P, P, U,
    ),
    "calls denied": (state(calls=Denied()), P, P, U),
    "calls null": (state(calls={"Events": None}), P, P, U),
    "a call without a time": (state(calls=({**call("a"), "EventTime": None},)), P, P, U),
    "a call that is no JSON": (state(calls=({**call("a"), "CloudTrailEvent": "{"},)), P, P, U),
    "a call of nothing": (state(calls=(call("a", requestParameters=None),)), P, P, U),
    "detectors denied": ({}, U, U, U),
    "detectors null": (state(detectors={"DetectorIds": None}), U, U, U),
    "detectors are records": (state(detectors=({"Id": DETECTOR},)), U, U, U),
    "detector denied": (state(detector=Denied()), U, U, P),
    "detector denied, a finding is open": (state(OPEN, detector=Denied()), U, F, P),
    "detector null": (state(detector={"Status": None}), U, U, P),
    "detector is a word": (state(detector={"Status": "enabled"}), U, U, P),
    "findings denied": (state(OPEN) | {LISTS: Denied()}, P, U, U),
    "findings null": (state(OPEN) | {LISTS: {"FindingIds": None}}, P, U, U),
    "finding ids are numbers": (state(OPEN) | {LISTS: {"FindingIds": [1]}}, P, U, U),
    "finding unread": (state(OPEN) | {FINDINGS: Denied()}, P, U, P),
    "finding not told of": (state(OPEN, told={"Findings": []}), P, U, P),
    "finding of another id": (state(OPEN, told={"Findings": [finding("other")]}), P, U, P),
    "findings are words": (state(OPEN, told={"Findings": ["open"]}), P, U, P),
    "no findings": (state(OPEN, told={}), P, U, P),
    "severity null": (state(finding("x", severity=None)), P, U, P),
    "severity is a word": (state(finding("x", severity="8.0")), P, U, P),
    "severity is true": (state(finding("x", severity=True)), P, U, P),
    "severity is not a number": (state(finding("x", severity=float("nan"))), P, U, P),
    "severity null, another is open": (state(finding("x", severity=None), OPEN), P, F, P),
    "no service": (state(OPEN, told={"Findings": [{**OPEN, "Service": None}]}), P, U, P),
    "archived is a word": (
        state(OPEN, told={"Findings": [finding("open", archived="false")]}), P, U, P,
    ),
    "created is a word": (state(finding("x", created="yesterday")), P, U, P),
    "created without a zone": (state(finding("x", created="2026-11-20T00:00:00")), P, U, P),
    "archived while it was read": (
        state(OPEN, told={"Findings": [finding("open", archived=True)]}), P, P, P,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STATES)
def test_state(name: str) -> None:
    answers, detector, found, review = STATES[name]
    assert verdicts(GUARDDUTY, answers, regions=REGIONS, vault=VAULT) == {
        "guardduty": detector,
        "guardduty_findings": found,
        "guardduty_review": review,
    }


@pytest.mark.parametrize("name", STATES)
def test_what_is_not_good_has_a_remedy(name: str) -> None:
    found = findings(GUARDDUTY, STATES[name][0], regions=REGIONS, vault=VAULT).values()
    assert [o for f in found for o in f.observations if o.status in (F, U) and not o.remedy] == []


def test_it_reads_what_it_says() -> None:
    states = [answers for answers, *_ in STATES.values()]
    assert reads(GUARDDUTY, states, vault=VAULT) == set(GUARDDUTY.reads)


def test_every_open_finding_is_counted() -> None:
    many = [finding(f"f{n}") for n in range(120)]
    found = findings(GUARDDUTY, state(*many, MEDIUM, ARCHIVED), vault=VAULT)["guardduty_findings"]
    assert (found.population, found.observed) == (120, 120)
    assert found.detail.startswith("120 of 120 findings") and "and 117 more" in found.detail


@pytest.mark.parametrize(
    ("days", "created", "expected"),
    [
        (0, NOW + timedelta(seconds=3), F),
        (1, NOW - timedelta(days=1), P),
        (1, NOW - timedelta(days=1, seconds=1), F),
        (7, NOW - timedelta(days=6), P),
    ],
)
def test_a_finding_may_be_open_for_the_stated_days(
    days: int, created: datetime, expected: str
) -> None:
    boundary = parse({"sla_days": {"guardduty": days}})
    found = findings(GUARDDUTY, state(finding("x", created=text(created))), boundary=boundary)
    assert found["guardduty_findings"].status == expected
    assert text(created)[:19] in found["guardduty_findings"].detail


def test_it_is_told_who_archived_what_and_when() -> None:
    answers = state(ARCHIVED, calls=(call("gone", "gone-too"),))
    found = findings(GUARDDUTY, answers, vault=VAULT)["guardduty_review"]
    assert [o.subject for o in found.observations] == ["gone", "gone-too"]
    assert f"archived by {ADA} at 2026-11-22T22:00:05Z" in found.detail


def test_calls_are_looked_up_from_before_the_last_run() -> None:
    """CloudTrail shows a call late, so the last run has missed those just before it."""
    asked: list[dict[str, Any]] = []
    answers = state() | {EVENTS: lambda **p: asked.append(p) or {"Events": []}}
    verdicts(GUARDDUTY, answers, vault=VAULT)
    verdicts(GUARDDUTY, answers)
    assert [p["StartTime"] for p in asked] == [
        LAST_RUN.replace(microsecond=0) - timedelta(hours=1),
        NOW - timedelta(days=1),
    ]


def test_an_earlier_run_without_a_time_is_not_a_first_run() -> None:
    vault = FakeVault(last={"collection_timestamp": None})
    assert verdicts(GUARDDUTY, state(), vault=vault)["guardduty_review"] == U


TEMPLATES = {
    "enabled": ({"Enable": True}, P),
    "enabled, a word": ({"Enable": "true"}, P),
    "not enabled": ({"Enable": False}, F),
    "not said": ({}, F),
    "known at deploy time": ({"Enable": {"Ref": "P"}}, U),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_template(name: str) -> None:
    properties, expected = TEMPLATES[name]
    resources = {"D": {"Type": "AWS::GuardDuty::Detector", "Properties": properties}}
    assert reviewed(GUARDDUTY, resources) == {"detector_is_enabled": [expected]}
