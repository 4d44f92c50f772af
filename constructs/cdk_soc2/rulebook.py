"""Every control with its rules: importing this attaches them.

The collector imports only the controls, so that its code carries no rules, which it never asks.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil

from cdk_soc2 import controls
from cdk_soc2.control import Control
from cdk_soc2.controls.later import NOT_COLLECTED_YET

for _folder in pkgutil.iter_modules(controls.__path__):
    _rules = f"{controls.__name__}.{_folder.name}.rules"
    if _folder.ispkg and importlib.util.find_spec(_rules):
        importlib.import_module(_rules)

RULEBOOK: tuple[Control, ...] = tuple(
    sorted((*controls.CONTROLS, *NOT_COLLECTED_YET), key=lambda c: c.number)
)
"""A template can be held against the controls that nobody collects yet, too."""
