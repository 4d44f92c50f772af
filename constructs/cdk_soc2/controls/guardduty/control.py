"""Control 4: threats are looked for everywhere, and what is found is dealt with."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_soc2.answers import malformed, want
from cdk_soc2.context import Context
from cdk_soc2.control import CannotLook, Control, Observed, Region, Status
from cdk_soc2.controls.guardduty.archived import archived
from cdk_soc2.controls.guardduty.findings import SEVERE, open_findings

GUARDDUTY = Control(
    number=4,
    key="guardduty",
    name="GuardDuty",
    claim="Threats are looked for in every region, and none that is severe is left open.",
    criteria=("CC7.2", "CC7.3", "CC7.4", "CC6.8"),
    handbook="CC7.2",
    reads=(
        "cloudtrail:LookupEvents",
        "guardduty:GetDetector",
        "guardduty:GetFilter",
        "guardduty:GetFindings",
        "guardduty:ListDetectors",
        "guardduty:ListFilters",
        "guardduty:ListFindings",
    ),
)

ENABLE = "Enable GuardDuty in {region}, or mend the detector that is there."


@GUARDDUTY.check_each_region(of="detectors")
def guardduty(region: Region, context: Context) -> Iterator[Observed]:
    """Every region has a detector, and it is enabled."""
    detectors = _detectors(region)
    if not detectors:
        yield Observed(False, region.name, "no detector", region.name, _enable(region))
    yield from region.each(detectors, str, lambda id: _detector(id, region))


@GUARDDUTY.check_each_region(of="findings or clean regions")
def guardduty_findings(region: Region, context: Context) -> Iterator[Observed]:
    """No finding of severity 7.0 or higher is open for longer than the stated days, by default 0."""
    detectors = _detectors(region)
    if not detectors:
        raise CannotLook("no detector, so nothing could be found", _enable(region))
    none_open = True
    for id in detectors:
        for observed in open_findings(region, id, context):
            none_open = False
            yield observed
    # A suspended detector keeps its findings and makes no more: none is then no answer.
    for looking in region.each(detectors, str, lambda id: _detector(id, region)):
        if looking.ok is not True:
            raise CannotLook(
                f"{looking.detail}: nothing looks for threats", looking.remedy or _enable(region)
            )
    if none_open:
        none = f"0 open findings of severity {SEVERE} or higher"
        yield Observed(True, region.name, none, region.name)


@GUARDDUTY.check_each_region(of="archived findings or quiet regions", empty=Status.NOT_APPLICABLE)
def guardduty_review(region: Region, context: Context) -> Iterator[Observed]:
    """Of every finding archived since the last run it is known who archived it, and when."""
    for id in _detectors(region):
        yield from archived(region, id, context)


def _detectors(region: Region) -> list[str]:
    ids: list[object] = [*region.list("guardduty", "list_detectors", "DetectorIds")]
    if not all(isinstance(id, str) for id in ids):
        raise malformed(f"DetectorIds is {ids!r}")
    return [str(id) for id in ids]


def _detector(id: str, region: Region) -> Observed:
    status = want(region.read("guardduty", "get_detector", DetectorId=id), "Status", str)
    if status not in ("ENABLED", "DISABLED"):
        raise malformed(f"Status of detector {id} is {status!r}")
    on = status == "ENABLED"
    return Observed(
        on, id, f"the detector is {status}", region.name, None if on else _enable(region)
    )


def _enable(region: Region) -> str:
    return ENABLE.format(region=region.name)
