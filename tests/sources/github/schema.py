"""GitHub's own description of its answers: makes objects that agree with it, and holds ours against it."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

DESCRIPTION = json.loads(
    (Path(__file__).parents[2] / "data/github/answers.schema.json").read_text(encoding="utf-8")
)
SCHEMAS = DESCRIPTION["components"]["schemas"]
ANSWERS = DESCRIPTION["answers"]
FORMATS = {
    "date-time": "2026-01-01T00:00:00Z",
    "uri": "https://example.com/x",
    "email": "a@example.com",
}


def made(name: str, /, **given: Any) -> dict[str, Any]:
    """The smallest object that the schema *name* allows, with what is *given*."""
    return _filled({"$ref": f"#/components/schemas/{name}"}) | given


def _filled(schema: Any) -> Any:
    schema = _resolved(schema)
    for several in ("oneOf", "anyOf"):
        if several in schema:
            return _filled(schema[several][0])
    if "allOf" in schema:
        whole: dict[str, Any] = {}
        for part in schema["allOf"]:
            whole |= _filled(part)
        return whole
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        wanted = schema.get("required", [])
        return {n: _filled(schema["properties"][n]) for n in wanted if n in schema["properties"]}
    if kind == "string":
        return FORMATS.get(schema.get("format", ""), "0" * schema.get("minLength", 1))
    return {"array": [], "integer": 1, "number": 1, "boolean": False}[kind]


def _resolved(schema: Any) -> Any:
    while "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rsplit("/", 1)[1]]
    return schema


@cache
def _validators() -> list[tuple[re.Pattern[str], Any]]:
    found: list[tuple[re.Pattern[str], Any]] = []
    for path, schema in sorted(ANSWERS.items(), key=lambda item: item[0].count("{")):
        pattern = re.sub(r"\{\w+\}", "[^/]+", path)
        document = {**schema, "components": DESCRIPTION["components"]}
        found.append((re.compile(pattern), jsonschema_rs.validator_for(document)))
    return found


def complaints(path: str, answer: Any) -> list[str]:
    """What is wrong with *answer* at *path*, by GitHub's description. Empty: nothing."""
    known = [v for pattern, v in _validators() if pattern.fullmatch(path)]
    if not known:
        return []  # GitHub describes it, but not the extract that we keep
    return [f"{path}: {e.instance_path}: {e.message}"[:400] for e in known[0].iter_errors(answer)]
