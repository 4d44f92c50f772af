"""Identity: OIDC providers, and the attributes for access control of IAM Identity Center."""

from typing import Any

from emulator.cloudformation.resource_type import (
    Created,
    Properties,
    ResourceType,
    client,
)

_ATTRIBUTES = "AccessControlAttributes"


def create_provider(_logical: str, properties: Properties, _stack: str) -> Created:
    arn = client("iam").create_open_id_connect_provider(
        Url=properties["Url"],
        ClientIDList=properties.get("ClientIdList", []),
        ThumbprintList=properties.get("ThumbprintList", []),
        Tags=properties.get("Tags", []),
    )["OpenIDConnectProviderArn"]
    return arn, {"Arn": arn}


def update_provider(physical: str, old: Properties, new: Properties) -> Created:
    api = client("iam")
    before, after = set(old.get("ClientIdList", [])), set(new.get("ClientIdList", []))
    for added in after - before:
        api.add_client_id_to_open_id_connect_provider(
            OpenIDConnectProviderArn=physical, ClientID=added
        )
    for removed in before - after:
        api.remove_client_id_from_open_id_connect_provider(
            OpenIDConnectProviderArn=physical, ClientID=removed
        )
    if new.get("ThumbprintList"):
        api.update_open_id_connect_provider_thumbprint(
            OpenIDConnectProviderArn=physical, ThumbprintList=new["ThumbprintList"]
        )
    return physical, {"Arn": physical}


def delete_provider(physical: str, _properties: Properties) -> None:
    client("iam").delete_open_id_connect_provider(OpenIDConnectProviderArn=physical)


def _configuration(properties: Properties) -> dict[str, Any]:
    return {
        "InstanceArn": properties["InstanceArn"],
        "InstanceAccessControlAttributeConfiguration": {_ATTRIBUTES: properties[_ATTRIBUTES]},
    }


def create_attributes(_logical: str, properties: Properties, _stack: str) -> Created:
    client("sso-admin").create_instance_access_control_attribute_configuration(
        **_configuration(properties)
    )
    return properties["InstanceArn"], {}


def update_attributes(physical: str, _old: Properties, new: Properties) -> Created:
    client("sso-admin").update_instance_access_control_attribute_configuration(
        **_configuration(new)
    )
    return physical, {}


def delete_attributes(physical: str, _properties: Properties) -> None:
    client("sso-admin").delete_instance_access_control_attribute_configuration(InstanceArn=physical)


TYPES = (
    ResourceType(
        "AWS::IAM::OIDCProvider",
        create_provider,
        delete_provider,
        update_provider,
        replaced_by=("Url",),
    ),
    ResourceType(
        "AWS::SSO::InstanceAccessControlAttributeConfiguration",
        create_attributes,
        delete_attributes,
        update_attributes,
        replaced_by=("InstanceArn",),
    ),
)
