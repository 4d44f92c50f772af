"""LookupEvents with pages: ministack's ends after fifty events without saying that more exist."""

from collections.abc import Callable, Iterator
from typing import Any

from emulator.answers import Answer, as_json, error
from ministack.services import cloudtrail

_PAGE = 50
_Event = dict[str, Any]


def install() -> None:
    cloudtrail._DISPATCH["LookupEvents"] = lookup


def lookup(request: dict[str, Any]) -> Answer:
    wanted = {
        one["AttributeKey"]: one["AttributeValue"] for one in request.get("LookupAttributes", [])
    }
    if len(wanted) > 1 or set(wanted) - set(_ATTRIBUTES):
        return error(
            "InvalidLookupAttributesException", f"one of {sorted(_ATTRIBUTES)}, not {wanted}"
        )
    found = [event for event in _newest_first(request) if _has(event, wanted)]
    start = int(request.get("NextToken") or 0)
    end = start + min(int(request.get("MaxResults") or _PAGE), _PAGE)
    more = {"NextToken": str(end)} if end < len(found) else {}
    return as_json({"Events": found[start:end]} | more)


def _newest_first(request: dict[str, Any]) -> Iterator[_Event]:
    earliest, latest = request.get("StartTime", 0), request.get("EndTime", float("inf"))
    for event in reversed(list(cloudtrail._get_event_queue())):
        if float(earliest) <= event["EventTime"] <= float(latest):
            yield event


def _member(name: str) -> Callable[[_Event], list[str]]:
    return lambda event: [event.get(name, "")]


def _of_resources(name: str) -> Callable[[_Event], list[str]]:
    return lambda event: [one.get(name, "") for one in event.get("Resources", [])]


_ATTRIBUTES: dict[str, Callable[[_Event], list[str]]] = {
    **{
        name: _member(name)
        for name in ("AccessKeyId", "EventId", "EventName", "EventSource", "ReadOnly", "Username")
    },
    "ResourceName": _of_resources("ResourceName"),
    "ResourceType": _of_resources("ResourceType"),
}


def _has(event: _Event, wanted: dict[str, str]) -> bool:
    return all(value in _ATTRIBUTES[name](event) for name, value in wanted.items())
