"""A synthesized CloudFormation template, as rules read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from cdk_soc2.control import CannotLook


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a template."""

    id: str
    type: str
    properties: Mapping[str, Any]
    metadata: Mapping[str, Any]

    def value(self, path: str) -> Any:
        """The value at a dotted *path* of properties; ``None`` where there is none.

        Raises :class:`CannotLook` where only CloudFormation will know it.
        """
        value: Any = self.properties
        for name in path.split("."):
            if _intrinsic(value):
                raise CannotLook(
                    f"{self.id}.{path} is {next(iter(value))}, known only at deploy time",
                    f"Give {path} a literal value, or check it after the deploy.",
                )
            value = cast(Mapping[str, Any], value).get(name) if isinstance(value, Mapping) else None
        if _intrinsic(value):
            raise CannotLook(
                f"{self.id}.{path} is {next(iter(value))}, known only at deploy time",
                f"Give {path} a literal value, or check it after the deploy.",
            )
        return value

    def is_true(self, path: str) -> bool:
        """CloudFormation takes booleans as words, too."""
        return self.value(path) in (True, "true", "True")


@dataclass(frozen=True, slots=True)
class Template:
    """*body* is the parsed JSON."""

    body: Mapping[str, Any]

    def resources(self, *types: str) -> Iterator[Resource]:
        """Every resource of one of *types*."""
        resources: Any = self.body.get("Resources", {})
        if not isinstance(resources, Mapping):
            raise CannotLook("Resources is not a mapping", "Give a CloudFormation template.")
        for id, body in cast(Mapping[str, Any], resources).items():
            if isinstance(body, Mapping):
                resource = cast(Mapping[str, Any], body)
                if resource.get("Type") in types:
                    yield Resource(
                        id,
                        str(resource.get("Type")),
                        resource.get("Properties") or {},
                        resource.get("Metadata") or {},
                    )


def _intrinsic(value: Any) -> bool:
    if not isinstance(value, Mapping) or len(cast(Mapping[str, Any], value)) != 1:
        return False
    name = str(next(iter(cast(Mapping[str, Any], value))))
    return name == "Ref" or name.startswith("Fn::")
