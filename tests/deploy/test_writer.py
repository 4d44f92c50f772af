from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from cdk_nag import AwsSolutionsChecks

from cdk_soc2.constructs import EvidenceVault, Soc2Guard
from cdk_soc2.deploy.writer import EvidenceWriter, github_subject
from tests.deploy.synth import (
    ADMIN,
    BREAK_GLASS,
    IAM,
    NO_FLAGS,
    OUR_FLAGS,
    ROOT_USER,
    Template,
    app,
    denies,
    statements,
    synth,
)

GITHUB = "token.actions.githubusercontent.com"
PROVIDER = f"{IAM}:oidc-provider/{GITHUB}"


def writer(stack: cdk.Stack, **given: Any) -> EvidenceWriter:
    glass = iam.Role.from_role_arn(stack, "Glass", BREAK_GLASS)
    vault = EvidenceVault(stack, "Vault", break_glass_role=glass)
    return EvidenceWriter(
        stack,
        "Writer",
        **{"vault": vault, "repository": "acme/shop", "break_glass_role": glass} | given,
    )


@pytest.fixture(scope="module", params=[OUR_FLAGS, NO_FLAGS], ids=["our flags", "no flags"])
def template(request: pytest.FixtureRequest) -> Template:
    return synth(writer, request.param)


def trust(template: Template) -> dict[str, Any]:
    [statement] = template.one("AWS::IAM::Role", "Writer")["AssumeRolePolicyDocument"]["Statement"]
    return statement


def test_trusts_one_environment_of_one_repository(template: Template):
    assert trust(template) == {
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {
                f"{GITHUB}:aud": "sts.amazonaws.com",
                f"{GITHUB}:sub": "repo:acme/shop:environment:evidence",
            }
        },
        "Effect": "Allow",
        "Principal": trust(template)["Principal"],
    }
    [provider] = template.all("AWS::IAM::OIDCProvider").items()
    assert trust(template)["Principal"]["Federated"].endswith(provider[0])
    assert provider[1]["Url"] == f"https://{GITHUB}"
    assert provider[1]["ClientIdList"] == ["sts.amazonaws.com"]


def test_takes_the_provider_that_is_there():
    def build(stack: cdk.Stack) -> None:
        there = iam.OidcProviderNative.from_oidc_provider_arn(stack, "There", PROVIDER)
        writer(stack, provider=there)

    template = synth(build)
    assert not template.all("AWS::IAM::OIDCProvider")
    assert trust(template)["Principal"] == {"Federated": PROVIDER}


def test_two_writers_have_one_provider_and_two_keys():
    def build(stack: cdk.Stack) -> None:
        first = writer(stack)
        vault = stack.node.find_child("Vault")
        EvidenceWriter(
            stack,
            "ArgoCd",
            vault=vault,  # pyright: ignore[reportArgumentType]
            repository="acme/shop",
            environment="evidence-argocd",
            source="argocd-production",
            provider=first.provider,
        )

    template = synth(build)
    assert len(template.all("AWS::IAM::OIDCProvider")) == 1
    assert len(template.all("AWS::KMS::Key")) == 2
    policies = template.all("AWS::IAM::Policy")
    [other] = [p for k, p in policies.items() if "ArgoCd" in k]
    assert "github-acme" not in str(other) and "argocd-production" in str(other)


SUBJECTS = [
    ("acme/shop", "evidence", "repo:acme/shop:environment:evidence"),
    ("acme/shop.io_2", "prod-1", "repo:acme/shop.io_2:environment:prod-1"),
    ("acme@12/shop@345", "evidence", "repo:acme@12/shop@345:environment:evidence"),
]


@pytest.mark.parametrize(("repository", "environment", "subject"), SUBJECTS)
def test_subjects(repository: str, environment: str, subject: str):
    assert github_subject(repository, environment) == subject


REFUSED = {
    "any repository": ({"repository": "acme/*"}, "a wildcard would let others"),
    "any owner": ({"repository": "*/shop"}, "a wildcard would let others"),
    "any character": ({"repository": "acme/sho?"}, "a wildcard would let others"),
    "an owner alone": ({"repository": "acme"}, "name the one that runs the workflow"),
    "a placeholder": ({"repository": "acme/${name}"}, "name the one"),
    "half a number": ({"repository": "acme@12/shop"}, "owner@123/name@456"),
    "a second subject": ({"repository": "acme/shop:ref:refs/heads/main"}, "name the one"),
    "a trailing line": ({"repository": "acme/shop\n"}, "name the one"),
    "any environment": ({"environment": "*"}, "a wildcard would let any branch"),
    "part of an environment": ({"environment": "prod*"}, "a wildcard would let any branch"),
    "no environment": ({"environment": ""}, "name one"),
    "a subject in the environment": ({"environment": "a:job:b"}, "name one"),
    "an account's source": ({"source": "aws-123456789012"}, "its own collector alone"),
    "people's source": ({"source": "manual"}, "write github-<owner>"),
    "a source without a name": ({"source": "github-"}, "write github-<owner>"),
    "every source": ({"source": "github-*"}, "write github-<owner>"),
    "a path": ({"source": "github-a/../aws-1"}, "write github-<owner>"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_what_could_stand_for_more_than_one(name: str):
    given, said = REFUSED[name]
    with pytest.raises(ValueError, match="(?s)" + said.replace("*", r"\*")):
        synth(lambda stack: writer(stack, **given))


def allowed(template: Template) -> set[tuple[str, str]]:
    return {
        (action, resource)
        for key, policy in template.all("AWS::IAM::Policy").items()
        if "Writer" in key
        for s in statements(policy["PolicyDocument"], "Allow")
        for action in s["Action"]
        for resource in s["Resource"]
    }


def test_may_write_its_own_source_and_sign_with_its_own_key_and_no_more(template: Template):
    [bucket] = template.all("AWS::S3::Bucket")
    [key] = template.all("AWS::KMS::Key")
    vault, day, key_arn = (
        f"arn:aws:s3:::{bucket}",
        "daily/????-??-??",
        template._attribute(key, "Arn"),
    )
    assert allowed(template) == {
        ("s3:PutObject", f"{vault}/{day}/github-acme/*"),
        ("s3:PutObject", f"{vault}/ledger/github-acme/*"),
        ("s3:PutObject", f"{vault}/keys/*"),
        *(
            (action, f"{vault}/{path}")
            for action in ("s3:GetObject", "s3:GetObjectVersion")
            for path in (
                f"{day}/github-acme/*/control-status.json",
                "ledger/github-acme/*",
                "keys/*",
            )
        ),
        ("s3:ListBucketVersions", vault),
        ("kms:Sign", key_arn),
        ("kms:GetPublicKey", key_arn),
    }


def test_its_key_signs_for_it_alone_and_stays(template: Template):
    policy = template.one("AWS::KMS::Key")["KeyPolicy"]
    [role] = [k for k in template.all("AWS::IAM::Role") if "Writer" in k]
    assert not denies(policy, "kms:Sign", f"{IAM}:role/{role}")
    assert all(denies(policy, "kms:Sign", who) for who in (ADMIN, ROOT_USER, BREAK_GLASS))
    assert denies(policy, "kms:ScheduleKeyDeletion", ADMIN)
    [key] = [r for r in template.raw.values() if r["Type"] == "AWS::KMS::Key"]
    assert key["DeletionPolicy"] == "Retain"
    assert template.one("AWS::KMS::Key")["KeySpec"] == "ECC_NIST_P256"


def test_silence_of_its_source_rings_where_a_topic_is_given():
    silent = synth(writer)
    assert not silent.all("AWS::CloudWatch::Alarm")
    template = synth(lambda s: writer(s, alert_topic=sns.Topic(s, "Topic")))
    assert "github-acme" in template.one("AWS::CloudWatch::Alarm")["AlarmDescription"]
    assert len(template.all("AWS::Events::Rule")) == 2  # arrivals, and the key in danger


def test_passes_the_guard_and_cdk_nag():
    it = app(OUR_FLAGS)
    stack = cdk.Stack(it, "S")
    writer(stack)
    Soc2Guard.add_to(it)
    cdk.Validations.of(it).add_plugins(AwsSolutionsChecks(it))
    it.synth()  # raises, with the report, when there is a finding
