"""Collects the day's evidence when EventBridge Scheduler says so."""

from pathlib import Path
from typing import Any

from cdk_soc2.daily import Invocation, run

BOUNDARY = Path(__file__).parent / "boundary.json"


def lambda_handler(event: dict[str, Any], context: Invocation) -> dict[str, Any]:
    return run(event, context, boundary_file=BOUNDARY)
