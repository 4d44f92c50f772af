"""Reads templates from files, JSON or YAML with its short forms, and the nested ones that lie beside."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, cast

import yaml

from cdk_soc2.boundary import Boundary
from cdk_soc2.intrinsics import flat
from cdk_soc2.template import Template, together

LIMIT = 5_000_000
"""Bytes. CloudFormation takes a megabyte; more than this is not a template."""
NODES = 500_000
"""What a template may grow to when its YAML aliases are written out."""
DEEP = 200
NESTED = {"AWS::CloudFormation::Stack": "TemplateURL", "AWS::Serverless::Application": "Location"}
ASSET = "aws:asset:path"
DIGEST = re.compile(r"/([0-9a-f]{64})\.json")
SECTIONS = {"AWSTemplateFormatVersion", "Conditions", "Mappings", "Outputs", "Parameters", "Rules"}
Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Unreadable(Exception):
    """A file that is no template. Names the file, what is wrong with it and what to do."""


@dataclass(frozen=True, slots=True)
class Given:
    """A template's file, as it was read."""

    path: Path
    body: Mapping[str, Any]
    text: str

    def line(self, section: str, name: str) -> int:
        """The line, from 1, on which *name* of *section* begins; 1 where that is not found."""
        inside = False
        for number, line in enumerate(self.text.splitlines(), 1):
            word = line.strip().lstrip("{").strip().partition(":")[0].strip("\"' ")
            inside = inside or word == section
            if inside and word == name:
                return number
        return 1


def read(path: Path) -> Given:
    """The template in the file at *path*. Raises :class:`Unreadable`."""
    try:
        if path.stat().st_size > LIMIT:
            raise Unreadable(
                f"{path}: {path.stat().st_size:,} bytes, where CloudFormation takes 1 MB at most"
            )
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}; give the path of a template") from None
    except UnicodeDecodeError:
        raise Unreadable(f"{path}: not UTF-8; save it as UTF-8 text") from None
    try:
        body = parse(text)
        if not isinstance(body, Mapping) or not isinstance(_resources(body), Mapping):
            raise ValueError("no mapping of Resources in it, so no CloudFormation template")  # noqa: TRY004
        if _size(body, {}, 0) > NODES:
            raise ValueError(f"more than {NODES:,} values when its aliases are written out")
    except RecursionError:
        raise Unreadable(f"{path}: nested too deeply for a template") from None
    except ValueError as error:
        raise Unreadable(f"{path}: {error}") from None
    return Given(path, cast(Mapping[str, Any], body), text)


def templates(
    paths: Iterable[Path],
    *,
    boundary: Boundary | None = None,
    today: date | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> tuple[list[Template], dict[str, Given]]:
    """The templates at *paths*, and those nested in them that lie beside; and their files, by name.

    All of them are deployed together. Raises :class:`Unreadable`.
    """
    found: list[Template] = []
    files: dict[str, Given] = {}
    todo: list[tuple[Path, Mapping[str, Any]]] = [(path, {}) for path in paths]
    while todo:
        path, given = todo.pop(0)
        if str(path) in files:
            continue
        file = files[str(path)] = read(path)
        inner = list(_nested(file))
        todo += [(beside, theirs) for _, beside, theirs in inner]
        found.append(
            Template(
                file.body,
                name=str(path),
                boundary=boundary,
                today=today,
                parameters={**given, **(parameters or {})},
                seen=frozenset(id for id, _, _ in inner),
            )
        )
    return together(found), files


def _nested(file: Given) -> Iterator[tuple[str, Path, Mapping[str, Any]]]:
    """The logical id, the file and the literal parameters of every nested stack that is at hand."""
    for id, resource in cast(Mapping[str, Any], _resources(file.body)).items():
        body = _mapping(resource)
        properties = _mapping(body.get("Properties"))
        if body.get("Type") not in NESTED:
            continue
        name = _mapping(body.get("Metadata")).get(ASSET)
        beside = _beside(file.path.parent, name or properties.get(NESTED[str(body["Type"])]))
        if beside is not None:
            given = _mapping(properties.get("Parameters"))
            yield str(id), beside, {k: v for k, v in given.items() if isinstance(v, str)}


def _beside(folder: Path, url: Any) -> Path | None:
    """The file in *folder* that *url* names: by its path, or, as the CDK does, by its digest."""
    name = url if isinstance(url, str) and "://" not in url else None
    digest = DIGEST.search(flat(url))
    if name is None and digest is not None:
        for manifest in folder.glob("*.assets.json"):
            files = _mapping(json.loads(manifest.read_text(encoding="utf-8"))).get("files")
            source = _mapping(_mapping(_mapping(files).get(digest[1])).get("source"))
            name = source.get("path", name)
    return folder / name if isinstance(name, str) and (folder / name).is_file() else None


class _Yaml(Loader):
    """YAML as CloudFormation has it: short forms of functions, and dates that stay words."""

    yaml_implicit_resolvers = {  # noqa: RUF012  PyYAML's own attribute
        first: [(tag, pattern) for tag, pattern in known if not tag.endswith(":timestamp")]
        for first, known in Loader.yaml_implicit_resolvers.items()
    }


def _short_form(loader: Any, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


def _mapped(loader: Any, node: yaml.MappingNode) -> Iterator[dict[str, Any]]:
    made: dict[str, Any] = {}
    yield made  # before it is filled: an alias within may mean this very mapping
    keys = [k.value for k, _ in node.value if isinstance(k, yaml.ScalarNode) and k.value != "<<"]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        line = node.start_mark.line + 1
        raise ValueError(f"{twice!r} is given twice in the mapping that begins on line {line}")
    loader.flatten_mapping(node)
    made.update(loader.construct_mapping(node))


_Yaml.add_multi_constructor("!", _short_form)
_Yaml.add_constructor("tag:yaml.org,2002:map", _mapped)


def parse(text: str) -> Any:
    """The document in *text*, its short forms written out. Raises ``ValueError``."""
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text, object_pairs_hook=_once)
        except json.JSONDecodeError as error:
            raise ValueError(f"not JSON: {error.msg} on line {error.lineno}") from None
    try:
        _check_depth(text)
        return yaml.load(text, _Yaml)  # noqa: S506  a safe loader, with CloudFormation's tags
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise ValueError(f"not YAML: {error.problem} on line {line}") from None
    except yaml.YAMLError as error:
        raise ValueError(f"not YAML: {error}") from None


def _check_depth(text: str) -> None:
    """The parser in C builds what is nested by recursion, and would take the whole process down."""
    deep = 0
    for event in yaml.parse(text, Loader):
        deep += isinstance(event, yaml.CollectionStartEvent)
        deep -= isinstance(event, yaml.CollectionEndEvent)
        if deep > DEEP:
            raise ValueError("nested too deeply for a template")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} is given twice in one object")
    return made


def _size(value: Any, known: dict[int, int], deep: int) -> int:
    """How many values there are in *value*, aliases written out. Raises ``ValueError``."""
    if not isinstance(value, Mapping | list):
        return 1
    if deep > DEEP:
        raise ValueError("nested too deeply, or within itself")
    if id(value) not in known:
        parts: Iterable[Any] = (
            cast(Mapping[Any, Any], value).values()
            if isinstance(value, Mapping)
            else cast(list[Any], value)
        )
        known[id(value)] = 1 + sum(_size(part, known, deep + 1) for part in parts)
    return known[id(value)]


def _resources(body: Mapping[str, Any]) -> Any:
    """The resources of a template; a stack of the CDK's that is empty has none, and other sections."""
    nothing = {} if not body or SECTIONS & set(body) else None
    return body.get("Resources", nothing)


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast(Mapping[str, Any], value) if isinstance(value, Mapping) else {}
