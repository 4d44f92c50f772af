"""One local AWS for the whole folder; a test keeps apart by its own names, or by its own account."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from local.launch import LocalAws
from tests.local.calls import finished

Stack = Callable[..., Mapping[str, str]]
_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "aws" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.local_aws)


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as running:
        yield running


@pytest.fixture
def account() -> str:
    """An account that nothing has touched yet."""
    return f"{next(_numbers):012d}"


@pytest.fixture
def name() -> str:
    return f"test-{next(_numbers)}"


@pytest.fixture
def deploy(aws: LocalAws, name: str) -> Stack:
    """Create or update a stack of the given resources; returns physical ids by logical id."""
    cloudformation = aws.client("cloudformation")
    known: set[str] = set()

    def run(**resources: Mapping[str, Any]) -> Mapping[str, str]:
        call = cloudformation.update_stack if known else cloudformation.create_stack
        identity = call(
            StackName=name,
            TemplateBody=json.dumps({"Resources": resources}),
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )["StackId"]
        wanted = "UPDATE_COMPLETE" if known else "CREATE_COMPLETE"
        known.add(identity)
        status = finished(cloudformation, identity)
        assert status == wanted, _reasons(cloudformation, identity)
        found = cloudformation.describe_stack_resources(StackName=identity)["StackResources"]
        return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}

    return run


@pytest.fixture
def destroy(aws: LocalAws, name: str) -> Callable[[], str]:
    """Delete the stack that `deploy` made; returns the status it ends in."""
    cloudformation = aws.client("cloudformation")

    def run() -> str:
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
        cloudformation.delete_stack(StackName=stack)
        return finished(cloudformation, stack)

    return run


def _reasons(cloudformation: Any, stack: str) -> list[str]:
    events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    return [
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}"
        for event in events
        if event["ResourceStatus"].endswith("FAILED")
    ]
