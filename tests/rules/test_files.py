"""Templates as people, and others, hand them in: what is read, and what is said of what cannot be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cdk_soc2.findings import HELD, findings
from cdk_soc2.sam import without_sam
from cdk_soc2.template import Template
from cdk_soc2.template_file import LIMIT, Unreadable, parse, read, templates

LAUGHS = "a0: &a0 [x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)
CANNOT: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "no mapping of Resources"),
    "prose": ("Dear auditor,", "no mapping of Resources"),
    "a list": ("[1, 2]", "no mapping of Resources"),
    "no resources": ("Description: x\n", "no mapping of Resources"),
    "resources are a list": ("Resources: [a]\n", "no mapping of Resources"),
    "broken JSON": ('{"Resources": {"A": }}', "not JSON: Expecting value on line 1"),
    "broken YAML": ("Resources:\n  A: [\n", "not YAML"),
    "a tab": ("Resources:\n\tA: b\n", "not YAML: found character"),
    "not UTF-8": (b"\xff\xfe\x00", "not UTF-8"),
    "twice in YAML": ("Resources:\n  A: {Type: a}\n  A: {Type: b}\n", "'A' is given twice"),
    "twice in JSON": ('{"Resources": {"A": {}, "A": {}}}', "'A' is given twice"),
    "deep JSON": ('{"Resources": ' + '{"a":' * 50_000 + "1" + "}" * 50_001, "nested too deeply"),
    "deep YAML": ("Resources: {A: " + "[" * 300_000, "nested too deeply"),
    "within itself": ("Resources: &r\n  A: *r\n", "nested too deeply, or within itself"),
    "a billion laughs": (f"{LAUGHS}Resources: {{A: *a11}}\n", "values when its aliases"),
    "huge": ("#" * (LIMIT + 1), "where CloudFormation takes 1 MB"),
    "an object of Python": ("Resources: !!python/object/apply:os.system [id]\n", "not YAML"),
}  # fmt: skip


@pytest.mark.parametrize("name", CANNOT)
def test_what_is_no_template_is_refused_in_a_sentence(name: str, tmp_path: Path) -> None:
    text, said = CANNOT[name]
    path = tmp_path / "t.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(Unreadable) as refused:
        read(path)
    assert str(refused.value).startswith(str(path)) and said in str(refused.value)
    assert len(str(refused.value)) < 300


SHORT: dict[str, Any] = {
    "!Ref A": {"Ref": "A"},
    "!GetAtt A.B.C": {"Fn::GetAtt": ["A", "B.C"]},
    "!GetAtt [A, B]": {"Fn::GetAtt": ["A", "B"]},
    "!Sub 'x-${A}'": {"Fn::Sub": "x-${A}"},
    "!If [C, !Ref A, !Ref 'AWS::NoValue']": {"Fn::If": ["C", {"Ref": "A"}, {"Ref": "AWS::NoValue"}]},
    "!Equals [!Condition C, 'x']": {"Fn::Equals": [{"Condition": "C"}, "x"]},
    "!Transform {Name: T}": {"Fn::Transform": {"Name": "T"}},
    "!Acme x": {"Fn::Acme": "x"},
    "2012-10-17": "2012-10-17",
    "'012345678901'": "012345678901",
}  # fmt: skip


@pytest.mark.parametrize("text", SHORT)
def test_short_forms_are_written_out(text: str) -> None:
    assert parse(f"a: {text}") == {"a": SHORT[text]}


ODD: dict[str, Any] = {
    **parse((Path(__file__).parent / "odd.yaml").read_text()),
    "thirty conditions": {
        "Type": "AWS::EFS::FileSystem",
        "Properties": {f"P{n}": {"Fn::If": [f"C{n}", 1, 2]} for n in range(30)},
    },
}


@pytest.mark.parametrize("name", ODD)
def test_no_resource_however_odd_breaks_a_rule(name: str) -> None:
    body = {"Resources": {"It": ODD[name]}, "Conditions": {"Loop": {"Condition": "Loop"}}}
    for f in findings([Template(body)], HELD):
        assert f.finding.resource == "It", f.finding
        assert f.finding.status in ("FAIL", "UNKNOWN") and len(f.finding.detail) < 400


def test_every_rule_bears_properties_of_every_wrong_kind() -> None:
    """Each property that any rule asks for, as a word, a number, a list, a mapping and null."""
    from tests.rules.test_examples import EXAMPLES

    def spoiled(value: Any, wrong: Any) -> Any:
        return dict.fromkeys(value, wrong) if isinstance(value, dict) else wrong

    for examples in EXAMPLES.values():
        for resources in (r for given in examples.values() for r in given):
            for wrong in ("x", 7, ["x"], {"x": "y"}, None, [None], {"Ref": "P"}, [{"Ref": "P"}]):
                changed = {
                    id: {**body, "Properties": spoiled(body.get("Properties", {}), wrong)}
                    if isinstance(body, dict)
                    else body
                    for id, body in resources.items()
                }
                for f in findings([Template({"Resources": changed})], HELD):
                    assert "Error" not in f.finding.detail, (wrong, f.to_json())


def test_nested_templates_that_lie_beside_are_followed_once(tmp_path: Path) -> None:
    def stack(url: str, **given: str) -> dict[str, Any]:
        properties = {"TemplateURL": url, "Parameters": given}
        return {"Type": "AWS::CloudFormation::Stack", "Properties": properties}

    encrypted = {"Type": "AWS::EFS::FileSystem", "Properties": {"Encrypted": {"Ref": "On"}}}
    inner = {"Resources": {"F": encrypted, "Back": stack("outer.json")}}
    outer = {"Resources": {"In": stack("inner.json", On="false"), "Gone": stack("gone.json")}}
    (tmp_path / "inner.json").write_text(json.dumps(inner))
    (tmp_path / "outer.json").write_text(json.dumps(outer))
    seen, _ = templates([tmp_path / "outer.json"])
    assert [Path(t.name).name for t in seen] == ["outer.json", "inner.json"]
    found = {
        (f.finding.resource, f.finding.rule, str(f.finding.status)) for f in findings(seen, HELD)
    }
    assert ("F", "file_system_is_encrypted", "FAIL") in found
    assert ("Gone", "nested_stack_is_seen", "UNKNOWN") in found
    assert not [f for f in found if f[0] in ("In", "Back")]


def test_sam_is_read_as_what_it_becomes() -> None:
    body = parse(
        """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.8, Environment: {Variables: {DB_PASSWORD: hunter2hunter2}}}}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Environment: {Variables: {OWN: "1"}}
      Policies: [AWSLambdaBasicExecutionRole, {Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}]
  A: {Type: AWS::Serverless::HttpApi}
  T: {Type: AWS::Serverless::SimpleTable}
"""
    )
    made = without_sam(body)["Resources"]
    assert made["F"]["Properties"]["Environment"]["Variables"] == {
        "DB_PASSWORD": "hunter2hunter2",
        "OWN": "1",
    }
    found = {(f.finding.resource, f.finding.rule) for f in findings([Template(body)], HELD)}
    assert found >= {
        ("F", "function_has_no_secret_in_environment"),
        ("F", "function_runtime_is_supported"),
        ("FRolePolicy1", "policy_names_actions_or_resources"),
        ("A", "api_stage_has_access_log"),
        ("T", "table_has_point_in_time_recovery"),
    }
