"""An enabled detector in each region, made where there is none and adopted where there is one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from cdk_soc2.custom_resource import NotMade
from cdk_soc2.settings import State, Wanted

service = "guardduty"
regional = True
actions = (
    "guardduty:CreateDetector",
    "guardduty:GetAdministratorAccount",
    "guardduty:GetDetector",
    "guardduty:ListDetectors",
    "guardduty:UpdateDetector",
    "iam:CreateServiceLinkedRole",
)

FREQUENCIES = ("FIFTEEN_MINUTES", "ONE_HOUR", "SIX_HOURS")  # the quickest first
FOUNDATION = ("CLOUD_TRAIL", "DNS_LOGS", "FLOW_LOGS")  # part of every detector, not to be chosen


def read(client: Any, wanted: Wanted) -> State:
    """Is there a detector, enabled, with the wanted plans, and telling as often as wanted?

    What an administrator account has decided for its members is taken as it is.
    """
    id = _detector_id(client)
    if id is None:
        return State(False, "none")
    detector = client.get_detector(DetectorId=id)
    if detector["Status"] != "ENABLED":
        return State(False, "suspended")
    if not _additions(detector, wanted):
        return State(True, "on")
    by_others = _administrator(client, id) is not None
    return State(by_others, "on as its administrator chose" if by_others else "on with less")


def apply(client: Any, wanted: Wanted) -> None:
    """Make, enable or add; never disable what runs.

    A detector is made suspended: only then does it tell which optional plans the region has, all of
    which would otherwise start, and bill, by themselves. The ones not wanted are off before it runs.
    """
    id = _detector_id(client)
    if id is None:
        frequency = wanted["Frequency"]
        made = client.create_detector(Enable=False, FindingPublishingFrequency=frequency)
        id = made["DetectorId"]
    detector = client.get_detector(DetectorId=id)
    changes = _additions(detector, wanted)
    if detector["Status"] != "ENABLED":
        unwanted = [
            {"Name": name, "Status": "DISABLED"}
            for name, status in _plans(detector).items()
            if status == "ENABLED" and name not in wanted.get("Plans", [])
        ]
        features = [*changes.get("Features", []), *unwanted]
        changes |= {"Enable": True, **({"Features": features} if features else {})}
    try:
        client.update_detector(DetectorId=id, **changes)
    except ClientError as error:
        administrator = _administrator(client, id)
        if administrator is None:
            raise
        raise NotMade(
            f"{error}; account {administrator} administers GuardDuty here: have it enabled there"
        ) from error


def _detector_id(client: Any) -> str | None:
    """The region's detector: an account can have one."""
    return next(iter(client.list_detectors()["DetectorIds"]), None)


def _administrator(client: Any, id: str) -> str | None:
    """The account that administers GuardDuty for this one, if any does."""
    answer = client.get_administrator_account(DetectorId=id)
    return (answer.get("Administrator") or {}).get("AccountId")


def _plans(detector: Mapping[str, Any]) -> dict[str, str]:
    """The status of each optional plan that the region has."""
    features = detector.get("Features", [])
    return {f["Name"]: f["Status"] for f in features if f["Name"] not in FOUNDATION}


def _additions(detector: Mapping[str, Any], wanted: Wanted) -> dict[str, Any]:
    """What to change for more: quicker findings, and wanted plans that are off."""
    changes: dict[str, Any] = {}
    there, frequency = detector["FindingPublishingFrequency"], wanted["Frequency"]
    if FREQUENCIES.index(frequency) < FREQUENCIES.index(there):
        changes["FindingPublishingFrequency"] = frequency
    plans = _plans(detector)
    # Named only where it changes: GuardDuty refuses some pairs in one call, whatever their status.
    off = [name for name in wanted.get("Plans", []) if plans.get(name) == "DISABLED"]
    if off:
        changes["Features"] = [{"Name": name, "Status": "ENABLED"} for name in off]
    return changes
