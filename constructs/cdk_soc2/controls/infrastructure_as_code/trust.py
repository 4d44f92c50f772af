"""Who can have assumed a role, by its trust policy: where the call does not show it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from cdk_soc2.answers import malformed, want
from cdk_soc2.control import Region
from cdk_soc2.controls.infrastructure_as_code.callers import Caller, Kind, machine_provider


def kind_by_trust(caller: Caller, region: Region) -> tuple[Kind | None, str]:
    """A person's role if only people can assume it, a machine's if only machines can.

    The policy is that of now. Whoever changed it since the call has made a write call, too.
    Raises :class:`CannotLook`.
    """
    assert caller.role is not None
    name, id = caller.role
    answer = region.find("iam", "get_role", absent="NoSuchEntity", RoleName=name)
    if answer is None:
        return None, f"{caller.why}, which is gone"
    role = want(answer, "Role", dict)
    if want(role, "RoleId", str) != id:
        return None, f"{caller.why}, which was made anew since"
    kinds = set(_trusted(want(role, "AssumeRolePolicyDocument", dict)))
    if kinds == {Kind.PERSON}:
        return Kind.PERSON, f"{caller.why}, which only people can assume"
    if kinds == {Kind.MACHINE}:
        return Kind.MACHINE, f"{caller.why}, which only machines can assume"
    return None, f"{caller.why}, which people and machines may assume"


def _trusted(policy: Mapping[str, Any]) -> Iterator[Kind | None]:
    statements = policy.get("Statement")
    for statement in cast(list[Any], statements if isinstance(statements, list) else [statements]):
        if not isinstance(statement, Mapping):
            raise malformed(f"Statement of the trust policy is {statement!r}")
        allowed = cast(Mapping[str, Any], statement)
        if allowed.get("Effect") != "Allow":
            continue
        principal: Any = allowed.get("Principal")
        if not isinstance(principal, Mapping) or not principal:
            yield None  # everybody, or everybody but some
            continue
        for type, who in cast(Mapping[str, Any], principal).items():
            for one in cast(list[Any], who if isinstance(who, list) else [who]):
                yield _kind(type, str(one))


def _kind(type: str, principal: str) -> Kind | None:
    if type == "Service":
        return Kind.MACHINE
    if type == "Federated" and ":saml-provider/" in principal:
        return Kind.PERSON
    if type == "Federated" and machine_provider(principal):
        return Kind.MACHINE
    return None
