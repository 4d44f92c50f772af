"""Lets a GitHub workflow write the evidence of one source, and nothing else."""

# The CDK's classes name parameters otherwise than its interfaces do; jsii checks arguments itself.
# pyright: reportArgumentType=false
from __future__ import annotations

import re
from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_soc2.controls.evidence.construct import EvidenceVault
from cdk_soc2.controls.evidence.control import EVIDENCE
from cdk_soc2.deploy.arrivals import EvidenceArrivals
from cdk_soc2.deploy.claim import claim
from cdk_soc2.deploy.custody import keep_key
from cdk_soc2.deploy.signing import only_signs, tell_of_danger
from cdk_soc2.deploy.signing import signing_key as make_signing_key
from cdk_soc2.evidence.layout import SOURCE

ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"

# The name of an account or a repository, with its number where GitHub puts that into the subject.
OWNER = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})"
NAME = r"[A-Za-z0-9._-]{1,100}"
NUMBER = r"@[0-9]+"
REPOSITORY = re.compile(rf"({OWNER})/{NAME}|({OWNER}){NUMBER}/{NAME}{NUMBER}")
ENVIRONMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
OTHERS = ("github", "argocd")  # sources that no collector in AWS looks after


def github_provider(scope: Construct, id: str) -> iam.IOidcProvider:
    """GitHub's identity provider. An account can have only one: import it where it is there already,
    with ``iam.OidcProviderNative.from_oidc_provider_arn``."""
    return iam.OidcProviderNative(scope, id, url=f"https://{ISSUER}", client_ids=[AUDIENCE])


def github_subject(repository: str, environment: str) -> str:
    """The one subject that jobs of *environment* in *repository* have.

    :param repository: ``owner/name``, spelled as GitHub spells it, capitals too; with immutable
        subjects, GitHub's default for repositories made since July 2026, ``owner@123/name@456``
        (the numbers: ``gh api repos/OWNER/NAME``).
    :raises ValueError: either could stand for more than one.
    """
    if not REPOSITORY.fullmatch(repository):
        raise ValueError(
            f"repository {repository!r}: name the one that runs the workflow, as owner/name or "
            "owner@123/name@456; a wildcard would let others write evidence"
        )
    if not ENVIRONMENT.fullmatch(environment):
        raise ValueError(
            f"environment {environment!r}: name one, of letters, digits, '.', '_' and '-'; a "
            "wildcard would let any branch write evidence"
        )
    return f"repo:{repository}:environment:{environment}"


class EvidenceWriter(Construct):
    """A role for a GitHub workflow that collects elsewhere, and the key that signs what it brings.

    :param repository: whose workflow it is, and which *environment* its job must name. See
        :func:`github_subject`. Protect the environment: whoever may use it may write evidence.
    :param source: what it writes, such as ``argocd-production``; absent, ``github-<owner>``.
    :param provider: GitHub's identity provider of this account; absent, made here. Give a second
        writer the first one's ``provider``.
    :param signing_key: an ECC_NIST_P256 key for SIGN_VERIFY that signs for this source alone; absent,
        made here, and retained.
    :param alert_topic: is told when no evidence of the source arrives for 26 hours, and when somebody
        tries to end the key; absent, nobody is.
    :param break_glass_role: as for :class:`EvidenceVault`; here, for the signing key.
    :param deploy_roles: as for :class:`EvidenceVault`.
    :raises ValueError: the workflow or the source is not one alone.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        vault: EvidenceVault,
        repository: str,
        environment: str = "evidence",
        source: str | None = None,
        provider: iam.IOidcProvider | None = None,
        signing_key: kms.IKey | None = None,
        alert_topic: sns.ITopic | None = None,
        break_glass_role: iam.IRole | None = None,
        deploy_roles: Sequence[iam.IRole] = (),
    ) -> None:
        super().__init__(scope, id)
        subject = github_subject(repository, environment)
        self.source = _source(source, repository)
        self.provider = provider or github_provider(self, "GitHub")
        self.role = iam.Role(
            self,
            "Role",
            description=f"Writes the SOC 2 evidence of {self.source}",
            max_session_duration=cdk.Duration.hours(1),
            assumed_by=iam.WebIdentityPrincipal(
                self.provider.oidc_provider_arn,
                {"StringEquals": {f"{ISSUER}:aud": AUDIENCE, f"{ISSUER}:sub": subject}},
            ),
        )
        self.signing_key = signing_key or make_signing_key(self, "SigningKey")
        only_signs(self.role, self.signing_key)
        keep_key(self, self.signing_key, break_glass_role, deploy_roles)
        vault.grant_source(self.role, self.source)
        self.role.add_to_policy(
            iam.PolicyStatement(
                actions=["kms:GetPublicKey", "kms:Sign"], resources=[self.signing_key.key_arn]
            )
        )
        if alert_topic is not None:
            tell_of_danger(self, "KeyInDanger", [self.signing_key], alert_topic)
            self.arrivals = EvidenceArrivals(
                self, "Arrivals", bucket=vault.bucket, source=self.source, topic=alert_topic
            )
        claim(self, EVIDENCE)


def _source(given: str | None, repository: str) -> str:
    owner = repository.partition("/")[0].partition("@")[0]
    source = given or f"github-{owner}"
    kind, _, name = source.partition("-")
    if kind not in OTHERS or not name or not SOURCE.fullmatch(source):
        raise ValueError(
            f"source {source!r}: write github-<owner> or argocd-<name>; the evidence of an AWS "
            "account is written by its own collector alone"
        )
    return source
