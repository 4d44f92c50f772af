"""Secrets Manager: rotation schedules and resource policies. No rotation ever runs by itself."""

import json

from emulator.cloudformation.resource_type import (
    Created,
    Properties,
    ResourceType,
    arguments,
    client,
    is_true,
)


def put_rotation(properties: Properties) -> Created:
    api = client("secretsmanager")
    rules = {"RotationRules": properties.get("RotationRules", {})}
    if properties.get("RotationLambdaARN"):
        rules["RotationLambdaARN"] = properties["RotationLambdaARN"]
    api.rotate_secret(
        **arguments(api, "RotateSecret", rules, SecretId=properties["SecretId"]),
        RotateImmediately=is_true(properties.get("RotateImmediatelyOnUpdate", True)),
    )
    return properties["SecretId"], {"Id": properties["SecretId"]}


def delete_rotation(_physical: str, properties: Properties) -> None:
    client("secretsmanager").cancel_rotate_secret(SecretId=properties["SecretId"])


def put_policy(properties: Properties) -> Created:
    document = properties["ResourcePolicy"]
    text = document if isinstance(document, str) else json.dumps(document)
    client("secretsmanager").put_resource_policy(
        SecretId=properties["SecretId"], ResourcePolicy=text
    )
    return properties["SecretId"], {"Id": properties["SecretId"]}


def delete_policy(_physical: str, properties: Properties) -> None:
    client("secretsmanager").delete_resource_policy(SecretId=properties["SecretId"])


TYPES = (
    ResourceType(
        "AWS::SecretsManager::RotationSchedule",
        lambda _logical, properties, _stack: put_rotation(properties),
        delete_rotation,
        lambda _physical, _old, new: put_rotation(new),
        replaced_by=("SecretId",),
    ),
    ResourceType(
        "AWS::SecretsManager::ResourcePolicy",
        lambda _logical, properties, _stack: put_policy(properties),
        delete_policy,
        lambda _physical, _old, new: put_policy(new),
        replaced_by=("SecretId",),
    ),
)
