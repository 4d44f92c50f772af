"""Registers our resource types with ministack's CloudFormation engine."""

from collections.abc import Callable, Iterable
from typing import Any

from botocore.exceptions import ClientError
from emulator.cloudformation import (
    alarm,
    backup,
    bucket,
    cloudtrail,
    config,
    detection,
    function,
    identity,
    network,
    secrets,
    topic,
    transit_gateway,
)
from emulator.cloudformation.resource_type import Completion, Properties, ResourceType
from ministack.services.cloudformation import provisioners, stacks

TYPES: tuple[ResourceType, ...] = (
    *backup.TYPES,
    *cloudtrail.TYPES,
    *config.TYPES,
    *detection.TYPES,
    *identity.TYPES,
    *network.TYPES,
    *secrets.TYPES,
    *transit_gateway.TYPES,
)
COMPLETIONS: tuple[Completion, ...] = (
    backup.VAULT,
    bucket.COMPLETION,
    function.COMPLETION,
    topic.COMPLETION,
)

Delete = Callable[[str, Properties], object]


def install() -> None:
    alarm.install()
    for kind in TYPES:
        provisioners._RESOURCE_HANDLERS[kind.name] = _added(kind)
        if kind.replaced_by:
            provisioners._REPLACING_PROPERTIES[kind.name] = kind.replaced_by
    for completion in COMPLETIONS:
        provisioners._RESOURCE_HANDLERS[completion.name] = _completed(
            provisioners._RESOURCE_HANDLERS[completion.name], completion
        )
    _run_on_worker_threads(kind.name for kind in (*TYPES, *COMPLETIONS))


def _run_on_worker_threads(names: Iterable[str]) -> None:
    """Our types call this server back; on its own event loop they would wait for themselves."""
    ours = frozenset(names)
    ministacks_choice = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda name: name in ours or ministacks_choice(name)


def _added(kind: ResourceType) -> dict[str, Any]:
    def update(
        physical: str, old: Properties, new: Properties, stack: str, logical: str | None
    ) -> Any:
        if kind.update:
            return kind.update(physical, old, new)
        return provisioners._replace_resource(kind.name, physical, old, new, stack, logical)

    return {
        "create": kind.create,
        "update": update,
        "update_with_logical_id": True,
        "delete": _forgiving(kind.delete),
    }


def _completed(ministacks: dict[str, Any], completion: Completion) -> dict[str, Any]:
    def create(logical: str, properties: Properties, stack: str) -> Any:
        made = ministacks["create"](logical, properties, stack)
        completion.apply(made[0], {}, properties)
        return made

    def update(physical: str, old: Properties, new: Properties, *rest: object) -> Any:
        made = ministacks["update"](physical, old, new, *rest)
        completion.apply(made[0], old if made[0] == physical else {}, new)
        return made

    changed: dict[str, Any] = {"create": create, "update": update}
    if completion.delete:
        changed["delete"] = _forgiving(completion.delete)
    return ministacks | changed


def _forgiving(delete: Delete) -> Delete:
    """A resource that is gone already counts as deleted, as on AWS."""

    def run(physical: str, properties: Properties) -> None:
        try:
            delete(physical, properties)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if "NotFound" not in code and not code.startswith(("NoSuch", "InvalidAccess")):
                raise

    return run
