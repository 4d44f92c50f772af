"""The register of controls: which resource makes which control true, or where it is held instead."""

from __future__ import annotations

import difflib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cdk_soc2.claims import claimed
from cdk_soc2.control import Control
from cdk_soc2.controls import CONTROLS
from cdk_soc2.criteria import FRAMEWORK
from cdk_soc2.template import Template

REGISTER = "soc2-controls.json"
HELD = "soc2::control_is_held"
SHORTEST = 10


def check_elsewhere(held: Mapping[str, str]) -> None:
    """Raises ``ValueError`` for a control that does not exist, or a reason that says nothing."""
    keys = [control.key for control in CONTROLS]
    for key, reason in held.items():
        if key not in keys:
            near = difflib.get_close_matches(key, keys, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(keys)}"
            raise ValueError(f"held_elsewhere: no control {key!r}; {hint}")
        if len(reason.strip()) < SHORTEST:
            raise ValueError(f"held_elsewhere: {key}: {reason!r} does not say where, and by whom")


def missing(templates: Iterable[Template], elsewhere: Mapping[str, str]) -> Iterator[Control]:
    """The controls that nothing in *templates* makes true, and that are not held elsewhere."""
    keys = {key for template in templates for key, _ in claimed(template)}
    for control in CONTROLS:
        if control.key not in keys and control.key not in elsewhere:
            yield control


def register(templates: Iterable[Template], elsewhere: Mapping[str, str]) -> str:
    """The register as JSON, in the controls' order."""
    holders: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for template in templates:
        for key, id in claimed(template):
            resource = template.section("Resources")[id]
            path = (resource.get("Metadata") or {}).get("aws:cdk:path")
            holders[key].append(
                {"stack": template.name, "resource": id, "type": resource["Type"], "path": path}
            )
    controls = {
        control.key: {
            "number": control.number,
            "name": control.name,
            "criteria": list(control.criteria),
            "held_by": holders[control.key],
            "held_elsewhere": elsewhere.get(control.key),
        }
        for control in CONTROLS
    }
    document = {"schema": "soc2-controls/v1", "framework": FRAMEWORK, "controls": controls}
    return json.dumps(document, indent=2) + "\n"
