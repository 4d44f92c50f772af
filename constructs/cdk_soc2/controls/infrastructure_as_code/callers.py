"""Who made a call: people told apart from pipelines, services and machines, by CloudTrail's record.

What convicts may be anything in the record; what acquits is only what a caller cannot choose: not the
user agent, nor the name of a session.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cdk_soc2.answers import may, want
from cdk_soc2.boundary import Boundary


class Kind(StrEnum):
    """What a caller can be known to be."""

    PERSON = "person"
    DEPLOY = "deploy role"
    SERVICE = "service"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True)
class Caller:
    """:param kind: ``None`` when the record does not show it.
    :param name: whom to ask: a user's or a person's session's ARN, else the role's.
    :param why: what the record shows, in words.
    :param role: name and id of the role of this account whose trust may tell more."""

    kind: Kind | None
    name: str
    why: str
    role: tuple[str, str] | None = None


PEOPLE = {
    "Root": "root",
    "IAMUser": "an IAM user",
    "FederatedUser": "a federated user",
    "IdentityCenterUser": "a user of Identity Center",
    "SAMLUser": "a user of a SAML provider",
}
SERVICES = ".amazonaws.com"
INTERACTIVE = tuple(  # services that only carry on what a person does in them
    f"{name}{SERVICES}" for name in ("cloud9", "cloudshell", "console", "q", "signin")
)
RUNS_CODE = ("AWS::EC2::Instance", "AWS::Lambda::Function")
PIPELINES = (  # identity providers that vouch for jobs and workloads, never for people
    "agent.buildkite.com",
    "api.bitbucket.org/",
    "app.terraform.io",
    "gitlab.com",
    "oidc.circleci.com/",
    "oidc.eks.",
    "token.actions.githubusercontent.com",
    "vstoken.dev.azure.com/",
)


def caller_of(told: Mapping[str, Any], account: str, boundary: Boundary) -> Caller:
    """The caller of the call that the record *told* tells of. Raises :class:`CannotLook`."""
    identity = want(told, "userIdentity", dict)
    kind = may(identity, "type", str)
    by = may(identity, "invokedBy", str) or ""
    service = by.endswith(SERVICES) and by not in INTERACTIVE
    name = may(identity, "arn", str) or may(identity, "principalId", str) or by or str(kind)
    if kind == "AWSService" or (kind in (None, "Root") and _event_of_service(told, service)):
        return Caller(Kind.SERVICE, by or name, f"the service {by or name}")
    if kind in PEOPLE:
        known = may(identity, "userName", str) in boundary.break_glass_users
        glass = ", which is for breaking the glass" if kind == "IAMUser" and known else ""
        return Caller(Kind.PERSON, name, f"{PEOPLE[kind]}{glass}")
    if kind == "AssumedRole":
        return _role(told, identity, service, name, account, boundary)
    return Caller(None, name, f"a caller of type {kind}")


def machine_provider(provider: str) -> bool:
    """Does the OIDC provider, an ARN or a host, vouch for machines only?"""
    return provider.partition(":oidc-provider/")[2].startswith(PIPELINES)


def _event_of_service(told: Mapping[str, Any], service: bool) -> bool:
    """Did a service act by itself? It is then recorded without a caller, or as root's."""
    return service or told.get("eventType") == "AwsServiceEvent"


def _role(
    told: Mapping[str, Any],
    identity: Mapping[str, Any],
    service: bool,
    session: str,
    account: str,
    boundary: Boundary,
) -> Caller:
    context = want(identity, "sessionContext", dict)
    issuer = want(context, "sessionIssuer", dict)
    arn, name = want(issuer, "arn", str), want(issuer, "userName", str)
    own = arn.split(":")[4:5] == [account] and ":role/" in arn
    if own and (name in boundary.deploy_roles or arn in boundary.deploy_roles):
        return Caller(Kind.DEPLOY, arn, f"the deploy role {name}")
    if own and ":role/aws-service-role/" in arn:
        return Caller(Kind.SERVICE, arn, f"the service-linked role {name}")
    if shown := _person(told, identity, context, name):
        return Caller(Kind.PERSON, session, shown)
    if service:
        return Caller(Kind.SERVICE, arn, f"the service {identity['invokedBy']}")
    scope = may(identity, "inScopeOf", dict) or {}
    if context.get("ec2RoleDelivery") or scope.get("issuerType") in RUNS_CODE:
        return Caller(Kind.MACHINE, arn, f"code that has the role {name}")
    federated = (may(context, "webIdFederationData", dict) or {}).get("federatedProvider")
    if isinstance(federated, str) and machine_provider(federated):
        return Caller(Kind.MACHINE, arn, f"a job of {federated}")
    if not own:
        return Caller(None, arn, f"the role {name} of another account")
    id = may(issuer, "principalId", str) or ""
    return Caller(None, arn, f"the role {name}", (name, id))


def _person(
    told: Mapping[str, Any], identity: Mapping[str, Any], context: Mapping[str, Any], role: str
) -> str | None:
    """What shows that a person is behind the session of a role, if anything does."""
    if role.startswith("AWSReservedSSO_"):
        return "a user of Identity Center"
    if identity.get("onBehalfOf"):
        return "a role on behalf of a user of Identity Center"
    if _yes(told.get("sessionCredentialFromConsole")):
        return f"the role {role} in the console"
    if _yes((may(context, "attributes", dict) or {}).get("mfaAuthenticated")):
        return f"the role {role}, assumed with MFA"
    agent = str(told.get("userAgent") or "")
    if identity.get("invokedBy") in INTERACTIVE or agent in INTERACTIVE or "CloudShell" in agent:
        return f"the role {role} in the console or a shell of AWS"
    return None


def _yes(value: object) -> bool:
    return value is True or str(value).lower() == "true"
