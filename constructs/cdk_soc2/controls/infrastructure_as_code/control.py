"""Control 2: what runs is what the templates say, and only the pipeline changes it."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_soc2.answers import records
from cdk_soc2.context import Context
from cdk_soc2.control import Account, Control, Excluded, Observed, Region, Status
from cdk_soc2.controls.infrastructure_as_code.changes import changes, records_global_calls
from cdk_soc2.controls.infrastructure_as_code.drift import EMPTY, drifted, status

INFRASTRUCTURE_AS_CODE = Control(
    number=2,
    key="infrastructure_as_code",
    name="Infrastructure as code",
    claim="The account is as its templates say, and nobody changes it past the pipeline.",
    criteria=("CC8.1", "CC7.1", "CC5.2"),
    handbook="CC8.1",
    reads=(
        "cloudformation:DescribeStacks",
        "cloudformation:ListStackResources",
        "cloudtrail:LookupEvents",
        "iam:GetRole",
    ),
)


@INFRASTRUCTURE_AS_CODE.check_each_region(of="stacks", empty=Status.NOT_APPLICABLE)
def stack_drift(region: Region, context: Context) -> Iterator[Observed | Excluded]:
    """No stack, nested ones included, has drifted by its last detection of the last seven days."""
    stacks = region.list("cloudformation", "describe_stacks", "Stacks")
    held = {id: stack for stack in records({"Stacks": stacks}, "Stacks") for id in [_id(stack)]}
    judged = [s for s in held.values() if status(s) not in (*EMPTY, "DELETE_COMPLETE")]
    for id, stack in held.items():
        if status(stack) in EMPTY:
            yield Excluded(id, f"{status(stack)}: it has no resources", region.name)
    yield from region.each(judged, _id, lambda stack: drifted(stack, region, context))


@INFRASTRUCTURE_AS_CODE.check_each_region(of="changes or quiet regions")
def console_changes(region: Region, context: Context) -> Iterator[Observed]:
    """Since the last run nobody but the deploy roles, services and machines made a write call."""
    yield from changes(region, context)


@INFRASTRUCTURE_AS_CODE.check(of="changes of global services", empty=Status.NOT_APPLICABLE)
def global_changes(account: Account, context: Context) -> Iterator[Observed]:
    """No person made a write call of IAM or another global service, where the region that records
    these is out of scope."""
    region = account.region(records_global_calls(account.home.name))
    if region.name not in [r.name for r in account.regions]:  # else console_changes has seen them
        yield from changes(region, context, only_global=True)


def _id(stack: object) -> str:
    return str(stack.get("StackId") or stack.get("StackName")) if isinstance(stack, dict) else "-"
