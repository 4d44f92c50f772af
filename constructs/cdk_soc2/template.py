"""A CloudFormation template, as rules read it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, TypeVar, cast

from cdk_soc2.boundary import Boundary
from cdk_soc2.conditions import shapes
from cdk_soc2.intrinsics import Meaning, is_intrinsic, met, pointed_at
from cdk_soc2.sam import without_sam
from cdk_soc2.verdict import CannotLook, Observed

T = TypeVar("T")
Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a template, in one of the shapes that conditions give it."""

    id: str
    type: str
    properties: Node
    metadata: Node
    template: Template | None = field(default=None, repr=False, compare=False)
    body: Node = field(default_factory=dict[str, Any], repr=False, compare=False)

    def value(self, path: str) -> Any:
        """The value at a dotted *path* of properties; ``None`` where there is none.

        Raises :class:`CannotLook` where only CloudFormation will know it.
        """
        value: Any = self.properties
        for name in ("", *path.split(".")):
            if name:
                value = cast(Node, value).get(name) if isinstance(value, Mapping) else None
            if is_intrinsic(value):
                value = self.template.meaning.of(value) if self.template else value
            if is_intrinsic(value):
                raise CannotLook(
                    f"{self.id}.{path} is {self._named(value)}, known only at deploy time",
                    f"Give {path} a literal value, or acknowledge this with what it will be; on the "
                    "command line, --parameter NAME=VALUE tells what a parameter will be.",
                )
        return value

    def has(self, path: str) -> bool:
        """Is anything given at *path*, known now or at deploy time only?"""
        try:
            return self.value(path) not in (None, "")
        except CannotLook:
            return True

    def is_true(self, path: str) -> bool:
        """CloudFormation takes booleans as words, too."""
        return self.value(path) in (True, "true", "True")

    def nodes(self, path: str) -> list[Node]:
        """The mappings in the list at *path*; one alone is a list, too. Raises :class:`CannotLook`."""
        value = self.value(path)
        items = cast(list[Any], value) if isinstance(value, list) else [value]
        return [cast(Node, item) for item in items if isinstance(item, Mapping)]

    def part(self, properties: Node) -> Resource:
        """*properties*, a part of this resource's own, to be read like them."""
        return Resource(self.id, self.type, properties, self.metadata, self.template, self.body)

    def seen(self, ok: bool | None, detail: str, path: str = "", remedy: str = "") -> Observed:
        """What was observed of it, at a dotted *path* of its properties."""
        where = f"Resources.{self.id}" + (f".Properties.{path}" if path else "")
        return Observed(ok, self.id, detail, remedy=remedy or None, path=where)

    def true(self, path: str) -> Observed:
        """Observes whether *path* is true."""
        value = self.value(path)
        return self.seen(self.is_true(path), f"{path} is {_told(value)}", path)

    def given(self, path: str) -> Observed:
        """Observes whether anything is given at *path*."""
        ok = self.has(path)
        return self.seen(ok, f"{path} is {'' if ok else 'not '}given", path)

    def at_least(self, path: str, least: int, default: int = 0) -> Observed:
        """Observes whether the number at *path* is big enough."""
        value = self._limit(path)
        number = default if value is None else int(value) if str(value).isdecimal() else None
        if number is None:
            raise CannotLook(f"{path} is {value!r}, not a number", f"Give {path} a number.")
        told = f"{_told(value)}" + (f", which means {default}" if value is None else "")
        return self.seen(number >= least, f"{path} is {told}", path)

    def _named(self, value: Node) -> str:
        """A function by its name; a parameter by its own, and by what it is unless told otherwise."""
        [(name, of)] = value.items()
        declared: Any = self.template.section("Parameters").get(str(of)) if self.template else None
        default = cast(Node, declared).get("Default") if isinstance(declared, Mapping) else None
        if name != "Ref":
            return name
        return f"the parameter {of} (by default {default})" if default is not None else f"Ref {of}"

    def _limit(self, path: str) -> Any:
        """The least that a parameter admits stands for the parameter."""
        raw: Any = self.properties
        for name in path.split("."):
            raw = cast(Node, raw).get(name) if isinstance(raw, Mapping) else None
        least = self.template.meaning.least(raw) if self.template else None
        return self.value(path) if least is None else least


@dataclass(frozen=True, eq=False)
class Template:
    """*body* is the parsed document.

    :param name: of its file, or of its stack.
    :param boundary: what is in scope, where that is known.
    :param today: for rules about dates; without it, they say that they could not look.
    :param parameters: values of one deployment; what is not given is known at deploy time only.
    :param seen: the logical ids of the nested stacks whose templates are looked at, too.
    """

    body: Node
    name: str = ""
    boundary: Boundary | None = None
    today: date | None = None
    parameters: Node = field(default_factory=dict[str, Any])
    seen: frozenset[str] = frozenset()
    others: list[Template] = field(default_factory=list["Template"])

    def resources(self, *types: str) -> Iterator[Resource]:
        """Every resource of one of *types*; one that conditions shape, once in each shape."""
        for type in types:
            yield from self._by_type.get(type, ())

    def everywhere(self, *types: str) -> Iterator[Resource]:
        """As :meth:`resources`, of the templates that are deployed together with this one, too."""
        for template in (self, *self.others):
            yield from template.resources(*types)

    def find(self, id: str) -> Resource | None:
        """The resource with the logical *id*, in its first shape."""
        return self._by_id.get(id)

    def section(self, name: str) -> Node:
        """A section of the template: ``Parameters``, ``Conditions``, ``Outputs``."""
        section: Any = self.body.get(name)
        return cast(Node, section) if isinstance(section, Mapping) else {}

    @cached_property
    def meaning(self) -> Meaning:
        return Meaning(self.section("Parameters"), self.section("Mappings"), self.parameters)

    def target(self, value: Any) -> tuple[Template, str] | None:
        """The resource that *value* refers to, be it in another template by an export."""
        id, export = pointed_at(value)
        if id is not None:
            return self, id
        for other in self.others if export is not None else ():
            output = other.exports.get(str(export))
            if output is not None:
                return other.target(output)
        return None

    def refers(self, value: Any, resource: Resource) -> bool:
        """Does *value*, in this template, refer to *resource*, in whichever?"""
        return self.target(value) == (resource.template, resource.id)

    @cached_property
    def exports(self) -> dict[str, Any]:
        """What this template tells others, by the export's name and by the output's own."""
        told: dict[str, Any] = {}
        for name, output in self.section("Outputs").items():
            if isinstance(output, Mapping) and "Value" in output:
                told[name] = output["Value"]
                export: Any = cast(Node, output).get("Export")
                if isinstance(export, Mapping):
                    told[str(cast(Node, export).get("Name"))] = output["Value"]
        return told

    @cached_property
    def _by_id(self) -> dict[str, Resource]:
        return {r.id: r for all in self._by_type.values() for r in reversed(all)}

    @cached_property
    def _by_type(self) -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = defaultdict(list)
        for id, body in self._declared():
            kind = str(body.get("Type"))
            metadata = _mapping(body.get("Metadata"))
            for shape in shapes(body.get("Properties") or {}, self._known):
                # A list or a word in place of the properties: nothing that a rule asks for is there.
                found[kind].append(Resource(id, kind, _mapping(shape), metadata, self, body))
        return dict(found)

    def _declared(self) -> Iterator[tuple[str, Node]]:
        resources: Any = without_sam(self.body).get("Resources", {})
        if not isinstance(resources, Mapping):
            raise CannotLook("Resources is not a mapping", "Give a CloudFormation template.")
        for id, body in cast(Node, resources).items():
            if isinstance(body, Mapping):
                yield str(id), cast(Node, body)

    def _known(self, condition: str) -> bool | None:
        return met(condition, self.section("Conditions"), self.meaning)


def together(templates: Iterable[Template]) -> list[Template]:
    """*templates*, that are deployed together: each knows of the others."""
    all = list(templates)
    for template in all:
        template.others[:] = [other for other in all if other is not template]
    return all


def first(of: Iterable[T], that: Callable[[T], bool]) -> T | None:
    """The first *of* those for which *that* holds."""
    return next((one for one in of if that(one)), None)


def _mapping(value: Any) -> Node:
    return cast(Node, value) if isinstance(value, Mapping) else {}


def _told(value: Any) -> str:
    return (
        "not set" if value is None else str(value).lower() if value in (True, False) else str(value)
    )
