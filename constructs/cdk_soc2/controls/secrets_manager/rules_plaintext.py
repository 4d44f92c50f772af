"""Control 6 in a template: a secret is in Secrets Manager, and nowhere in plain text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from cdk_soc2.control import Observed
from cdk_soc2.controls.secrets_manager.control import SECRETS_MANAGER
from cdk_soc2.controls.secrets_manager.plaintext import (
    is_secret_name,
    secret_in,
    secrets_in_script,
)
from cdk_soc2.intrinsics import flat, is_intrinsic, literals
from cdk_soc2.template import Resource, Template

PLAINTEXT = ("CC6.1", "C1.1")
LAUNCHED = {
    "AWS::EC2::Instance": "UserData",
    "AWS::EC2::LaunchTemplate": "LaunchTemplateData.UserData",
    "AWS::AutoScaling::LaunchConfiguration": "UserData",
}
PASSWORDS = {
    "AWS::RDS::DBInstance": "MasterUserPassword",
    "AWS::RDS::DBCluster": "MasterUserPassword",
    "AWS::DocDB::DBCluster": "MasterUserPassword",
    "AWS::Redshift::Cluster": "MasterUserPassword",
    "AWS::ElastiCache::ReplicationGroup": "AuthToken",
    "AWS::DirectoryService::MicrosoftAD": "Password",
    "AWS::DMS::Endpoint": "Password",
    "AWS::IAM::User": "LoginProfile.Password",
    "AWS::SecretsManager::Secret": "SecretString",
}


@SECRETS_MANAGER.rule_for(
    "AWS::Lambda::Function",
    fix="Pass the secret's ARN, and read the secret when the function runs.",
    criteria=PLAINTEXT,
)
def function_has_no_secret_in_environment(function: Resource) -> Observed:
    """A function's environment names secrets, and holds none."""
    given: Any = function.value("Environment.Variables") or {}
    pairs = cast(Mapping[str, Any], given).items() if isinstance(given, Mapping) else ()
    return _seen(function, pairs, "Environment.Variables")


@SECRETS_MANAGER.rule_for(
    "AWS::ECS::TaskDefinition",
    fix="Name it under Secrets, with ValueFrom, in place of Environment; in the CDK, secrets={...}.",
    criteria=PLAINTEXT,
)
def task_has_no_secret_in_environment(task: Resource) -> Observed:
    """A task's containers get their secrets by reference, not in their environment."""
    containers = [task.part(c) for c in task.nodes("ContainerDefinitions")]
    return _seen(task, _pairs(containers, "Environment"), "ContainerDefinitions")


@SECRETS_MANAGER.rule_for(
    "AWS::CodeBuild::Project",
    fix="Give the variable the type SECRETS_MANAGER, and the secret's name as its value.",
    criteria=PLAINTEXT,
)
def build_has_no_secret_in_environment(project: Resource) -> Observed:
    """A build's environment holds no secret in plain text."""
    variables = [
        v
        for v in project.nodes("Environment.EnvironmentVariables")
        if v.get("Type") in (None, "PLAINTEXT")
    ]
    pairs = [(flat(v.get("Name")), v.get("Value")) for v in variables]
    return _seen(project, pairs, "Environment.EnvironmentVariables")


@SECRETS_MANAGER.rule_for(
    *LAUNCHED,
    fix="Let the instance read the secret with its role, when it starts.",
    criteria=PLAINTEXT,
)
def user_data_has_no_secret(instance: Resource) -> Observed | None:
    """An instance's user data holds no secret: whoever may describe the instance can read it."""
    path = LAUNCHED[instance.type]
    script = instance.properties
    for name in path.split("."):
        script = script.get(name) or {}
        if not isinstance(script, Mapping):
            break
    if not script:
        return None
    found = sorted({what for text in _scripts(script) for what in secrets_in_script(text)})
    return instance.seen(not found, f"holds {', '.join(found) or 'no secret that shows'}", path)


@SECRETS_MANAGER.rule_for(
    "AWS::SSM::Parameter",
    fix="Make it a secret of Secrets Manager; CloudFormation cannot make a SecureString.",
    criteria=PLAINTEXT,
)
def parameter_is_no_secret(parameter: Resource) -> Observed:
    """A parameter of Systems Manager, which CloudFormation writes in plain text, is no secret."""
    name = flat(parameter.properties.get("Name")).rpartition("/")[2] or parameter.id
    why = secret_in(name, parameter.properties.get("Value"), _parameters(parameter))
    return parameter.seen(why is None, f"holds {why or 'no secret that shows'}", "Value")


@SECRETS_MANAGER.rule_for(
    *PASSWORDS,
    fix="Let the service make it (ManageMasterUserPassword, GenerateSecretString), or take it by "
    "'{{resolve:secretsmanager:...}}' or from a parameter with NoEcho.",
    criteria=PLAINTEXT,
)
def password_is_not_in_the_template(resource: Resource) -> Observed | None:
    """A password that the template gives to a service is not written in it."""
    path = PASSWORDS[resource.type]
    holder, _, name = path.rpartition(".")
    within: Any = resource.value(holder) if holder else resource.properties
    given = cast(Mapping[str, Any], within).get(name) if isinstance(within, Mapping) else None
    if given is None:
        return None
    if is_intrinsic(given):
        parameter = _parameters(resource).get(str(cast(Mapping[str, Any], given).get("Ref")))
        if parameter is not None:
            ok = str(cast(Mapping[str, Any], parameter).get("NoEcho")).lower() == "true"
            return resource.seen(ok, f"from a parameter {'with' if ok else 'without'} NoEcho", path)
    ok = flat(given).startswith(("{{resolve:", "${")) or "{{resolve:" in flat(given)
    return resource.seen(ok, "by reference" if ok else "written in the template", path)


@SECRETS_MANAGER.rule(
    fix="Take the secret from Secrets Manager; where it must be a parameter, set NoEcho to true and "
    "give no Default.",
    criteria=PLAINTEXT,
)
def template_parameter_hides_its_secret(template: Template) -> Iterator[Observed]:
    """A parameter of the template that takes a secret is not echoed, and has no default."""
    for name, declared in template.section("Parameters").items():
        if not isinstance(declared, Mapping) or not is_secret_name(name):
            continue
        given = cast(Mapping[str, Any], declared)
        if given.get("Type") != "String" or given.get("AllowedValues"):
            continue  # a name, a number or a choice
        default = secret_in(name, given.get("Default"), {}) is not None
        echoed = str(given.get("NoEcho")).lower() != "true"
        told = [
            *(["no NoEcho"] if echoed else []),
            *(["a default in plain text"] if default else []),
        ]
        detail = f"has {' and '.join(told)}" if told else "NoEcho, without a default"
        yield Observed(not told, name, detail, path=f"Parameters.{name}")


def _seen(resource: Resource, pairs: Any, path: str) -> Observed:
    known = _parameters(resource)
    found = {name: why for name, value in pairs if (why := secret_in(str(name), value, known))}
    told = "; ".join(f"{name}: {why}" for name, why in found.items())
    return resource.seen(not found, told or "no secret that shows", path)


def _pairs(parts: list[Resource], path: str) -> Iterator[tuple[str, Any]]:
    for part in parts:
        for variable in part.nodes(path):
            yield flat(variable.get("Name")), variable.get("Value")


def _parameters(resource: Resource) -> Mapping[str, Any]:
    return resource.template.section("Parameters") if resource.template else {}


def _scripts(script: Any) -> Iterator[str]:
    """The script as a whole, and its texts one by one, where functions put it together."""
    yield flat(script)
    yield from literals(script)
