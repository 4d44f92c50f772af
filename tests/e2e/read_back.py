"""How each resource of the stack is read back, through the API of its service."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from local.launch import ACCOUNT
from tests.deploy.synth import Template
from tests.e2e.conftest import STACK, Deployed

Properties = dict[str, Any]
# The resource's physical id and its properties in the template; answers in the template's words.
Read = Callable[[Deployed, str, Properties], Properties]


class DeployedTemplate(Template):
    """The template with its intrinsic functions worked out as they were when it was deployed."""

    def __init__(self, deployed: Deployed) -> None:
        self._deployed = deployed
        cloudformation = deployed.client("cloudformation")
        [stack] = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
        found = cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
        self.ids = {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in found}
        self._pseudo = {
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::Region": deployed.aws.region,
            "AWS::StackId": stack["StackId"],
        }
        super().__init__(deployed.template())

    def resolve(self, value: Any) -> Any:
        if isinstance(value, dict) and list(value) == ["Fn::Sub"]:
            text = value["Fn::Sub"]
            for name, now in self._pseudo.items():
                text = text.replace(f"${{{name}}}", now)
            return text
        return super().resolve(value)

    def _ref(self, name: str) -> str:
        return self._pseudo.get(name) or self.ids.get(name, name)

    def _attribute(self, id: str, attribute: str) -> str:
        of = ATTRIBUTES[self.raw[id]["Type"], attribute]
        return str(of(self._deployed, self.ids[id]))


ATTRIBUTES: dict[tuple[str, str], Callable[[Deployed, str], str]] = {
    ("AWS::Events::Rule", "Arn"): lambda d, id: d.client("events").describe_rule(
        Name=id.rsplit("/", 1)[-1]
    )["Arn"],
    ("AWS::IAM::Role", "Arn"): lambda d, id: d.client("iam").get_role(RoleName=id)["Role"]["Arn"],
    ("AWS::KMS::Key", "Arn"): lambda d, id: d.client("kms").describe_key(KeyId=id)["KeyMetadata"][
        "Arn"
    ],
    ("AWS::Lambda::Function", "Arn"): lambda d, id: d.client("lambda").get_function(
        FunctionName=id
    )["Configuration"]["FunctionArn"],
    ("AWS::Logs::LogGroup", "Arn"): lambda d, id: d.client("logs").describe_log_groups(
        logGroupNamePrefix=id
    )["logGroups"][0]["arn"],
    ("AWS::S3::Bucket", "Arn"): lambda _, id: f"arn:aws:s3:::{id}",
    ("AWS::SQS::Queue", "Arn"): lambda d, id: d.client("sqs").get_queue_attributes(
        QueueUrl=id, AttributeNames=["QueueArn"]
    )["Attributes"]["QueueArn"],
    ("AWS::SQS::Queue", "QueueName"): lambda _, id: id.rsplit("/", 1)[-1],
}


def bucket(d: Deployed, name: str, _: Properties) -> Properties:
    s3 = d.client("s3")
    lock = s3.get_object_lock_configuration if has_lock(d, name) else None
    rules = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    notifications = s3.get_bucket_notification_configuration(Bucket=name)
    return {
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [
                {"ServerSideEncryptionByDefault": r["ApplyServerSideEncryptionByDefault"]}
                for r in rules
            ]
        },
        "LifecycleConfiguration": lifecycle(d, name),
        "NotificationConfiguration": {
            "EventBridgeConfiguration": {
                "EventBridgeEnabled": "EventBridgeConfiguration" in notifications
            }
        },
        "ObjectLockConfiguration": lock(Bucket=name)["ObjectLockConfiguration"] if lock else None,
        "ObjectLockEnabled": lock is not None,
        "OwnershipControls": s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"],
        "PublicAccessBlockConfiguration": s3.get_public_access_block(Bucket=name)[
            "PublicAccessBlockConfiguration"
        ],
        "VersioningConfiguration": {"Status": s3.get_bucket_versioning(Bucket=name).get("Status")},
    }


def has_lock(d: Deployed, name: str) -> bool:
    s3 = d.client("s3")
    try:
        answer = s3.get_object_lock_configuration(Bucket=name)
    except s3.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == "ObjectLockConfigurationNotFoundError"
        return False
    return bool(answer["ObjectLockConfiguration"]["ObjectLockEnabled"] == "Enabled")


def lifecycle(d: Deployed, name: str) -> Any:
    """CloudFormation flattens what S3 nests."""
    s3 = d.client("s3")
    try:
        rules = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    except s3.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == "NoSuchLifecycleConfiguration"
        return None
    flat = []
    for rule in rules:
        assert rule.pop("Filter", {"Prefix": ""}) == {"Prefix": ""}
        kept = {k: v for k, v in rule.items() if k not in ("ID", "Expiration")}
        flat.append({**kept, "Id": rule["ID"], "ExpirationInDays": rule["Expiration"]["Days"]})
    return {"Rules": flat}


def bucket_policy(d: Deployed, _: str, wanted: Properties) -> Properties:
    policy = d.client("s3").get_bucket_policy(Bucket=wanted["Bucket"])["Policy"]
    return {"Bucket": wanted["Bucket"], "PolicyDocument": json.loads(policy)}


def key(d: Deployed, id: str, _: Properties) -> Properties:
    kms = d.client("kms")
    it = kms.describe_key(KeyId=id)["KeyMetadata"]
    assert (it["KeyState"], it["Origin"]) == ("Enabled", "AWS_KMS")
    return {
        "EnableKeyRotation": kms.get_key_rotation_status(KeyId=id)["KeyRotationEnabled"],
        "KeyPolicy": json.loads(kms.get_key_policy(KeyId=id, PolicyName="default")["Policy"]),
        "KeySpec": it["KeySpec"],
        "KeyUsage": it["KeyUsage"],
    }


def alias(d: Deployed, name: str, _: Properties) -> Properties:
    [it] = [a for a in d.client("kms").list_aliases()["Aliases"] if a["AliasName"] == name]
    return {
        "AliasName": it["AliasName"],
        "TargetKeyId": d.client("kms").describe_key(KeyId=it["TargetKeyId"])["KeyMetadata"]["Arn"],
    }


def trail(d: Deployed, name: str, _: Properties) -> Properties:
    cloudtrail = d.client("cloudtrail")
    [it] = cloudtrail.describe_trails(trailNameList=[name])["trailList"]
    return {
        "EnableLogFileValidation": it["LogFileValidationEnabled"],
        "EventSelectors": cloudtrail.get_event_selectors(TrailName=name)["EventSelectors"],
        "IncludeGlobalServiceEvents": it["IncludeGlobalServiceEvents"],
        "IsLogging": cloudtrail.get_trail_status(Name=name)["IsLogging"],
        "IsMultiRegionTrail": it["IsMultiRegionTrail"],
        "KMSKeyId": it["KmsKeyId"],
        "S3BucketName": it["S3BucketName"],
        "TrailName": it["Name"],
    }


def alarm(d: Deployed, name: str, _: Properties) -> Properties:
    [it] = d.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert it["ActionsEnabled"]
    return dict(it)


def rule(d: Deployed, id: str, _: Properties) -> Properties:
    events, name = d.client("events"), id.rsplit("/", 1)[-1]
    it = events.describe_rule(Name=name)
    assert it["State"] == "ENABLED"
    return {
        "EventPattern": json.loads(it["EventPattern"]),
        "Targets": events.list_targets_by_rule(Rule=name)["Targets"],
    }


def role(d: Deployed, name: str, _: Properties) -> Properties:
    iam = d.client("iam")
    return {
        "AssumeRolePolicyDocument": iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    }


def role_policy(d: Deployed, _: str, wanted: Properties) -> Properties:
    iam, name = d.client("iam"), wanted["PolicyName"]
    roles = [
        r["RoleName"]
        for r in iam.list_roles()["Roles"]
        if name in iam.list_role_policies(RoleName=r["RoleName"])["PolicyNames"]
    ]
    documents = [iam.get_role_policy(RoleName=r, PolicyName=name)["PolicyDocument"] for r in roles]
    return {"PolicyDocument": documents, "PolicyName": name, "Roles": roles}


def managed_policy(d: Deployed, arn: str, _: Properties) -> Properties:
    iam = d.client("iam")
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    its = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]
    roles = iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"]
    return {
        "PolicyDocument": its["Document"],
        "Path": iam.get_policy(PolicyArn=arn)["Policy"]["Path"],
        "Roles": [r["RoleName"] for r in roles],
    }


def function(d: Deployed, name: str, wanted: Properties) -> Properties:
    client = d.client("lambda")
    it = client.get_function(FunctionName=name)
    s3 = d.client("s3").get_object(Bucket=wanted["Code"]["S3Bucket"], Key=wanted["Code"]["S3Key"])
    runs = it["Configuration"]["CodeSha256"] == code_sha256(s3["Body"].read())
    return {**it["Configuration"], "Code": wanted["Code"] if runs else "another zip file"}


def code_sha256(zip_file: bytes) -> str:
    return base64.b64encode(hashlib.sha256(zip_file).digest()).decode()


def invoke_config(d: Deployed, _: str, wanted: Properties) -> Properties:
    names = {name: wanted[name] for name in ("FunctionName", "Qualifier")}
    it = d.client("lambda").get_function_event_invoke_config(**names)
    return {**names, **it, "DestinationConfig": without_empty(it["DestinationConfig"])}


def without_empty(value: Mapping[str, Any]) -> Properties:
    return {k: v for k, v in value.items() if v}


def log_group(d: Deployed, name: str, _: Properties) -> Properties:
    groups = d.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    [it] = [g for g in groups if g["logGroupName"] == name]
    own = d.client("logs").describe_resource_policies(
        policyScope="RESOURCE", resourceArn=it["logGroupArn"]
    )["resourcePolicies"]
    return {
        "KmsKeyId": it.get("kmsKeyId"),
        "LogGroupName": it["logGroupName"],
        "ResourcePolicyDocument": [json.loads(policy["policyDocument"]) for policy in own],
        "RetentionInDays": it.get("retentionInDays"),
    }


def topic(d: Deployed, arn: str, _: Properties) -> Properties:
    return dict(d.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"])


def topic_policy(d: Deployed, _: str, wanted: Properties) -> Properties:
    read = [json.loads(topic(d, arn, {})["Policy"]) for arn in wanted["Topics"]]
    return {"PolicyDocument": read, "Topics": wanted["Topics"]}


def queue(d: Deployed, url: str, _: Properties) -> Properties:
    sqs = d.client("sqs")
    return dict(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"])


def queue_policy(d: Deployed, _: str, wanted: Properties) -> Properties:
    read = [json.loads(queue(d, url, {})["Policy"]) for url in wanted["Queues"]]
    return {"PolicyDocument": read, "Queues": wanted["Queues"]}


def schedule(d: Deployed, id: str, _: Properties) -> Properties:
    return dict(d.client("scheduler").get_schedule(Name=id.rsplit("/", 1)[-1]))


def setting(d: Deployed, _: str, wanted: Properties) -> Properties:
    """What was made, in the words of what was asked for."""
    made = SETTINGS[wanted["Setting"]](d)
    return {"Setting": wanted["Setting"], **made}


def regions(d: Deployed, holds: Callable[[str], bool]) -> list[str]:
    every = [r["RegionName"] for r in d.client("ec2").describe_regions()["Regions"]]
    return [name for name in every if holds(name)]


def ebs(d: Deployed) -> Properties:
    def on(region: str) -> bool:
        answer = d.client("ec2", region=region).get_ebs_encryption_by_default()
        return bool(answer["EbsEncryptionByDefault"])

    return {"Regions": regions(d, on)}


def guardduty(d: Deployed) -> Properties:
    ids = {
        region: d.client("guardduty", region=region).list_detectors()["DetectorIds"]
        for region in regions(d, lambda _: True)
    }
    found = [
        d.client("guardduty", region=region).get_detector(DetectorId=id)
        for region, its in ids.items()
        for id in its
    ]
    assert {it["Status"] for it in found} == {"ENABLED"}
    foundation = {"CLOUD_TRAIL", "DNS_LOGS", "FLOW_LOGS"}
    plans = {f["Name"] for it in found for f in it["Features"] if f["Status"] == "ENABLED"}
    return {
        "Regions": [region for region, its in ids.items() if its],
        "Wanted": {
            "Frequency": sorted({it["FindingPublishingFrequency"] for it in found}),
            "Plans": sorted(plans - foundation),
        },
    }


def flow_logs(d: Deployed) -> Properties:
    logs = {region: flow_logs_of_vpcs(d, region) for region in regions(d, lambda _: True)}
    every = [log for its in logs.values() for log in its]
    assert {(log["TrafficType"], log["LogDestinationType"]) for log in every} == {("ALL", "s3")}
    return {
        "Regions": [region for region, its in logs.items() if its],
        "Wanted": {
            "Account": ACCOUNT,
            "AggregationSeconds": sorted({log["MaxAggregationInterval"] for log in every}),
            "BucketArn": sorted({log["LogDestination"] for log in every}),
        },
    }


def flow_logs_of_vpcs(d: Deployed, region: str) -> list[Properties]:
    """Of those that are there: AWS deletes a VPC's with the VPC, the emulator does not."""
    ec2 = d.client("ec2", region=region)
    vpcs = {vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]}
    return [log for log in ec2.describe_flow_logs()["FlowLogs"] if log["ResourceId"] in vpcs]


def block_public_access(d: Deployed) -> Properties:
    answer = d.client("s3control").get_public_access_block(AccountId=ACCOUNT)
    assert list(answer["PublicAccessBlockConfiguration"].values()) == [True] * 4
    return {"Wanted": {"Account": ACCOUNT}}


def passwords(d: Deployed) -> Properties:
    policy = d.client("iam").get_account_password_policy()["PasswordPolicy"]
    kinds = ("LowercaseCharacters", "UppercaseCharacters", "Numbers", "Symbols")
    every = all(policy[f"Require{kind}"] for kind in kinds)
    numbers = ("MinimumPasswordLength", "PasswordReusePrevention")
    its = {name: policy[name] for name in numbers}
    return {"Wanted": {**its, "EveryKindOfCharacter": "yes" if every else "no"}}


SETTINGS: dict[str, Callable[[Deployed], Properties]] = {
    "ebs_encryption": ebs,
    "guardduty": guardduty,
    "mfa": passwords,
    "s3_block_public_access": block_public_access,
    "vpc_flow_logs": flow_logs,
}

READ: dict[str, Read] = {
    "AWS::CDK::Metadata": lambda _d, _id, _p: {},
    "AWS::CloudTrail::Trail": trail,
    "AWS::CloudWatch::Alarm": alarm,
    "AWS::Events::Rule": rule,
    "AWS::IAM::ManagedPolicy": managed_policy,
    "AWS::IAM::Policy": role_policy,
    "AWS::IAM::Role": role,
    "AWS::KMS::Alias": alias,
    "AWS::KMS::Key": key,
    "AWS::Lambda::EventInvokeConfig": invoke_config,
    "AWS::Lambda::Function": function,
    "AWS::Logs::LogGroup": log_group,
    "AWS::S3::Bucket": bucket,
    "AWS::S3::BucketPolicy": bucket_policy,
    "AWS::SNS::Topic": topic,
    "AWS::SNS::TopicPolicy": topic_policy,
    "AWS::SQS::Queue": queue,
    "AWS::SQS::QueuePolicy": queue_policy,
    "AWS::Scheduler::Schedule": schedule,
    "Custom::AccountSetting": setting,
}
