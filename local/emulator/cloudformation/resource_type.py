"""What a resource type is to the registry, and how its properties become an API call."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.model import ListShape, MapShape, Shape, StructureShape
from emulator.answers import Scope, scope
from emulator.api_calls import CLOUDFORMATION
from emulator.gateway import ENDPOINT

Properties = Mapping[str, Any]
Created = tuple[str, dict[str, str]]
"""A physical id (what Ref gives) and the attributes (what Fn::GetAtt gives)."""


@dataclass(frozen=True)
class ResourceType:
    """A CloudFormation type.

    `create` takes the logical id, the properties and the stack's name; `update` the physical id
    and the old and new properties; `delete` the physical id and the properties. A change of a
    property in `replaced_by`, or any change when there is no `update`, makes a new resource.
    """

    name: str
    create: Callable[[str, Properties, str], Created]
    delete: Callable[[str, Properties], object]
    update: Callable[[str, Properties, Properties], Created] | None = None
    replaced_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Completion:
    """A type that ministack has, with what it drops put in place after it.

    `apply` takes the physical id and the old and new properties (old is empty for a new resource).
    """

    name: str
    apply: Callable[[str, Properties, Properties], None]
    delete: Callable[[str, Properties], object] | None = None


_session = cache(boto3.session.Session)
_making_clients = threading.Lock()  # boto3 sessions are not thread-safe; their clients are


def client(service: str) -> Any:
    """The emulator's own public API, as the root of the account whose stack is being deployed.

    So what CloudFormation makes is what the API shows.
    """
    with _making_clients:
        return _client(service, scope())


@cache
def _client(service: str, where: Scope) -> Any:
    return _session().client(
        service,
        endpoint_url=ENDPOINT,
        region_name=where.region,
        aws_access_key_id=where.account,
        aws_secret_access_key="test",  # noqa: S106  the emulator's published key
        config=Config(
            user_agent=CLOUDFORMATION,
            read_timeout=30,
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path"},
        ),
    )


def arguments(api: Any, operation: str, properties: Properties, **fixed: object) -> dict[str, Any]:
    """An operation's arguments out of a template's properties.

    The two differ in the case of names, and a template's numbers and booleans may be strings. A
    property that the operation does not know raises ValueError: dropped in silence, it would make
    a stack look safer here than it is.
    """
    shape = api.meta.service_model.operation_model(operation).input_shape
    return _structure(shape, properties, operation) | fixed


def _structure(shape: StructureShape, value: Properties, where: str) -> dict[str, Any]:
    members = {name.lower(): (name, member) for name, member in shape.members.items()}
    converted = {}
    for name, inner in value.items():
        if name.lower() not in members:
            raise ValueError(
                f"the local AWS does not support the property {name} with {where}: "
                "extend local/emulator/cloudformation"
            )
        api_name, member = members[name.lower()]
        converted[api_name] = _convert(member, inner, f"{where}.{api_name}")
    return converted


def _convert(shape: Shape, value: Any, where: str) -> Any:
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        return _structure(shape, value, where)
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_convert(shape.member, item, where) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, Mapping):
        return {key: _convert(shape.value, item, where) for key, item in value.items()}
    match shape.type_name:
        case "boolean":
            return is_true(value)
        case "integer" | "long":
            return int(value)
        case "double" | "float":
            return float(value)
        case "string":
            return str(value)
        case _:
            return value


def is_true(value: object) -> bool:
    """A template's boolean, which may be the string "true"."""
    return str(value).lower() == "true"


def without(properties: Properties, *names: str) -> dict[str, Any]:
    """The properties but these, which the caller treats in another way."""
    return {name: value for name, value in properties.items() if name not in names}


def tag_map(properties: Properties) -> dict[str, str]:
    """The tags as the map that REST services take."""
    return {tag["Key"]: str(tag["Value"]) for tag in properties.get("Tags", [])}


def tagged(properties: Properties, kind: str) -> dict[str, Any]:
    """The tags as EC2's TagSpecifications; nothing when there are none."""
    tags = properties.get("Tags")
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": tags}]} if tags else {}
