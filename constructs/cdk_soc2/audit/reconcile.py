"""Do the numbers of a ``control-status.json`` add up?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Set
from typing import Any, cast

from cdk_soc2.audit.verdicts import Unreadable, observations, records, status_of
from cdk_soc2.verdict import Status, worst


def reconcile(document: Mapping[str, Any], answered: Collection[str]) -> Iterator[str]:
    """Yield what does not fit: populations, verdicts, counts and regions.

    :param document: verdicts that :func:`~cdk_soc2.audit.verdicts.read_verdicts` has read.
    :param answered: regions that the run's raw answers are from; a trail's home may be out of scope.
    """
    regions: Any = document.get("regions")
    expected: Any = regions.get("expected") if isinstance(regions, dict) else None
    listed = cast(list[Any], expected) if isinstance(expected, list) else []
    known = {*(str(r) for r in listed), *answered}
    controls: dict[str, Any] = document["controls"]
    for key, control in controls.items():
        for id, check in control["checks"].items():
            try:
                yield from _check(id, check, known)
            except Unreadable as error:
                yield str(error)
        parts = worst(status_of(c.get("status")) for c in control["checks"].values())
        if control.get("status") != parts:
            yield f"{key}: it says {control.get('status')}, and its checks come to {parts}"
    yield from _summary(document, controls)


def _check(id: str, check: Mapping[str, Any], known: Set[str]) -> Iterator[str]:
    seen, left_out = observations(check, id), records(check, "exclusions", id)
    statuses = [status_of(o.get("status")) for o in seen]
    denied = statuses.count(Status.UNKNOWN)
    counted = {
        "population": len(seen) + len(left_out),
        "observed": len(seen) - denied,
        "denied": denied,
    }
    for field, count in counted.items():
        if check.get(field) != count:
            yield f"{id}: {field} is {check.get(field)}, and {count} are listed"
    if seen and check.get("status") != worst(statuses):
        yield f"{id}: it says {check.get('status')}, and what it saw comes to {worst(statuses)}"
    judged = {str(o["region"]) for o in seen if o.get("region") is not None}
    for region in sorted(judged - known):
        yield f"{id}: it judges {region}, where nothing was asked"


def _summary(document: Mapping[str, Any], controls: Mapping[str, Any]) -> Iterator[str]:
    summary: Any = document.get("summary")
    counts = {
        "controls": Counter(str(c.get("status")) for c in controls.values()),
        "checks": Counter(
            str(k.get("status")) for c in controls.values() for k in c["checks"].values()
        ),
    }
    for name, counted in counts.items():
        said: Any = summary.get(name) if isinstance(summary, dict) else None
        if not isinstance(said, dict) or Counter(cast("dict[str, int]", said)) != counted:
            yield f"summary.{name} is not what the verdicts come to"
