"""Control 2 in a template: what will be deployed can be seen in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from cdk_soc2.control import Observed
from cdk_soc2.controls.infrastructure_as_code.control import INFRASTRUCTURE_AS_CODE
from cdk_soc2.sam import BECOMES, TRANSFORM, transforms
from cdk_soc2.template import Resource, Template

# Macros of AWS that add what they are named for, and leave the rest as it is written.
SEEN_THROUGH = {
    TRANSFORM,
    "AWS::CodeDeployBlueGreen",
    "AWS::LanguageExtensions",
    "AWS::SecretsManager-2020-07-23",
    "AWS::SecretsManager-2024-09-16",
}
LOOP = "Fn::ForEach::"
NESTED = "AWS::Serverless::Application"  # another rule asks for its template
ROTATION = ":applications/SecretsManager"
SAM = {
    *BECOMES,
    NESTED,
    "AWS::Serverless::Connector",
    "AWS::Serverless::LayerVersion",
    "AWS::Serverless::StateMachine",
}


@INFRASTRUCTURE_AS_CODE.rule(
    fix="Hand in the template that the macro makes, which a change set shows before it is executed; or "
    "write out what it would make."
)
def template_is_written_out(template: Template) -> Iterator[Observed]:
    """No macro, module, loop or include makes resources that the template does not show."""
    for name in transforms(template.body):
        if name not in SEEN_THROUGH:
            yield Observed(None, "-", f"the macro {name} may change everything", path="Transform")
    for id, resource in template.section("Resources").items():
        for what in _hidden(str(id), resource):
            yield Observed(None, str(id), what, path=f"Resources.{id}")


def _hidden(id: str, resource: Any) -> Iterator[str]:
    if id.startswith(LOOP):
        yield "a loop, whose resources are not looked at"
    elif id == "Fn::Transform":
        yield "an include, whose resources are not shown"
    elif isinstance(resource, Mapping):
        body = cast(Mapping[str, Any], resource)
        kind = str(body.get("Type"))
        if kind.endswith("::MODULE"):
            yield f"a module, {kind}"
        elif kind.startswith("AWS::Serverless::") and kind not in SAM:
            yield f"{kind} becomes resources that are not looked at"
        elif _includes(body.get("Properties")):
            yield "Fn::Transform writes some of its properties"


def _includes(value: Any) -> bool:
    if isinstance(value, Mapping):
        given = cast(Mapping[str, Any], value)
        return "Fn::Transform" in given or any(map(_includes, given.values()))
    return isinstance(value, list) and any(map(_includes, cast(list[Any], value)))


@INFRASTRUCTURE_AS_CODE.rule_for(
    "AWS::CloudFormation::Stack",
    NESTED,
    fix="Hand in its template, too; a TemplateURL that is a file beside this one is followed.",
)
def nested_stack_is_seen(stack: Resource) -> Observed:
    """A nested stack's template is looked at, too, unless it is AWS's own, to rotate a secret."""
    if stack.type == NESTED and _rotates_a_secret(stack):
        return stack.seen(True, "AWS's own function, which rotates a secret", "Location")
    ok = stack.template is not None and stack.id in stack.template.seen
    told = "its template is looked at, too" if ok else "its template is not at hand"
    return stack.seen(True if ok else None, told, "TemplateURL")


def _rotates_a_secret(stack: Resource) -> bool:
    location: Any = stack.properties.get("Location")
    if stack.template is None or not isinstance(location, Mapping):
        return False
    id: Any = cast(Mapping[str, Any], location).get("ApplicationId")
    named = stack.template.meaning.candidates(id)
    return bool(named) and all(ROTATION in str(one) for one in named)
