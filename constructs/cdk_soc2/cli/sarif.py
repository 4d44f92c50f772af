"""Findings as SARIF 2.1.0, which code hosts show beside the lines of a change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cdk_soc2 import __version__
from cdk_soc2.control import Control
from cdk_soc2.criteria import FRAMEWORK
from cdk_soc2.findings import TemplateFinding
from cdk_soc2.template_file import Given
from cdk_soc2.verdict import Status

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(
    found: Sequence[TemplateFinding], files: Mapping[str, Given], controls: Iterable[Control]
) -> dict[str, Any]:
    """One run, with every rule, and a result for each finding; what is accepted is suppressed."""
    rules = [
        {
            "id": f"soc2::{rule.id}",
            "shortDescription": {"text": rule.says},
            "help": {"text": rule.fix},
            "defaultConfiguration": {"level": "error"},
            "properties": {"control": control.key, "tags": ["security", *rule.criteria]},
        }
        for control in controls
        for rule in control.rules.values()
    ]
    order = {rule["id"]: n for n, rule in enumerate(rules)}
    driver = {
        "name": "soc2 guard",
        "semanticVersion": __version__,
        "rules": rules,
        "properties": {"framework": FRAMEWORK},
    }
    results = [_result(f, order[f.rule], files[f.template.name]) for f in found]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(found: TemplateFinding, rule: int, file: Given) -> dict[str, Any]:
    f = found.finding
    section = f.path.partition(".")[0] or "Resources"
    where = {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(file.path)},
            "region": {"startLine": file.line(section, f.resource)},
        },
        "logicalLocations": [{"fullyQualifiedName": f.path or "Resources", "kind": "resource"}],
    }
    accepted = found.accepted
    return {
        "ruleId": found.rule,
        "ruleIndex": rule,
        "level": "error" if f.status is Status.FAIL else "warning",
        "message": {"text": f"{f.resource}: {f.detail}. {f.remedy}"},
        "locations": [where],
        "partialFingerprints": {"soc2/v1": f"{found.rule}:{f.resource}"},
        "properties": {"status": str(f.status), "criteria": list(found.criteria)},
        "suppressions": [{"kind": "inSource", "justification": accepted.reason}]
        if accepted
        else [],
    }


def _uri(path: Path) -> str:
    return path.as_uri() if path.is_absolute() else path.as_posix().replace(" ", "%20")
