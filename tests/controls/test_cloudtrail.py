"""Control 3: what counts as a trail that records everything."""

from datetime import timedelta
from typing import Any

import pytest

from cdk_soc2.controls.cloudtrail.control import CLOUDTRAIL
from tests.controls.states import findings, verdicts
from tests.fakes import HOME, NOW, Absent, Denied

ARN = "arn:aws:cloudtrail:us-east-1:123456789012:trail/main"
OTHER = "arn:aws:cloudtrail:eu-west-1:999999999999:trail/organization"
TRAIL = {
    "Name": "main",
    "TrailARN": ARN,
    "HomeRegion": HOME,
    "IsMultiRegionTrail": True,
    "IncludeGlobalServiceEvents": True,
    "LogFileValidationEnabled": True,
    "IsOrganizationTrail": False,
}
STATUS = {
    "IsLogging": True,
    "LatestDeliveryTime": NOW - timedelta(minutes=5),
    "StartLoggingTime": NOW - timedelta(days=30),
}
ALL = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}


def advanced(*fields: dict[str, Any]) -> dict[str, Any]:
    management = {"Field": "eventCategory", "Equals": ["Management"]}
    return {
        "AdvancedEventSelectors": [
            {
                "Name": "all",
                "FieldSelectors": [management, *({"Field": f.pop("f"), **f} for f in fields)],
            }
        ]
    }


def state(
    *trails: dict[str, Any],
    status: Any = STATUS,
    selectors: Any = None,
    per_trail: dict[str, Any] | None = None,
) -> dict[tuple[str, ...], Any]:
    return {
        ("cloudtrail", "describe_trails"): {"trailList": list(trails)},
        ("cloudtrail", "get_trail_status"): status,
        ("cloudtrail", "get_event_selectors"): selectors or {"EventSelectors": [ALL]},
        **{("cloudtrail", "get_trail_status", arn): s for arn, s in (per_trail or {}).items()},
    }


def without(name: str, record: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in record.items() if k != name}


P, F, U = "PASS", "FAIL", "UNKNOWN"
SHADOW = {**TRAIL, "TrailARN": OTHER, "HomeRegion": "eu-west-1", "IsOrganizationTrail": True}
STOPPED = {**STATUS, "IsLogging": False}
NEW = {"IsLogging": True, "StartLoggingTime": NOW - timedelta(minutes=3)}

STATES = {
    # name: (answers, cloudtrail, cloudtrail_validation)
    "good": (state(TRAIL), P, P),
    "no trail": (state(), F, F),
    "stopped": (state(TRAIL, status=STOPPED), F, P),
    "one region": (state({**TRAIL, "IsMultiRegionTrail": False}), F, F),
    "no global services": (state({**TRAIL, "IncludeGlobalServiceEvents": False}), F, P),
    "no validation": (state({**TRAIL, "LogFileValidationEnabled": False}), P, F),
    "delivery fails": (
        state(TRAIL, status={**STATUS, "LatestDeliveryError": "NoSuchBucket"}),
        F,
        P,
    ),
    "empty error is none": (state(TRAIL, status={**STATUS, "LatestDeliveryError": ""}), P, P),
    "new, nothing delivered yet": (state(TRAIL, status=NEW), P, P),
    "old, never delivered": (state(TRAIL, status=without("LatestDeliveryTime", STATUS)), F, P),
    "delivery is stale": (
        state(TRAIL, status={**STATUS, "LatestDeliveryTime": NOW - timedelta(hours=25)}),
        F,
        P,
    ),
    "restarted an hour ago": (
        state(
            TRAIL,
            status={
                **STATUS,
                "LatestDeliveryTime": NOW - timedelta(days=9),
                "StartLoggingTime": NOW - timedelta(hours=1),
            },
        ),
        P,
        P,
    ),
    "read only": (
        state(TRAIL, selectors={"EventSelectors": [{**ALL, "ReadWriteType": "ReadOnly"}]}),
        F,
        P,
    ),
    "write only": (
        state(TRAIL, selectors={"EventSelectors": [{**ALL, "ReadWriteType": "WriteOnly"}]}),
        F,
        P,
    ),
    "read and write apart": (
        state(
            TRAIL,
            selectors={
                "EventSelectors": [
                    {**ALL, "ReadWriteType": "ReadOnly"},
                    {**ALL, "ReadWriteType": "WriteOnly"},
                ]
            },
        ),
        P,
        P,
    ),
    "without KMS": (
        state(
            TRAIL,
            selectors={
                "EventSelectors": [{**ALL, "ExcludeManagementEventSources": ["kms.amazonaws.com"]}]
            },
        ),
        F,
        P,
    ),
    "data events only": (
        state(TRAIL, selectors={"EventSelectors": [{**ALL, "IncludeManagementEvents": False}]}),
        F,
        P,
    ),
    "advanced, all": (state(TRAIL, selectors=advanced()), P, P),
    "advanced, read only": (
        state(TRAIL, selectors=advanced({"f": "readOnly", "Equals": ["true"]})),
        F,
        P,
    ),
    "advanced, without KMS": (
        state(TRAIL, selectors=advanced({"f": "eventSource", "NotEquals": ["kms.amazonaws.com"]})),
        F,
        P,
    ),
    "advanced, data only": (
        state(
            TRAIL,
            selectors={
                "AdvancedEventSelectors": [
                    {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}
                ]
            },
        ),
        F,
        P,
    ),
    "organization's, home elsewhere": (state(SHADOW), P, P),
    "one of two is good": (state(TRAIL, SHADOW, per_trail={OTHER: STOPPED}), P, P),
    "the good one does not validate": (
        state({**TRAIL, "LogFileValidationEnabled": False}, SHADOW, per_trail={OTHER: STOPPED}),
        P,
        F,
    ),
    "the stopped one does not validate": (
        state(TRAIL, {**SHADOW, "LogFileValidationEnabled": False}, per_trail={OTHER: STOPPED}),
        P,
        P,
    ),
    "one good, one unseen": (state(TRAIL, SHADOW, per_trail={OTHER: Denied()}), P, P),
    "one stopped, one unseen": (
        state(TRAIL, SHADOW, status=STOPPED, per_trail={OTHER: Denied()}),
        F,
        P,
    ),
    "list denied": ({}, U, U),
    "status denied": (state(TRAIL, status=Denied()), U, P),
    "status gone": (state(TRAIL, status=Absent("TrailNotFoundException")), U, P),
    "selectors denied": (state(TRAIL) | {("cloudtrail", "get_event_selectors"): Denied()}, U, P),
    "null in the answer": (state({**TRAIL, "IsMultiRegionTrail": None}), U, U),
    "logging is a word": (state(TRAIL, status={**STATUS, "IsLogging": "true"}), U, P),
    "no selectors field": (state(TRAIL, selectors={"TrailARN": ARN}), F, P),
    "list is null": ({("cloudtrail", "describe_trails"): {"trailList": None}}, U, U),
}


@pytest.mark.parametrize("name", STATES)
def test_state(name: str) -> None:
    answers, cloudtrail, validation = STATES[name]
    assert verdicts(CLOUDTRAIL, answers) == {
        "cloudtrail": cloudtrail,
        "cloudtrail_validation": validation,
    }


def test_a_pass_says_how_many_of_how_many_and_what_decided() -> None:
    found = findings(CLOUDTRAIL, state(TRAIL, SHADOW, per_trail={OTHER: STOPPED}))["cloudtrail"]
    assert (found.population, found.observed, found.denied) == (2, 1, 0)
    assert "1 of 1 trails" in found.detail and ARN in found.detail and "2026-11-2" in found.detail
    assert "logging is stopped" in found.exclusions[0].reason


def test_a_trail_is_asked_in_its_home_region() -> None:
    answers = state(SHADOW)
    answers["eu-west-1", "cloudtrail", "get_trail_status"] = answers.pop(
        ("cloudtrail", "get_trail_status")
    )
    assert verdicts(CLOUDTRAIL, answers)["cloudtrail"] == "PASS"
