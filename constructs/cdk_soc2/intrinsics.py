"""What CloudFormation's intrinsic functions will give, as far as the template itself tells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

Node = Mapping[str, Any]
VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")
DEEP = 20
"""How far conditions may be built on conditions before we give up."""


def is_intrinsic(value: Any) -> bool:
    if not isinstance(value, Mapping) or len(cast(Node, value)) != 1:
        return False
    name = str(next(iter(cast(Node, value))))
    return name == "Ref" or name.startswith("Fn::")


@dataclass(frozen=True, slots=True)
class Meaning:
    """Works out what needs no deployment: given parameters, mappings, joined texts."""

    parameters: Node
    mappings: Node
    given: Node

    def of(self, value: Any) -> Any:
        """*value* worked out; an intrinsic function that only CloudFormation can, as it stands."""
        if not is_intrinsic(value):
            return value
        [(name, argument)] = cast(Node, value).items()
        if name == "Ref":
            return self._parameter(argument, value)
        if name == "Fn::FindInMap":
            return value if not isinstance(argument, list) else self._mapped(value)
        if name == "Fn::Sub":
            return self._substituted(argument, value)
        if (
            name == "Fn::Join"
            and isinstance(argument, list)
            and len(cast(list[Any], argument)) == 2
        ):
            parts = (
                [self.of(part) for part in argument[1]] if isinstance(argument[1], list) else None
            )
            if parts is not None and all(isinstance(part, str) for part in parts):
                return str(argument[0]).join(parts)
        return value

    def least(self, value: Any) -> int | None:
        """The least number that a ``Ref`` to a parameter can be, where its declaration tells."""
        if not is_intrinsic(value) or "Ref" not in value or value["Ref"] in self.given:
            return None
        declared: Any = self.parameters.get(str(value["Ref"]))
        if not isinstance(declared, Mapping):
            return None
        allowed: list[Any] = cast(Node, declared).get("AllowedValues") or []
        bounds = allowed or [cast(Node, declared).get("MinValue")]
        return min(map(int, bounds)) if all(str(b).isdecimal() for b in bounds) else None

    def _parameter(self, name: Any, value: Any) -> Any:
        if name == "AWS::NoValue":
            return None
        if name in self.given:
            return self.given[name]
        declared: Any = self.parameters.get(str(name))
        allowed: Any = declared.get("AllowedValues") if isinstance(declared, Mapping) else None
        return (
            allowed[0]
            if isinstance(allowed, list) and len(cast(list[Any], allowed)) == 1
            else value
        )

    def candidates(self, value: Any) -> list[Any]:
        """What *value* may be: with a mapping, whatever the keys that are not known yet lead to."""
        argument: Any = cast(Node, value).get("Fn::FindInMap") if is_intrinsic(value) else None
        if not isinstance(argument, list) or len(cast(list[Any], argument)) < 3:
            return [self.of(value)]
        name, *keys = [self.of(part) for part in cast(list[Any], argument)[:3]]
        reached: list[Any] = [self.mappings.get(name)] if isinstance(name, str) else []
        for key in keys:
            reached = [found for at in reached for found in _under(at, key)]
        return reached

    def _mapped(self, value: Any) -> Any:
        """One value, if every key that may be meant leads to the same."""
        found = self.candidates(value)
        same = bool(found) and all(one == found[0] for one in found) and found[0] is not None
        return found[0] if same else value

    def _substituted(self, argument: Any, value: Any) -> Any:
        text, own = (argument[0], argument[1]) if isinstance(argument, list) else (argument, {})
        if not isinstance(text, str) or not isinstance(own, Mapping):
            return value
        for name in VARIABLE.findall(text):
            found = self.of(cast(Node, own).get(name, {"Ref": name}))
            if not isinstance(found, str):
                return value
            text = text.replace(f"${{{name}}}", found)
        return text


def met(name: str, conditions: Node, meaning: Meaning, deep: int = 0) -> bool | None:
    """Is the condition *name* met? ``None``: that is known at deploy time only."""
    return _holds(conditions.get(name), conditions, meaning, deep)


def _holds(value: Any, conditions: Node, meaning: Meaning, deep: int) -> bool | None:
    if not isinstance(value, Mapping) or len(cast(Node, value)) != 1 or deep > DEEP:
        return None
    [(function, argument)] = cast(Node, value).items()
    if function == "Condition":
        return met(str(argument), conditions, meaning, deep + 1)
    if not isinstance(argument, list):
        return None
    arguments = cast(list[Any], argument)
    if function == "Fn::Equals" and len(arguments) == 2:
        one, other = (meaning.of(a) for a in arguments)
        return None if is_intrinsic(one) or is_intrinsic(other) else str(one) == str(other)
    parts = [_holds(a, conditions, meaning, deep + 1) for a in arguments]
    if function == "Fn::Not" and len(parts) == 1:
        return None if parts[0] is None else not parts[0]
    if function == "Fn::And":
        return False if False in parts else None if None in parts else True
    if function == "Fn::Or":
        return True if True in parts else None if None in parts else False
    return None


def pointed_at(value: Any) -> tuple[str | None, str | None]:
    """The logical id that *value* refers to; or the export or output of another stack."""
    if not isinstance(value, Mapping) or len(cast(Node, value)) != 1:
        return None, None
    [(name, of)] = cast(Node, value).items()
    if name == "Ref" and isinstance(of, str):
        return of, None
    if name == "Fn::GetAtt":
        return (str(of[0]) if isinstance(of, list) and of else str(of).partition(".")[0]), None
    if name == "Fn::ImportValue" and isinstance(of, str):
        return None, of
    if name == "Fn::GetStackOutput" and isinstance(of, Mapping):
        return None, str(cast(Node, of).get("OutputName"))
    if name == "Fn::Sub" and isinstance(of, str) and (whole := VARIABLE.fullmatch(of)):
        return whole[1].partition(".")[0], None
    return None, None


def mentions(value: Any, id: str) -> bool:
    """Does anything within *value* refer to the resource with the logical *id*?"""
    if isinstance(value, Mapping):
        given = cast(Node, value)
        if pointed_at(given)[0] == id:
            return True
        texts = literals(given["Fn::Sub"]) if "Fn::Sub" in given else ()
        names = (name for text in texts for name in VARIABLE.findall(text))
        return any(name.partition(".")[0] == id for name in names) or any(
            mentions(item, id) for item in given.values()
        )
    return isinstance(value, list) and any(mentions(item, id) for item in cast(list[Any], value))


def literals(value: Any) -> Iterator[str]:
    """Every literal text within *value*."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in cast(list[Any], value):
            yield from literals(item)
    elif isinstance(value, Mapping):
        for name, item in cast(Node, value).items():
            if name not in ("Ref", "Fn::GetAtt", "Fn::ImportValue"):
                yield from literals(item)


def flat(value: Any) -> str:
    """*value* as one text, with ``${...}`` for what only CloudFormation knows."""
    if isinstance(value, str):
        return value
    if not isinstance(value, Mapping) or len(cast(Node, value)) != 1:
        return "" if value is None else str(value)
    [(name, of)] = cast(Node, value).items()
    if name == "Fn::Join" and isinstance(of, list) and len(of) == 2 and isinstance(of[1], list):
        return str(of[0]).join(flat(part) for part in of[1])
    if name == "Fn::Sub":
        return flat(of[0] if isinstance(of, list) and of else of)
    if name == "Fn::Base64":
        return flat(of)
    if name == "Fn::GetAtt":
        return f"${{{'.'.join(map(str, of)) if isinstance(of, list) else of}}}"
    return f"${{{of}}}" if name == "Ref" else "${" + name + "}"


def _under(at: Any, key: Any) -> list[Any]:
    if not isinstance(at, Mapping):
        return []
    found = cast(Node, at)
    return (
        [found[key]]
        if isinstance(key, str) and key in found
        else [*found.values()]
        if is_intrinsic(key)
        else []
    )
