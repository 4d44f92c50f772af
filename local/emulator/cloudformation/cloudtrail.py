"""AWS::CloudTrail::Trail, changed in place as on AWS; only its name replaces it."""

from typing import Any

from emulator.cloudformation.resource_type import (
    Created,
    Properties,
    ResourceType,
    arguments,
    client,
    is_true,
    without,
)
from ministack.services.cloudformation.provisioners import _physical_name

_APART = (
    "AdvancedEventSelectors",
    "EventSelectors",
    "InsightSelectors",
    "IsLogging",
    "Tags",
    "TrailName",
)
_EVERYTHING_MANAGED = [{"ReadWriteType": "All", "IncludeManagementEvents": True}]


def create_trail(logical: str, properties: Properties, stack: str) -> Created:
    api = client("cloudtrail")
    name = properties.get("TrailName") or _physical_name(stack, logical)
    made = api.create_trail(
        **arguments(api, "CreateTrail", without(properties, *_APART), Name=name),
        TagsList=properties.get("Tags", []),
    )
    _select_and_log(api, name, properties)
    return name, {"Arn": made["TrailARN"]}


def update_trail(physical: str, old: Properties, new: Properties) -> Created:
    api = client("cloudtrail")
    unset = {
        "KMSKeyId": "",
        "CloudWatchLogsLogGroupArn": "",
        "CloudWatchLogsRoleArn": "",
        "EnableLogFileValidation": False,
        "IsMultiRegionTrail": False,
    }
    reset = {name: value for name, value in unset.items() if name in old and name not in new}
    made = api.update_trail(
        **arguments(api, "UpdateTrail", reset | without(new, *_APART), Name=physical)
    )
    _select_and_log(api, physical, new)
    if old.get("Tags"):
        api.remove_tags(ResourceId=made["TrailARN"], TagsList=old["Tags"])
    if new.get("Tags"):
        api.add_tags(ResourceId=made["TrailARN"], TagsList=new["Tags"])
    return physical, {"Arn": made["TrailARN"]}


def _select_and_log(api: Any, name: str, properties: Properties) -> None:
    chosen = {
        key: properties[key]
        for key in ("AdvancedEventSelectors", "EventSelectors")
        if properties.get(key)
    } or {"EventSelectors": _EVERYTHING_MANAGED}
    api.put_event_selectors(**arguments(api, "PutEventSelectors", chosen, TrailName=name))
    if is_true(properties["IsLogging"]):
        if not api.get_trail_status(Name=name).get("TimeLoggingStarted"):
            api.start_logging(Name=name)
    else:
        api.stop_logging(Name=name)


def delete_trail(physical: str, _properties: Properties) -> None:
    client("cloudtrail").delete_trail(Name=physical)


TYPES = (
    ResourceType(
        "AWS::CloudTrail::Trail",
        create_trail,
        delete_trail,
        update_trail,
        replaced_by=("TrailName",),
    ),
)
