"""Every question that is put to GitHub, and the permission that it needs: all of them only read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """One operation of GitHub's REST API.

    :param path: its path, as GitHub's own description names it.
    :param needs: the permission of a GitHub App (or fine-grained token) that allows it.
    :param key: where a page holds its items; ``None`` where the page is the list.
    :param once: asked once a run, and shared by whoever asks the same again.
    :param secret: fields that are blanked before the answer is kept as evidence.
    """

    path: str
    needs: str
    key: str | None = None
    once: bool = False
    secret: tuple[str, ...] = ()


ORGANIZATION = Question("/orgs/{org}", "members:read", once=True)
MEMBERS = Question("/orgs/{org}/members", "members:read")
OUTSIDE_COLLABORATORS = Question("/orgs/{org}/outside_collaborators", "members:read")
REPOSITORIES = Question("/orgs/{org}/repos", "metadata:read", once=True)
ORGANIZATION_RULESET = Question(
    "/orgs/{org}/rulesets/{ruleset_id}", "organization_administration:write", once=True
)

REPOSITORY = Question("/repos/{owner}/{repo}", "metadata:read", once=True)
PROTECTION = Question("/repos/{owner}/{repo}/branches/{branch}/protection", "administration:read")
BRANCH_RULES = Question("/repos/{owner}/{repo}/rules/branches/{branch}", "metadata:read")
RULESETS = Question("/repos/{owner}/{repo}/rulesets", "metadata:read")
RULESET = Question("/repos/{owner}/{repo}/rulesets/{ruleset_id}", "administration:write", once=True)
RULE_SUITES = Question("/repos/{owner}/{repo}/rulesets/rule-suites", "administration:write")
COLLABORATORS = Question("/repos/{owner}/{repo}/collaborators", "metadata:read")
DEPLOY_KEYS = Question("/repos/{owner}/{repo}/keys", "administration:read")

COMMITS = Question("/repos/{owner}/{repo}/commits", "contents:read")
PULLS_OF_COMMIT = Question("/repos/{owner}/{repo}/commits/{commit_sha}/pulls", "pull_requests:read")
CHECK_RUNS = Question(
    "/repos/{owner}/{repo}/commits/{ref}/check-runs", "checks:read", key="check_runs"
)
PULLS = Question("/repos/{owner}/{repo}/pulls", "pull_requests:read")
REVIEWS = Question("/repos/{owner}/{repo}/pulls/{pull_number}/reviews", "pull_requests:read")
PULL_COMMITS = Question("/repos/{owner}/{repo}/pulls/{pull_number}/commits", "pull_requests:read")

ENVIRONMENTS = Question("/repos/{owner}/{repo}/environments", "actions:read", key="environments")
DEPLOYMENTS = Question("/repos/{owner}/{repo}/deployments", "deployments:read")
DEPLOYMENT_STATUSES = Question(
    "/repos/{owner}/{repo}/deployments/{deployment_id}/statuses", "deployments:read"
)
RUNS = Question("/repos/{owner}/{repo}/actions/runs", "actions:read", key="workflow_runs")
RUN_APPROVALS = Question("/repos/{owner}/{repo}/actions/runs/{run_id}/approvals", "actions:read")

ANALYSES = Question("/repos/{owner}/{repo}/code-scanning/analyses", "security_events:read")
CODE_ALERTS = Question("/repos/{owner}/{repo}/code-scanning/alerts", "security_events:read")
DEPENDABOT_ALERTS = Question("/repos/{owner}/{repo}/dependabot/alerts", "vulnerability_alerts:read")
SECRET_ALERTS = Question(
    "/repos/{owner}/{repo}/secret-scanning/alerts",
    "secret_scanning_alerts:read",
    secret=("secret",),
)
CALLER = Question("/user", "metadata:read", once=True)
