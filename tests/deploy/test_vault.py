from typing import Any

import aws_cdk as cdk
import aws_cdk.assertions
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from cdk_soc2.constructs import CloudTrail, EvidenceVault
from tests.deploy.synth import (
    ADMIN,
    BOOTSTRAPPED,
    BREAK_GLASS,
    DEPLOYER,
    ELSEWHERE,
    NO_FLAGS,
    OUR_FLAGS,
    OWN_QUALIFIER,
    ROOT_USER,
    Template,
    app,
    denies,
    synth,
)

CFN = "cloudformation.amazonaws.com"


def role(stack: cdk.Stack, arn: str) -> iam.IRole:
    return iam.Role.from_role_arn(stack, arn.rpartition("/")[2], arn)


def guarded(stack: cdk.Stack) -> dict[str, Any]:
    return {"break_glass_role": role(stack, BREAK_GLASS), "deploy_roles": [role(stack, DEPLOYER)]}


@pytest.fixture(scope="module", params=[OUR_FLAGS, NO_FLAGS], ids=["our flags", "no flags"])
def vault(request: pytest.FixtureRequest) -> Template:
    return synth(lambda s: EvidenceVault(s, "Vault", **guarded(s)), request.param)


@pytest.fixture(scope="module")
def alone() -> Template:
    """A vault without break-glass or deploy roles."""
    return synth(lambda s: EvidenceVault(s, "Vault"))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("ObjectLockEnabled", True),
        (
            "ObjectLockConfiguration",
            {
                "ObjectLockEnabled": "Enabled",
                "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 730}},
            },
        ),
        ("VersioningConfiguration", {"Status": "Enabled"}),
        (
            "PublicAccessBlockConfiguration",
            dict.fromkeys(
                [
                    "BlockPublicAcls",
                    "BlockPublicPolicy",
                    "IgnorePublicAcls",
                    "RestrictPublicBuckets",
                ],
                True,
            ),
        ),
        ("OwnershipControls", {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}),
        (
            "BucketEncryption",
            {
                "ServerSideEncryptionConfiguration": [
                    {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
                ]
            },
        ),
        (
            "NotificationConfiguration",
            {"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
        ),
        ("BucketName", None),
        ("AccessControl", None),
    ],
)
def test_bucket(vault: Template, path: str, value: Any):
    assert vault.one("AWS::S3::Bucket").get(path) == value


@pytest.mark.parametrize("type", ["AWS::S3::Bucket", "AWS::S3::BucketPolicy"])
def test_outlives_its_stack_and_a_failed_first_deployment(vault: Template, type: str):
    [it] = [r for r in vault.raw.values() if r["Type"] == type]
    # RetainExceptOnCreate would give it up when its first deployment fails.
    assert (it["DeletionPolicy"], it["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_brings_nothing_else(vault: Template):
    assert {r["Type"] for r in vault.raw.values()} - {"AWS::CDK::Metadata"} == {
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
    }


NEVER = [
    "s3:BypassGovernanceRetention",
    "s3:PutObjectRetention",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:DeleteBucket",
]
BY_DEPLOYMENT = [
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:PutBucketPolicy",
    "s3:DeleteBucketPolicy",
    "s3:PutBucketVersioning",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketOwnershipControls",
    "s3:PutEncryptionConfiguration",
]
ANYTIME = ["s3:PutObject", "s3:GetObject", "s3:ListBucketVersions", "s3:GetBucketPolicy"]

WHO = {
    # who: (principal, through CloudFormation?, may do NEVER, may do BY_DEPLOYMENT)
    "an administrator": (ADMIN, False, False, False),
    "the root user": (
        ROOT_USER,
        False,
        False,
        False,
    ),  # S3 lets root replace the policy all the same
    "an administrator who deploys": (ADMIN, True, False, True),
    "the role of cdk bootstrap": (BOOTSTRAPPED, False, False, True),
    "the role of a bootstrap with its own qualifier": (OWN_QUALIFIER, False, False, True),
    "the role of cdk bootstrap elsewhere": (ELSEWHERE, False, False, False),
    "the named deploy role": (DEPLOYER, False, False, True),
    "the break-glass role": (BREAK_GLASS, False, True, True),
}


@pytest.mark.parametrize("who", WHO)
def test_who_may_do_what(vault: Template, who: str):
    principal, deploys, may_never, may_configure = WHO[who]
    policy = vault.one("AWS::S3::BucketPolicy")["PolicyDocument"]
    via = CFN if deploys else None
    allowed = {
        a for a in NEVER + BY_DEPLOYMENT + ANYTIME if not denies(policy, a, principal, via=via)
    }
    expected = {*ANYTIME, *(NEVER if may_never else ()), *(BY_DEPLOYMENT if may_configure else ())}
    assert allowed == expected


@pytest.mark.parametrize("who", [ADMIN, ROOT_USER, BREAK_GLASS, BOOTSTRAPPED])
@pytest.mark.parametrize("action", NEVER)
def test_without_a_break_glass_role_nobody_ends_evidence(alone: Template, who: str, action: str):
    policy = alone.one("AWS::S3::BucketPolicy")["PolicyDocument"]
    assert denies(policy, action, who, via=CFN)


def test_denies_old_tls_and_none(alone: Template):
    conditions = [
        s["Condition"]
        for s in alone.one("AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
        if s["Action"] == "s3:*" and s["Effect"] == "Deny" and s["Principal"] == {"AWS": "*"}
    ]
    assert {"Bool": {"aws:SecureTransport": "false"}} in conditions
    assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in conditions


def test_compliance_mode_by_choice():
    it = synth(lambda s: EvidenceVault(s, "Vault", mode=s3.ObjectLockMode.COMPLIANCE))
    rule = it.one("AWS::S3::Bucket")["ObjectLockConfiguration"]["Rule"]
    assert rule["DefaultRetention"] == {"Mode": "COMPLIANCE", "Days": 730}


@pytest.mark.parametrize(
    ("retention", "days"),
    [(cdk.Duration.days(365), 365), (cdk.Duration.days(3650), 3650)],
)
def test_retention_by_choice(retention: cdk.Duration, days: int):
    it = synth(lambda s: EvidenceVault(s, "Vault", retention=retention))
    rule = it.one("AWS::S3::Bucket")["ObjectLockConfiguration"]["Rule"]
    assert rule["DefaultRetention"]["Days"] == days


@pytest.mark.parametrize("construct", [EvidenceVault, CloudTrail])
def test_short_retention_is_refused(construct: Any):
    stack = cdk.Stack(cdk.App(), "S")
    with pytest.raises(
        ValueError, match=r"S/It/Bucket: a retention of 364 days .* Duration\.days\(365"
    ):
        construct(stack, "It", retention=cdk.Duration.days(364))


@pytest.fixture(scope="module")
def keyed() -> Template:
    return synth(
        lambda s: EvidenceVault(s, "Vault", encryption_key=kms.Key(s, "Key"), **guarded(s))
    )


class TestCustomerKey:
    def test_encrypts(self, keyed: Template):
        [rule] = keyed.one("AWS::S3::Bucket")["BucketEncryption"][
            "ServerSideEncryptionConfiguration"
        ]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
        assert rule["BucketKeyEnabled"] is True

    @pytest.mark.parametrize(
        ("action", "principal", "via", "denied"),
        [
            ("kms:ScheduleKeyDeletion", ADMIN, None, True),
            ("kms:ScheduleKeyDeletion", ADMIN, CFN, True),
            ("kms:ScheduleKeyDeletion", BOOTSTRAPPED, None, True),
            ("kms:ScheduleKeyDeletion", ROOT_USER, None, True),
            ("kms:ScheduleKeyDeletion", BREAK_GLASS, None, False),
            ("kms:DisableKey", ADMIN, None, True),
            ("kms:DisableKey", BREAK_GLASS, None, False),
            ("kms:PutKeyPolicy", ADMIN, None, True),
            ("kms:PutKeyPolicy", ADMIN, CFN, False),
            ("kms:PutKeyPolicy", BOOTSTRAPPED, None, False),
            ("kms:PutKeyPolicy", DEPLOYER, None, False),
            ("kms:PutKeyPolicy", BREAK_GLASS, None, False),
            ("kms:PutKeyPolicy", ROOT_USER, None, False),  # KMS has no other way back
            ("kms:Decrypt", ADMIN, None, False),
        ],
    )
    def test_is_kept(
        self, keyed: Template, action: str, principal: str, via: str | None, denied: bool
    ):
        policy = keyed.one("AWS::KMS::Key")["KeyPolicy"]
        assert denies(policy, action, principal, via=via) is denied

    def test_of_another_stack_warns(self):
        stack = cdk.Stack(app(OUR_FLAGS), "S")
        key = kms.Key.from_key_arn(
            stack, "Key", f"arn:aws:kms:eu-west-1:123456789012:key/{'0' * 8}"
        )
        vault = EvidenceVault(stack, "Vault", encryption_key=key)
        found = cdk.assertions.Annotations.from_stack(stack).find_warning(
            f"/{vault.node.path}",
            cdk.assertions.Match.string_like_regexp("deny kms:ScheduleKeyDel"),
        )
        assert len(found) == 1
