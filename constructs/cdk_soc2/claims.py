"""Which resources of a template make which control true, by the mark that our constructs leave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from cdk_soc2.template import Resource, Template

MARK = "soc2:controls"
SETTING = "Custom::AccountSetting"


def claimed(template: Template) -> Iterator[tuple[str, str]]:
    """Every control's key that is claimed, and the logical id of the resource that carries it."""
    resources: Any = template.body.get("Resources")
    for id, body in cast(Mapping[str, Any], resources or {}).items():
        if isinstance(body, Mapping):
            keys = _mark(cast(Mapping[str, Any], body))
            yield from ((key, str(id)) for key in keys)


def sets_account(resource: Resource, control: str) -> bool:
    """Is what *control* sets for the whole account set in the same deployment?"""
    return resource.template is not None and any(
        control in str(setting.metadata.get(MARK, "")).split()
        for setting in resource.template.everywhere(SETTING)
    )


def _mark(body: Mapping[str, Any]) -> list[str]:
    metadata: Any = body.get("Metadata")
    if isinstance(metadata, Mapping) and MARK in metadata:
        return str(metadata[MARK]).split()
    properties: Any = body.get("Properties")
    tags: Any = properties.get("Tags") if isinstance(properties, Mapping) else None
    if isinstance(tags, Mapping):
        return str(cast(Mapping[str, Any], tags).get(MARK, "")).split()
    for tag in cast(list[Any], tags) if isinstance(tags, list) else ():
        if isinstance(tag, Mapping) and tag.get("Key") == MARK:
            return str(cast(Mapping[str, Any], tag).get("Value", "")).split()
    return []
