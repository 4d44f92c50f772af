"""AWS Config: recorder, delivery channel and rules. Rules are kept; none is ever evaluated."""

from typing import Any

from emulator.answers import scope
from emulator.cloudformation.resource_type import (
    Created,
    Properties,
    ResourceType,
    arguments,
    client,
)
from ministack.services.cloudformation.provisioners import _physical_name


def create_recorder(logical: str, properties: Properties, stack: str) -> Created:
    api = client("config")
    name = properties.get("Name") or _physical_name(stack, logical)
    put_recorder(api, name, properties)
    _start_when_complete(api)
    return name, {}


def update_recorder(physical: str, _old: Properties, new: Properties) -> Created:
    put_recorder(client("config"), physical, new)
    return physical, {}


def put_recorder(api: Any, name: str, properties: Properties) -> None:
    recorder = {"ConfigurationRecorder": {**properties, "Name": name}}
    api.put_configuration_recorder(**arguments(api, "PutConfigurationRecorder", recorder))


def delete_recorder(physical: str, _properties: Properties) -> None:
    client("config").delete_configuration_recorder(ConfigurationRecorderName=physical)


def create_channel(logical: str, properties: Properties, stack: str) -> Created:
    api = client("config")
    name = properties.get("Name") or _physical_name(stack, logical)
    put_channel(api, name, properties)
    _start_when_complete(api)
    return name, {}


def update_channel(physical: str, _old: Properties, new: Properties) -> Created:
    put_channel(client("config"), physical, new)
    return physical, {}


def put_channel(api: Any, name: str, properties: Properties) -> None:
    channel = {"DeliveryChannel": {**properties, "Name": name}}
    api.put_delivery_channel(**arguments(api, "PutDeliveryChannel", channel))


def delete_channel(physical: str, _properties: Properties) -> None:
    api = client("config")
    for recorder in api.describe_configuration_recorders()["ConfigurationRecorders"]:
        api.stop_configuration_recorder(ConfigurationRecorderName=recorder["name"])
    api.delete_delivery_channel(DeliveryChannelName=physical)


def _start_when_complete(api: Any) -> None:
    """CloudFormation starts a recorder as soon as it has a delivery channel."""
    if api.describe_delivery_channels()["DeliveryChannels"]:
        for recorder in api.describe_configuration_recorders()["ConfigurationRecorders"]:
            api.start_configuration_recorder(ConfigurationRecorderName=recorder["name"])


def create_rule(logical: str, properties: Properties, stack: str) -> Created:
    name = properties.get("ConfigRuleName") or _physical_name(stack, logical)
    return _put_rule(name, properties)


def update_rule(physical: str, _old: Properties, new: Properties) -> Created:
    return _put_rule(physical, new)


def _put_rule(name: str, properties: Properties) -> Created:
    api = client("config")
    rule = {"ConfigRule": {**properties, "ConfigRuleName": name}}
    api.put_config_rule(**arguments(api, "PutConfigRule", rule))
    account, region = scope()
    arn = f"arn:aws:config:{region}:{account}:config-rule/{name}"
    return name, {"Arn": arn, "ConfigRuleId": name, "Compliance.Type": "INSUFFICIENT_DATA"}


def delete_rule(physical: str, _properties: Properties) -> None:
    client("config").delete_config_rule(ConfigRuleName=physical)


TYPES = (
    ResourceType(
        "AWS::Config::ConfigurationRecorder",
        create_recorder,
        delete_recorder,
        update_recorder,
        replaced_by=("Name",),
    ),
    ResourceType(
        "AWS::Config::DeliveryChannel",
        create_channel,
        delete_channel,
        update_channel,
        replaced_by=("Name",),
    ),
    ResourceType(
        "AWS::Config::ConfigRule",
        create_rule,
        delete_rule,
        update_rule,
        replaced_by=("ConfigRuleName",),
    ),
)
