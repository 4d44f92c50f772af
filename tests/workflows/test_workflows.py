"""What no workflow of ours may do, and what the pins are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cdk_soc2.sources.github import questions
from cdk_soc2.sources.github.questions import Question
from tests.workflows.files import ALL, OURS, PLACED, ROOT, TEMPLATES, jobs, named, steps, workflow

# What each commit is, read from the actions' own repositories; all that is used must stand here.
PINS = {
    "actions/attest-build-provenance": ("4d101475d8b20a2381f78447822ac1eab6504dd8", "v4.2.2"),
    "actions/checkout": ("3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1"),
    "actions/create-github-app-token": ("bcd2ba49218906704ab6c1aa796996da409d3eb1", "v3.2.0"),
    "actions/setup-python": ("5fda3b95a4ea91299a34e894583c3862153e4b97", "v7.0.0"),
    "actions/upload-artifact": ("043fb46d1a93c77aae656e7c1c64a875d1fc6a0a", "v7.0.1"),
    "aquasecurity/trivy-action": ("ed142fd0673e97e23eac54620cfb913e5ce36c25", "v0.36.0"),
    "aws-actions/configure-aws-credentials": (
        "e6de054238d6b7531b4efff3b6587d9aade6a06c",
        "v6.2.3",
    ),
    "github/codeql-action/upload-sarif": ("2892aa5e19bbd11bc0cff5427e3b750a04d9e3c2", "v4.38.2"),
}
USES = re.compile(r"^\s*(?:- )?uses: ([\w./-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)$")
WRITES = {"attestations", "contents", "id-token", "security-events"}
every_workflow = pytest.mark.parametrize("path", ALL, ids=named)


def test_there_are_workflows() -> None:
    assert {p.stem for p in PLACED} <= {p.stem for p in OURS} and len(PLACED) == 4


@every_workflow
def test_every_action_is_pinned_to_a_commit_we_know(path: Path) -> None:
    used = [line for line in path.read_text().splitlines() if "uses:" in line]
    for line in used:
        found = USES.match(line)
        assert found, f"no commit of 40 digits with its version: {line}"
        assert PINS[found[1]] == (found[2], found[3])
    assert len(used) == sum("uses" in step for _, step in steps(path))


@every_workflow
def test_nothing_is_permitted_that_a_job_does_not_name(path: Path) -> None:
    assert workflow(path)["permissions"] == {}
    for name, job in jobs(path).items():
        granted: dict[str, str] = job["permissions"]
        assert set(granted.values()) <= {"read", "write"}, name
        assert {k for k, v in granted.items() if v == "write"} <= WRITES, name


@every_workflow
def test_who_may_write_contents_runs_no_code_of_the_repository(path: Path) -> None:
    for name, job in jobs(path).items():
        if job["permissions"].get("contents") == "write":
            assert not [s for s in job["steps"] if "checkout" in s.get("uses", "")], name


@every_workflow
def test_who_takes_a_role_names_an_environment(path: Path) -> None:
    """The role trusts the environment: without one, there would be a role for any branch."""
    for name, job in jobs(path).items():
        takes = [s for s in job["steps"] if "configure-aws-credentials" in s.get("uses", "")]
        assert not takes or ("environment" in job and job["permissions"]["id-token"] == "write")
        for step in takes:
            assert set(step["with"]) == {"role-to-assume", "aws-region"}, name


@every_workflow
def test_no_trigger_gives_strangers_our_secrets(path: Path) -> None:
    triggers = workflow(path)["on"]
    assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(triggers)
    if "pull_request" in triggers:
        assert "secrets." not in path.read_text()


@every_workflow
def test_no_expression_stands_in_a_script(path: Path) -> None:
    """Whoever names a branch or an application would write the script."""
    assert [s["run"] for _, s in steps(path) if "${{" in s.get("run", "")] == []


@every_workflow
def test_no_credentials_stay_in_the_checkout(path: Path) -> None:
    for _, step in steps(path):
        if "checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False


@every_workflow
def test_every_job_ends(path: Path) -> None:
    assert all(job["timeout-minutes"] <= 120 for job in jobs(path).values())
    assert all(job["runs-on"] == "ubuntu-24.04" for job in jobs(path).values())


@pytest.mark.parametrize("path", [p for p in ALL if p.stem == "security-scan"], ids=named)
def test_the_scans_filter_by_severity_and_always_report(path: Path) -> None:
    for name, job in jobs(path).items():
        [scan] = [s for s in job["steps"] if "trivy-action" in s.get("uses", "")]
        [report] = [s for s in job["steps"] if "upload-sarif" in s.get("uses", "")]
        given = scan["with"]
        assert given["limit-severities-for-sarif"] is True and given["exit-code"] == "1", name
        assert given["severity"] == "CRITICAL,HIGH" and given["format"] == "sarif"
        assert given["output"] == report["with"]["sarif_file"]
        assert "!cancelled()" in report["if"]
        assert job["permissions"]["security-events"] == "write"
    categories = [s["with"]["category"] for _, s in steps(path) if "category" in s.get("with", {})]
    assert len(set(categories)) == len(jobs(path))
    assert workflow(path)["on"]["schedule"], "a week without an analysis is a finding"


@pytest.mark.parametrize("path", [p for p in ALL if "daily" in p.stem], ids=named)
def test_evidence_is_collected_daily_and_findings_do_not_hide(path: Path) -> None:
    assert workflow(path)["on"]["schedule"] == [{"cron": "0 1 * * *"}]
    collect, findings = jobs(path)["collect"], jobs(path)["findings"]
    [step] = [s for s in collect["steps"] if s.get("id") == "collect"]
    assert "exit $((status > 1 ? status : 0))" in step["run"] and "--key" in step["run"]
    assert "needs.collect.outputs.status == '1'" in findings["if"]
    assert "exit 1" in findings["steps"][0]["run"] and findings["permissions"] == {}


@pytest.mark.parametrize("path", [p for p in ALL if "github" in p.stem], ids=named)
def test_the_apps_token_may_read_what_is_asked_and_no_more(path: Path) -> None:
    [token] = [s["with"] for _, s in steps(path) if "create-github-app-token" in s.get("uses", "")]
    given = {
        k.removeprefix("permission-").replace("-", "_"): v
        for k, v in token.items()
        if k.startswith("permission-")
    }
    asked = {v.needs for v in vars(questions).values() if isinstance(v, Question)}
    # What needs to write is not asked with this token: an owner exports it.
    wanted = dict(need.split(":") for need in asked if need.endswith(":read"))
    assert given == wanted


def without_own_way_of_installing(path: Path) -> Any:
    own = {"Synthesize", "Install soc2", "Collect"}
    body = json.loads(json.dumps(workflow(path)))
    for job in body["jobs"].values():
        for step in job["steps"]:
            if step.get("name") in own:
                del step["run"]
    return body


@pytest.mark.parametrize("path", PLACED, ids=named)
def test_what_we_place_is_what_we_use_ourselves(path: Path) -> None:
    ours = ROOT / ".github/workflows" / path.name
    assert without_own_way_of_installing(path) == without_own_way_of_installing(ours)


def contexts(ruleset: Path) -> list[str]:
    [checks] = [
        r["parameters"]["required_status_checks"]
        for r in json.loads(ruleset.read_text())["rules"]
        if r["type"] == "required_status_checks"
    ]
    return [c["context"] for c in checks]


RULESETS = [ROOT / ".github/rulesets/main.json", TEMPLATES / "ruleset.json"]


@pytest.mark.parametrize("path", RULESETS, ids=named)
def test_branch_rules(path: Path) -> None:
    ruleset = json.loads(path.read_text())
    rules = {r["type"]: r.get("parameters", {}) for r in ruleset["rules"]}
    assert (ruleset["enforcement"], ruleset["bypass_actors"]) == ("active", [])
    assert ruleset["conditions"]["ref_name"] == {"include": ["~DEFAULT_BRANCH"], "exclude": []}
    assert {"deletion", "non_fast_forward"} <= set(rules)
    review = rules["pull_request"]
    assert review["required_approving_review_count"] >= 1
    assert review["dismiss_stale_reviews_on_push"] and review["require_last_push_approval"]
    checks = rules["required_status_checks"]
    assert checks["strict_required_status_checks_policy"]
    # By GitHub Actions itself: no other app can say that they passed.
    assert {c["integration_id"] for c in checks["required_status_checks"]} == {15368}


@pytest.mark.parametrize(("path", "flows"), [(RULESETS[0], OURS), (RULESETS[1], PLACED)])
def test_required_checks_are_jobs_that_run_on_pull_requests(path: Path, flows: list[Path]) -> None:
    names: set[str] = set()
    for flow in flows:
        if "pull_request" in workflow(flow)["on"]:
            for job in jobs(flow).values():
                versions = job.get("strategy", {}).get("matrix", {}).get("python", [""])
                names |= {job["name"].replace("${{ matrix.python }}", v) for v in versions}
    assert set(contexts(path)) <= names


def test_the_scanner_is_not_a_version_known_to_steal() -> None:
    for path in ALL:
        if path.stem == "security-scan":
            assert workflow(path)["env"] == {"TRIVY": "v0.70.0"}
