"""``soc2 guard`` as people, pipelines and code hosts call it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cdk_soc2.cli.guard import guard
from cdk_soc2.findings import HELD

TEMPLATES = Path(__file__).parent / "templates"
PLANTED, GOOD = str(TEMPLATES / "planted.yaml"), str(TEMPLATES / "shop.yaml")
QUEUE = "Type: AWS::SQS::Queue, Properties: {SqsManagedSseEnabled: false}"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(guard, arguments, standalone_mode=False)


def status(result: Result) -> int | str:
    return result.return_value if result.exception is None else str(result.exception)


def written(folder: Path, text: str) -> str:
    path = folder / "t.yaml"
    path.write_text(text)
    return str(path)


def test_exit_status_tells_whether_there_is_a_finding() -> None:
    assert status(run(GOOD)) == 0
    assert status(run(PLANTED)) == 1
    assert status(run(GOOD, PLANTED)) == 1
    assert run(GOOD).stdout == ""
    assert "all as it must be" in run(GOOD).stderr


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    assert "give the path of a template" in str(status(run(str(tmp_path / "none.yaml"))))
    assert "no mapping of Resources" in str(status(run(written(tmp_path, "a: b\n"))))
    assert "write NAME=VALUE" in str(status(run(GOOD, "--parameter", "Office")))
    assert "exclude each other" in str(status(run(GOOD, "--json", "--sarif")))
    assert "boundary file" in str(status(run(GOOD, "--boundary", "none.yaml")))


def test_the_table_names_rule_resource_criteria_and_remedy() -> None:
    table = run(PLANTED).stdout
    for word in ("soc2::queue_is_encrypted", "Jobs", "CC6.7", "FAIL", "UNKNOWN", "KmsMasterKeyId"):
        assert word in table


def test_json_is_as_the_contract_says() -> None:
    found = json.loads(run(PLANTED, "--json").stdout)["findings"]
    keys = {"rule", "criteria", "status", "template", "resource", "path", "detail", "remedy"}
    for finding in found:
        assert keys <= set(finding) and finding["status"] in ("FAIL", "UNKNOWN")
        assert finding["rule"].startswith("soc2::") and finding["criteria"] and finding["remedy"]
    [jobs] = [f for f in found if f["resource"] == "Jobs"]
    assert jobs["path"] == "Resources.Jobs.Properties.SqsManagedSseEnabled"
    assert jobs["template"] == PLANTED
    assert json.loads(run(GOOD, "--json").stdout) == {"findings": [], "accepted": []}


def test_the_boundary_is_held_against_the_network(tmp_path: Path) -> None:
    boundary = tmp_path / "boundary.yaml"
    boundary.write_text("non_production_cidrs: [10.0.0.0/8]\n")
    acl = (
        "Resources:\n  Acl: {Type: AWS::EC2::NetworkAcl, Properties: {VpcId: vpc-1}}\n  Rule: %s\n"
    )
    rule = (
        "{Type: AWS::EC2::NetworkAclEntry, Properties: {NetworkAclId: !Ref Acl, RuleNumber: 1, "
        "Protocol: 6, RuleAction: allow, CidrBlock: 0.0.0.0/0, PortRange: {From: 443, To: 443}}}"
    )
    given = run(written(tmp_path, acl % rule), "--json", "--boundary", str(boundary)).stdout
    rules = {f["rule"]: f["detail"] for f in json.loads(given)["findings"]}
    assert "10.0.0" in rules["soc2::network_acl_denies_non_production"]


ACCEPTED = {
    "accepted": ("partner reads it until migration [owner: ada] [until: 2999-01-31]", 0),
    "over": ("partner reads it until migration [owner: ada] [until: 2020-01-31]", 1),
    "nobody's": ("partner reads it until migration", "without an owner and an end"),
    "no date": ("partner reads it [owner: ada] [until: soon]", "is not a date"),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_finding_is_accepted_beside_what_causes_it(name: str, tmp_path: Path) -> None:
    reason, expected = ACCEPTED[name]
    entry = f"{{rule: queue_is_encrypted, reason: '{reason}'}}"
    text = f'Resources: {{Q: {{{QUEUE}, Metadata: {{"soc2:accept": [{entry}]}}}}}}\n'
    result = run(written(tmp_path, text), "--json")
    if isinstance(expected, str):
        assert expected in str(status(result))
        return
    assert status(result) == expected
    document = json.loads(result.stdout)
    assert len(document["findings"]) == expected
    assert [a["accepted"]["owner"] for a in document["accepted"]] == (
        ["ada"] if not expected else []
    )


def test_names_in_a_template_do_not_steer_the_terminal(tmp_path: Path) -> None:
    text = f'Resources: {{"Q\\e[2J[bold]": {{{QUEUE}}}}}\n'
    table = run(written(tmp_path, text)).stdout
    assert "\x1b[2J" not in table and "[bold]" in table


# What of SARIF 2.1.0 its readers insist on: required members and closed lists of words.
LEVELS, KINDS = {"none", "note", "warning", "error"}, {"inSource", "external"}


def test_sarif_is_well_formed() -> None:
    document: dict[str, Any] = json.loads(run(PLANTED, "--sarif").stdout)
    assert document["version"] == "2.1.0" and document["$schema"].endswith("sarif-2.1.0.json")
    [one] = document["runs"]
    driver = one["tool"]["driver"]
    ids = [rule["id"] for rule in driver["rules"]]
    assert driver["name"] and len(ids) == len(set(ids)) == sum(len(c.rules) for c in HELD)
    assert all(
        rule["shortDescription"]["text"] and rule["help"]["text"] for rule in driver["rules"]
    )
    lines = (TEMPLATES / "planted.yaml").read_text().splitlines()
    assert len(one["results"]) > 30
    for result in one["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["message"]["text"] and result["level"] in LEVELS
        assert all(s["kind"] in KINDS for s in result["suppressions"])
        [place] = result["locations"]
        physical = place["physicalLocation"]
        assert physical["artifactLocation"]["uri"].endswith("planted.yaml")
        start = physical["region"]["startLine"]
        name = result["partialFingerprints"]["soc2/v1"].rpartition(":")[2]
        assert name in lines[start - 1]
