"""IAM policy documents in a template: who is let in, to do what, and on which condition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from cdk_soc2.intrinsics import flat, is_intrinsic
from cdk_soc2.template import Resource
from cdk_soc2.verdict import CannotLook

Node = Mapping[str, Any]

# A condition on one of these says who calls, or from where; without it anybody is meant.
NARROWING = frozenset(
    f"aws:{key}"
    for key in (
        "principalaccount",
        "principalarn",
        "principalisawsservice",
        "principalorgid",
        "principalorgpaths",
        "principalservicename",
        "sourceaccount",
        "sourcearn",
        "sourceip",
        "sourceorgid",
        "sourceorgpaths",
        "sourceowner",
        "sourcevpc",
        "sourcevpce",
        "userid",
    )
) | {"kms:calleraccount", "s3:dataaccesspointaccount", "sts:externalid", "lambda:eventsourcetoken"}
WHOLE_WORLD = frozenset({"*", "0.0.0.0/0", "::/0"})
NEGATED = ("Not", "IfExists", "Null")


def statements(resource: Resource, path: str, effect: str = "Allow") -> Iterator[Node]:
    """The statements of the policy document at *path* with this *effect*.

    Raises :class:`CannotLook` for one that only CloudFormation will write.
    """
    document = resource.value(path)
    written: Any = cast(Node, document).get("Statement") if isinstance(document, Mapping) else None
    for statement in listed(written):
        if is_intrinsic(statement):
            raise CannotLook(
                f"{resource.id}.{path} has a statement that is {next(iter(statement))}",
                "Write the statement into the template; or acknowledge this with what it will say.",
            )
        if isinstance(statement, Mapping) and statement.get("Effect") == effect:
            yield cast(Node, statement)


def listed(value: Any) -> list[Any]:
    """*value* as a list; policies leave the brackets out where there is one."""
    return [] if value is None else cast(list[Any], value) if isinstance(value, list) else [value]


def texts(value: Any) -> list[str]:
    """The words in a list, or alone, with ``${...}`` for what only CloudFormation knows."""
    return [flat(item) for item in listed(value)]


def principals(statement: Node) -> Iterator[tuple[str, str]]:
    """Who is let in: the kind and the name, as ``("AWS", "*")``."""
    given: Any = statement.get("Principal")
    if isinstance(given, Mapping) and not is_intrinsic(cast(Node, given)):
        for kind, names in cast(Node, given).items():
            for name in texts(names):
                yield str(kind), name
    elif given is not None:
        yield "AWS", flat(given)
    elif "NotPrincipal" in statement:
        yield "AWS", "*"  # everybody else


def conditions(statement: Node) -> Iterator[tuple[str, str, list[str]]]:
    """Operator, key in lower case, and values of every condition of *statement*."""
    given: Any = statement.get("Condition")
    for operator, keys in cast(Node, given).items() if isinstance(given, Mapping) else ():
        for key, values in cast(Node, keys).items() if isinstance(keys, Mapping) else ():
            yield str(operator), str(key).lower(), texts(values)


def lets_anyone(statement: Node) -> bool:
    """Does *statement* speak to everybody, on no condition that says who or from where?"""
    if not any(kind in ("AWS", "*") and name == "*" for kind, name in principals(statement)):
        return False
    return not any(
        (key in NARROWING or key.startswith("aws:principaltag/"))
        and not any(word in operator for word in NEGATED)
        and not WHOLE_WORLD & set(values)
        for operator, key, values in conditions(statement)
    )
