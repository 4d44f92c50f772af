"""Every rule lets its good templates pass, catches its bad ones and says what it cannot know."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cdk_soc2.boundary import parse as boundary
from cdk_soc2.criteria import CRITERIA
from cdk_soc2.findings import HELD
from cdk_soc2.template import Template
from cdk_soc2.template_file import parse

TODAY = date(2026, 11, 23)
BOUNDARY = boundary({"non_production_cidrs": ["10.0.0.0/8"], "break_glass_users": ["breakglass"]})
EXAMPLES: dict[str, dict[str, list[Any]]] = {
    rule: examples
    for file in sorted((Path(__file__).parent / "examples").glob("*.yaml"))
    for rule, examples in parse(file.read_text()).items()
}
RULES = {rule.id: rule for control in HELD for rule in control.rules.values()}
STATUS = {"good": "PASS", "bad": "FAIL", "unknown": "UNKNOWN"}
CASES = [
    (rule, kind, number)
    for rule, examples in EXAMPLES.items()
    for kind, given in examples.items()
    for number in range(len(given))
]


def judged(rule: str, body: dict[str, Any], subject: str = "It") -> str | None:
    template = Template(body, boundary=BOUNDARY, today=TODAY)
    [control] = [c for c in HELD if rule in c.rules]
    found = {f.resource: f for f in control.review(template) if f.rule == rule}
    assert all(f.remedy and f.detail for f in found.values())
    about = found.get(subject) or found.get("-")
    return str(about.status) if about else next((str(f.status) for f in found.values()), None)


@pytest.mark.parametrize(("rule", "kind", "number"), CASES)
def test_example(rule: str, kind: str, number: int) -> None:
    status = judged(rule, {"Resources": EXAMPLES[rule][kind][number]})
    assert status == STATUS[kind] or (kind == "good" and status is None)


def test_every_rule_has_a_good_and_a_bad_example() -> None:
    assert sorted(EXAMPLES) == sorted(RULES)
    never_bad = {
        "template_is_written_out",
        "nested_stack_is_seen",
        "template_parameter_hides_its_secret",
    }
    assert {rule for rule, given in EXAMPLES.items() if not given.get("bad")} == never_bad


def test_every_rule_says_what_it_wants_and_why() -> None:
    assert len(RULES) >= 40
    for rule in RULES.values():
        assert rule.says.endswith(".") and rule.fix.endswith((".", "..."))
        assert rule.criteria and set(rule.criteria) <= set(CRITERIA)


PARAMETERS = {
    "a secret": ({"Type": "String", "NoEcho": True}, "PASS"),
    "echoed": ({"Type": "String"}, "FAIL"),
    "with a default": ({"Type": "String", "NoEcho": "true", "Default": "hunter2hunter2"}, "FAIL"),
    "an empty default": ({"Type": "String", "NoEcho": True, "Default": ""}, "PASS"),
    "a name": ({"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/app/password"}, None),
    "a choice": ({"Type": "String", "AllowedValues": ["true", "false"]}, None),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_of_the_template(name: str) -> None:
    declared, expected = PARAMETERS[name]
    body = {"Parameters": {"DbPassword": declared}, "Resources": {}}
    assert judged("template_parameter_hides_its_secret", body, "DbPassword") == expected


def test_a_macro_may_change_everything() -> None:
    body = {"Transform": ["AWS::Serverless-2016-10-31", "Acme"], "Resources": {}}
    assert judged("template_is_written_out", body) == "UNKNOWN"
