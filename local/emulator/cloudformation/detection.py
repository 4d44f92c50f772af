"""Detection: GuardDuty's detector, Security Hub, and Access Analyzer's analyzer."""

from emulator.cloudformation.resource_type import (
    Created,
    Properties,
    ResourceType,
    arguments,
    client,
    tag_map,
    without,
)
from ministack.services.cloudformation.provisioners import _physical_name


def create_detector(_logical: str, properties: Properties, _stack: str) -> Created:
    api = client("guardduty")
    made = api.create_detector(
        **arguments(api, "CreateDetector", without(properties, "Tags")), Tags=tag_map(properties)
    )["DetectorId"]
    return made, {"Id": made}


def update_detector(physical: str, _old: Properties, new: Properties) -> Created:
    api = client("guardduty")
    changed = arguments(api, "UpdateDetector", without(new, "Tags"), DetectorId=physical)
    api.update_detector(**changed)
    return physical, {"Id": physical}


def delete_detector(physical: str, _properties: Properties) -> None:
    client("guardduty").delete_detector(DetectorId=physical)


def create_hub(_logical: str, properties: Properties, _stack: str) -> Created:
    api = client("securityhub")
    api.enable_security_hub(
        **arguments(api, "EnableSecurityHub", without(properties, "AutoEnableControls"))
    )
    arn = api.describe_hub()["HubArn"]
    return arn, {"ARN": arn}


def update_hub(physical: str, _old: Properties, _new: Properties) -> Created:
    """Its flags are not kept here; the hub stays."""
    return physical, {"ARN": physical}


def delete_hub(_physical: str, _properties: Properties) -> None:
    client("securityhub").disable_security_hub()


def create_analyzer(logical: str, properties: Properties, stack: str) -> Created:
    api = client("accessanalyzer")
    name = properties.get("AnalyzerName") or _physical_name(stack, logical)
    arn = api.create_analyzer(analyzerName=name, type=properties["Type"], tags=tag_map(properties))[
        "arn"
    ]
    return arn, {"Arn": arn}


def delete_analyzer(physical: str, _properties: Properties) -> None:
    client("accessanalyzer").delete_analyzer(analyzerName=physical.rpartition("/")[2])


TYPES = (
    ResourceType("AWS::GuardDuty::Detector", create_detector, delete_detector, update_detector),
    ResourceType("AWS::SecurityHub::Hub", create_hub, delete_hub, update_hub),
    ResourceType("AWS::AccessAnalyzer::Analyzer", create_analyzer, delete_analyzer),
)
