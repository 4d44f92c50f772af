"""CloudFormation keeps every security property: what a template says is what the API shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from local.launch import ACCOUNT, LocalAws
from tests.local.calls import code_of, finished, resource

Deploy = Callable[..., Any]
KEY_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "kms:*",
            "Resource": "*",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        }
    ],
}
KEY = resource("AWS::KMS::Key", KeyPolicy=KEY_POLICY, EnableKeyRotation=True)
KEY_ARN = {"Fn::GetAtt": ["Key", "Arn"]}


def lock(days: int) -> dict[str, Any]:
    retention = {"Mode": "GOVERNANCE", "Days": days}
    return {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}}


def vault_bucket(days: int = 365, **more: Any) -> dict[str, Any]:
    encryption = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY_ARN}
    return resource(
        "AWS::S3::Bucket",
        ObjectLockEnabled=True,
        ObjectLockConfiguration=lock(days),
        VersioningConfiguration={"Status": "Enabled"},
        BucketEncryption={
            "ServerSideEncryptionConfiguration": [
                {"ServerSideEncryptionByDefault": encryption, "BucketKeyEnabled": True},
            ]
        },
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        },
        OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        LifecycleConfiguration={
            "Rules": [
                {
                    "Id": "old",
                    "Status": "Enabled",
                    "Prefix": "tmp/",
                    "ExpirationInDays": "400",
                    "NoncurrentVersionExpirationInDays": 500,
                    "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": 90}],
                    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
                }
            ]
        },
        NotificationConfiguration={"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
        Tags=[{"Key": "control", "Value": "evidence"}],
        **more,
    )


BUCKET_READS: dict[str, Callable[[Any, str], Any]] = {
    "object lock": lambda s3, b: (
        s3.get_object_lock_configuration(Bucket=b)["ObjectLockConfiguration"] == lock(365)
    ),
    "versioning": lambda s3, b: s3.get_bucket_versioning(Bucket=b)["Status"] == "Enabled",
    "public access": lambda s3, b: all(
        s3.get_public_access_block(Bucket=b)["PublicAccessBlockConfiguration"].values()
    ),
    "encryption": lambda s3, b: s3.get_bucket_encryption(Bucket=b)[
        "ServerSideEncryptionConfiguration"
    ]["Rules"][0]["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"].startswith(
        "arn:aws:kms:"
    ),
    "bucket key": lambda s3, b: s3.get_bucket_encryption(Bucket=b)[
        "ServerSideEncryptionConfiguration"
    ]["Rules"][0]["BucketKeyEnabled"],
    "ownership": lambda s3, b: (
        s3.get_bucket_ownership_controls(Bucket=b)["OwnershipControls"]["Rules"]
        == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    ),
    "lifecycle": lambda s3, b: (
        s3.get_bucket_lifecycle_configuration(Bucket=b)["Rules"][0]["NoncurrentVersionExpiration"]
        == {"NoncurrentDays": 500}
    ),
    "notification": lambda s3, b: (
        "EventBridgeConfiguration" in s3.get_bucket_notification_configuration(Bucket=b)
    ),
    "tags": lambda s3, b: (
        {"Key": "control", "Value": "evidence"} in s3.get_bucket_tagging(Bucket=b)["TagSet"]
    ),
}


@pytest.fixture(scope="module")
def vault(aws: LocalAws) -> str:
    api = aws.client("cloudformation")
    template = {"Resources": {"Key": KEY, "Bucket": vault_bucket()}}
    api.create_stack(StackName="vault", TemplateBody=json.dumps(template))
    assert finished(api, "vault") == "CREATE_COMPLETE"
    found = api.describe_stack_resource(StackName="vault", LogicalResourceId="Bucket")
    return str(found["StackResourceDetail"]["PhysicalResourceId"])


@pytest.mark.parametrize("what", BUCKET_READS)
def test_bucket_keeps(aws: LocalAws, vault: str, what: str) -> None:
    assert BUCKET_READS[what](aws.client("s3"), vault)


def test_bucket_is_updated_in_place(aws: LocalAws, deploy: Deploy) -> None:
    first = deploy(Key=KEY, Bucket=vault_bucket(30))["Bucket"]
    assert deploy(Key=KEY, Bucket=vault_bucket(90))["Bucket"] == first
    s3 = aws.client("s3")
    shown = s3.get_object_lock_configuration(Bucket=first)["ObjectLockConfiguration"]
    assert shown == lock(90)


def test_unsupported_property_is_refused(aws: LocalAws, name: str) -> None:
    """Dropped in silence, it would make a stack look better than it is."""
    api = aws.client("cloudformation")
    flow = resource(
        "AWS::EC2::FlowLog", ResourceId="vpc-1", ResourceType="VPC", TrafficType="ALL", Nonsense="x"
    )
    stack = api.create_stack(
        StackName=name, TemplateBody=json.dumps({"Resources": {"Flow": flow}})
    )["StackId"]
    assert finished(api, stack) == "ROLLBACK_COMPLETE"
    reasons = [
        one.get("ResourceStatusReason", "")
        for one in api.describe_stack_events(StackName=stack)["StackEvents"]
    ]
    assert any("Nonsense" in reason for reason in reasons)


def test_retain_survives_deletion(
    aws: LocalAws, deploy: Deploy, destroy: Callable[[], str]
) -> None:
    kept = deploy(Key=KEY, Bucket=vault_bucket() | {"DeletionPolicy": "Retain"})["Bucket"]
    assert destroy() == "DELETE_COMPLETE"
    assert code_of(aws.client("s3").head_bucket, Bucket=kept) == ""


@pytest.mark.parametrize(
    ("policy", "code"), [("Retain", ""), ("RetainExceptOnCreate", "404"), ("Delete", "404")]
)
def test_rolled_back_creation(aws: LocalAws, name: str, policy: str, code: str) -> None:
    """Retain also holds when a create is rolled back; RetainExceptOnCreate then deletes."""
    api = aws.client("cloudformation")
    bucket = resource("AWS::S3::Bucket", BucketName=name) | {"DeletionPolicy": policy}
    broken = resource("AWS::EC2::FlowLog", ResourceId="x", ResourceType="VPC", Nonsense="x")
    template = {"Resources": {"Bucket": bucket, "Broken": broken | {"DependsOn": "Bucket"}}}
    stack = api.create_stack(StackName=name, TemplateBody=json.dumps(template))["StackId"]
    assert finished(api, stack) == "ROLLBACK_COMPLETE"
    assert code_of(aws.client("s3").head_bucket, Bucket=name) == code


def test_full_bucket_is_not_deleted(
    aws: LocalAws, deploy: Deploy, destroy: Callable[[], str]
) -> None:
    bucket = deploy(Bucket=resource("AWS::S3::Bucket"))["Bucket"]
    s3 = aws.client("s3")
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert destroy() == "DELETE_FAILED"
    s3.delete_object(Bucket=bucket, Key="k")
    assert destroy() == "DELETE_COMPLETE"


def trail(**properties: Any) -> dict[str, Any]:
    return resource(
        "AWS::CloudTrail::Trail",
        S3BucketName={"Ref": "Bucket"},
        **({"IsLogging": True} | properties),
    ) | {"DependsOn": "Policy"}


TRAIL_BUCKET = {
    "Bucket": resource("AWS::S3::Bucket"),
    "Policy": resource(
        "AWS::S3::BucketPolicy",
        Bucket={"Ref": "Bucket"},
        PolicyDocument={
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "cloudtrail.amazonaws.com"},
                    "Action": "s3:PutObject",
                    "Resource": {"Fn::Sub": "${Bucket.Arn}/*"},
                }
            ],
        },
    ),
}


def test_trail(aws: LocalAws, deploy: Deploy, destroy: Callable[[], str]) -> None:
    api = aws.client("cloudtrail")
    first = deploy(
        **TRAIL_BUCKET,
        Key=KEY,
        Trail=trail(IsMultiRegionTrail="true", EnableLogFileValidation=True, KMSKeyId=KEY_ARN),
    )["Trail"]
    shown = api.get_trail(Name=first)["Trail"]
    assert shown["IsMultiRegionTrail"]
    assert shown["LogFileValidationEnabled"]
    assert shown["KmsKeyId"].startswith("arn:aws:kms:")
    assert api.get_trail_status(Name=first)["IsLogging"]
    bad = trail(IsLogging=False, EventSelectors=[{"ReadWriteType": "WriteOnly"}])
    assert deploy(**TRAIL_BUCKET, Key=KEY, Trail=bad)["Trail"] == first
    shown = api.get_trail(Name=first)["Trail"]
    assert not shown["IsMultiRegionTrail"]
    assert not shown["LogFileValidationEnabled"]
    assert "KmsKeyId" not in shown
    assert not api.get_trail_status(Name=first)["IsLogging"]
    [selector] = api.get_event_selectors(TrailName=first)["EventSelectors"]
    assert selector["ReadWriteType"] == "WriteOnly"
    assert destroy() == "DELETE_COMPLETE"
    assert code_of(api.get_trail, Name=first) == "TrailNotFoundException"


def test_detector_is_updated_in_place(
    aws: LocalAws, deploy: Deploy, destroy: Callable[[], str]
) -> None:
    api = aws.client("guardduty")
    kind = "AWS::GuardDuty::Detector"
    often = {"FindingPublishingFrequency": "FIFTEEN_MINUTES"}
    first = deploy(D=resource(kind, Enable=True, **often))["D"]
    shown = api.get_detector(DetectorId=first)
    assert (shown["Status"], shown["FindingPublishingFrequency"]) == (
        "ENABLED",
        "FIFTEEN_MINUTES",
    )
    assert deploy(D=resource(kind, Enable="false", **often))["D"] == first
    assert api.get_detector(DetectorId=first)["Status"] == "DISABLED"
    assert destroy() == "DELETE_COMPLETE"
    assert first not in api.list_detectors()["DetectorIds"]


def flow_log(traffic: str) -> dict[str, Any]:
    return resource(
        "AWS::EC2::FlowLog",
        ResourceId={"Ref": "Vpc"},
        ResourceType="VPC",
        TrafficType=traffic,
        LogGroupName="/flow",
        DeliverLogsPermissionArn=f"arn:aws:iam::{ACCOUNT}:role/flow",
        Tags=[{"Key": "Name", "Value": "flow"}],
    )


VPC = resource("AWS::EC2::VPC", CidrBlock="10.20.0.0/16")


def test_flow_log_is_replaced(aws: LocalAws, deploy: Deploy) -> None:
    api = aws.client("ec2")
    first = deploy(Vpc=VPC, Flow=flow_log("ACCEPT"))["Flow"]
    second = deploy(Vpc=VPC, Flow=flow_log("ALL"))["Flow"]
    assert first != second
    known = {one["FlowLogId"]: one for one in api.describe_flow_logs()["FlowLogs"]}
    assert first not in known
    assert known[second]["TrafficType"] == "ALL"
    assert known[second]["LogGroupName"] == "/flow"


def entry(number: int, **more: Any) -> dict[str, Any]:
    return resource(
        "AWS::EC2::NetworkAclEntry",
        NetworkAclId={"Ref": "Acl"},
        RuleNumber=number,
        Protocol="6",
        RuleAction="deny",
        **more,
    )


def test_network_acl(aws: LocalAws, deploy: Deploy) -> None:
    network = {
        "Vpc": VPC,
        "Subnet": resource("AWS::EC2::Subnet", VpcId={"Ref": "Vpc"}, CidrBlock="10.20.0.0/24"),
        "Acl": resource("AWS::EC2::NetworkAcl", VpcId={"Ref": "Vpc"}),
        "Link": resource(
            "AWS::EC2::SubnetNetworkAclAssociation",
            SubnetId={"Ref": "Subnet"},
            NetworkAclId={"Ref": "Acl"},
        ),
        "Six": entry(200, Ipv6CidrBlock="::/0", PortRange={"From": 1, "To": 2}),
    }
    made = deploy(
        **network, Four=entry(100, CidrBlock="10.0.0.0/8", PortRange={"From": "0", "To": "65535"})
    )
    deploy(**network, Four=entry(100, CidrBlock="10.0.0.0/9", PortRange={"From": "22", "To": "22"}))
    [acl] = aws.client("ec2").describe_network_acls(NetworkAclIds=[made["Acl"]])["NetworkAcls"]
    entries = {one["RuleNumber"]: one for one in acl["Entries"] if one["RuleNumber"] < 32767}
    assert entries[100]["CidrBlock"] == "10.0.0.0/9"
    assert entries[100]["PortRange"] == {"From": 22, "To": 22}
    assert entries[200]["Ipv6CidrBlock"] == "::/0"
    assert [one["SubnetId"] for one in acl["Associations"]] == [made["Subnet"]]


def test_topic_keeps_its_key(aws: LocalAws, deploy: Deploy) -> None:
    api = aws.client("sns")
    topic = resource("AWS::SNS::Topic", KmsMasterKeyId={"Ref": "Key"})
    made = deploy(Key=KEY, Topic=topic)
    attributes = api.get_topic_attributes(TopicArn=made["Topic"])["Attributes"]
    assert attributes["KmsMasterKeyId"] == made["Key"]
    assert deploy(Key=KEY, Topic=resource("AWS::SNS::Topic"))["Topic"] == made["Topic"]
    attributes = api.get_topic_attributes(TopicArn=made["Topic"])["Attributes"]
    assert not attributes.get("KmsMasterKeyId")


ASSUMED_BY_LAMBDA = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
MORE: dict[str, tuple[dict[str, Any], Callable[[LocalAws, Any], bool]]] = {
    "key policy and rotation": (
        {"Key": KEY},
        lambda aws, ids: (
            aws.client("kms").get_key_rotation_status(KeyId=ids["Key"])["KeyRotationEnabled"]
            and ":root" in aws.client("kms").get_key_policy(KeyId=ids["Key"])["Policy"]
        ),
    ),
    "signing key": (
        {
            "Key": resource(
                "AWS::KMS::Key",
                KeySpec="ECC_NIST_P256",
                KeyUsage="SIGN_VERIFY",
                KeyPolicy=KEY_POLICY,
            )
        },
        lambda aws, ids: (
            aws.client("kms").describe_key(KeyId=ids["Key"])["KeyMetadata"]["KeySpec"]
            == "ECC_NIST_P256"
        ),
    ),
    "alarm": (
        {
            "Alarm": resource(
                "AWS::CloudWatch::Alarm",
                MetricName="M",
                Namespace="N",
                Statistic="Sum",
                Period=86400,
                EvaluationPeriods=1,
                Threshold=1,
                TreatMissingData="breaching",
                ComparisonOperator="LessThanThreshold",
                AlarmActions=["arn:aws:sns:x:1:t"],
                Dimensions=[{"Name": "D", "Value": "v"}],
            )
        },
        lambda aws, ids: (
            [
                (one["TreatMissingData"], one["AlarmActions"], one["Dimensions"])
                for one in aws.client("cloudwatch").describe_alarms(AlarmNames=[ids["Alarm"]])[
                    "MetricAlarms"
                ]
            ]
            == [("breaching", ["arn:aws:sns:x:1:t"], [{"Name": "D", "Value": "v"}])]
        ),
    ),
    "queue and its policy": (
        {
            "Queue": resource("AWS::SQS::Queue", SqsManagedSseEnabled=True),
            "Policy": resource(
                "AWS::SQS::QueuePolicy",
                Queues=[{"Ref": "Queue"}],
                PolicyDocument={
                    "Statement": [
                        {
                            "Sid": "mine",
                            "Effect": "Allow",
                            "Principal": "*",
                            "Action": "sqs:SendMessage",
                            "Resource": "*",
                        }
                    ]
                },
            ),
        },
        lambda aws, ids: (
            "mine"
            in aws.client("sqs").get_queue_attributes(
                QueueUrl=ids["Queue"], AttributeNames=["Policy"]
            )["Attributes"]["Policy"]
        ),
    ),
    "schedule": (
        {
            "Schedule": resource(
                "AWS::Scheduler::Schedule",
                ScheduleExpression="cron(0 3 * * ? *)",
                ScheduleExpressionTimezone="UTC",
                FlexibleTimeWindow={"Mode": "OFF"},
                Target={
                    "Arn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f",
                    "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/r",
                    "RetryPolicy": {"MaximumRetryAttempts": 0},
                },
            )
        },
        lambda aws, ids: (
            aws.client("scheduler").get_schedule(Name=ids["Schedule"])["Target"]["RetryPolicy"]
            == {"MaximumRetryAttempts": 0}
        ),
    ),
    "metric filter": (
        {
            "Group": resource("AWS::Logs::LogGroup", RetentionInDays=365),
            "Filter": resource(
                "AWS::Logs::MetricFilter",
                LogGroupName={"Ref": "Group"},
                FilterPattern="x",
                MetricTransformations=[
                    {"MetricName": "m", "MetricNamespace": "n", "MetricValue": "1"}
                ],
            ),
        },
        lambda aws, ids: (
            aws.client("logs").describe_metric_filters(logGroupName=ids["Group"])["metricFilters"][
                0
            ]["metricTransformations"][0]["metricName"]
            == "m"
        ),
    ),
    "backup vault lock": (
        {
            "Vault": resource(
                "AWS::Backup::BackupVault",
                BackupVaultName="locked",
                LockConfiguration={"MinRetentionDays": "30"},
            )
        },
        lambda aws, ids: (
            aws.client("backup").describe_backup_vault(BackupVaultName="locked")["MinRetentionDays"]
            == 30
        ),
    ),
    "restore testing": (
        {
            "Plan": resource(
                "AWS::Backup::RestoreTestingPlan",
                RestoreTestingPlanName="plan",
                ScheduleExpression="cron(0 5 1 * ? *)",
                RecoveryPointSelection={
                    "Algorithm": "LATEST_WITHIN_WINDOW",
                    "IncludeVaults": ["*"],
                    "RecoveryPointTypes": ["SNAPSHOT"],
                    "SelectionWindowDays": "30",
                },
            ),
            "Selection": resource(
                "AWS::Backup::RestoreTestingSelection",
                RestoreTestingPlanName={"Ref": "Plan"},
                RestoreTestingSelectionName="rds",
                ProtectedResourceType="RDS",
                IamRoleArn=f"arn:aws:iam::{ACCOUNT}:role/r",
                ProtectedResourceArns=["*"],
            ),
        },
        lambda aws, ids: (
            aws.client("backup").list_restore_testing_selections(RestoreTestingPlanName="plan")[
                "RestoreTestingSelections"
            ][0]["ProtectedResourceType"]
            == "RDS"
        ),
    ),
    "config": (
        {
            "Bucket": resource("AWS::S3::Bucket"),
            "Recorder": resource(
                "AWS::Config::ConfigurationRecorder",
                Name="default",
                RoleARN=f"arn:aws:iam::{ACCOUNT}:role/r",
                RecordingGroup={"AllSupported": True, "IncludeGlobalResourceTypes": True},
            ),
            "Channel": resource("AWS::Config::DeliveryChannel", S3BucketName={"Ref": "Bucket"}),
            "Rule": resource(
                "AWS::Config::ConfigRule",
                Source={"Owner": "AWS", "SourceIdentifier": "ENCRYPTED_VOLUMES"},
            ),
        },
        lambda aws, ids: (
            aws.client("config").describe_configuration_recorder_status()[
                "ConfigurationRecordersStatus"
            ][0]["recording"]
            and aws.client("config").describe_config_rules(ConfigRuleNames=[ids["Rule"]])[
                "ConfigRules"
            ][0]["Source"]["SourceIdentifier"]
            == "ENCRYPTED_VOLUMES"
        ),
    ),
    "identity provider": (
        {
            "Provider": resource(
                "AWS::IAM::OIDCProvider",
                ClientIdList=["sts.amazonaws.com"],
                Url="https://token.actions.githubusercontent.com",
            )
        },
        lambda aws, ids: (
            aws.client("iam").get_open_id_connect_provider(
                OpenIDConnectProviderArn=ids["Provider"]
            )["ClientIDList"]
            == ["sts.amazonaws.com"]
        ),
    ),
    "analyzer and hub": (
        {
            "Analyzer": resource("AWS::AccessAnalyzer::Analyzer", Type="ACCOUNT"),
            "Hub": resource("AWS::SecurityHub::Hub", EnableDefaultStandards=False),
        },
        lambda aws, ids: (
            ids["Analyzer"]
            in {one["arn"] for one in aws.client("accessanalyzer").list_analyzers()["analyzers"]}
            and aws.client("securityhub").describe_hub()["HubArn"] == ids["Hub"]
        ),
    ),
    "rotation": (
        {
            "Secret": resource("AWS::SecretsManager::Secret", SecretString="x"),
            "Rotation": resource(
                "AWS::SecretsManager::RotationSchedule",
                SecretId={"Ref": "Secret"},
                RotationLambdaARN=f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f",
                RotateImmediatelyOnUpdate=False,
                RotationRules={"AutomaticallyAfterDays": "30"},
            ),
        },
        lambda aws, ids: (
            aws.client("secretsmanager").describe_secret(SecretId=ids["Secret"])["RotationRules"]
            == {"AutomaticallyAfterDays": 30}
        ),
    ),
    "ways into a vpc": (
        {
            "Vpc": VPC,
            "Other": resource("AWS::EC2::VPC", CidrBlock="10.21.0.0/16"),
            "Subnet": resource("AWS::EC2::Subnet", VpcId={"Ref": "Vpc"}, CidrBlock="10.20.1.0/24"),
            "Peering": resource(
                "AWS::EC2::VPCPeeringConnection", VpcId={"Ref": "Vpc"}, PeerVpcId={"Ref": "Other"}
            ),
            "Gateway": resource("AWS::EC2::TransitGateway"),
            "Attachment": resource(
                "AWS::EC2::TransitGatewayAttachment",
                VpcId={"Ref": "Vpc"},
                TransitGatewayId={"Ref": "Gateway"},
                SubnetIds=[{"Ref": "Subnet"}],
            ),
            "Address": resource("AWS::EC2::EIP", Domain="vpc"),
            "Nat": resource(
                "AWS::EC2::NatGateway",
                SubnetId={"Ref": "Subnet"},
                AllocationId={"Fn::GetAtt": ["Address", "AllocationId"]},
            ),
        },
        lambda aws, ids: (
            [
                one["Status"]["Code"]
                for one in aws.client("ec2").describe_vpc_peering_connections(
                    VpcPeeringConnectionIds=[ids["Peering"]]
                )["VpcPeeringConnections"]
            ]
            == ["active"]
        ),
    ),
}


@pytest.mark.parametrize("what", MORE)
def test_deploys_keeps_and_deletes(
    aws: LocalAws, deploy: Deploy, destroy: Callable[[], str], what: str
) -> None:
    resources, is_kept = MORE[what]
    assert is_kept(aws, deploy(**resources))
    assert destroy() == "DELETE_COMPLETE"
