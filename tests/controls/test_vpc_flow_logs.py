"""Control 5: what counts as a record of a VPC's traffic."""

from typing import Any

import pytest

from cdk_soc2.controls.vpc_flow_logs import VPC_FLOW_LOGS
from tests.controls.states import findings, reads, reviewed, verdicts
from tests.fakes import ACCOUNT, NOW, Absent, Denied

P, F, U, N = "PASS", "FAIL", "UNKNOWN", "NOT_APPLICABLE"
VPC = {"VpcId": "vpc-1", "OwnerId": ACCOUNT, "IsDefault": False, "State": "available"}
DEFAULT = {**VPC, "VpcId": "vpc-0", "IsDefault": True}
SHARED = {**VPC, "VpcId": "vpc-9", "OwnerId": "999999999999"}
LOG = {
    "FlowLogId": "fl-1",
    "ResourceId": "vpc-1",
    "FlowLogStatus": "ACTIVE",
    "TrafficType": "ALL",
    "LogDestinationType": "cloud-watch-logs",
    "LogGroupName": "flows",
    "DeliverLogsStatus": "SUCCESS",
}
BUCKET = {**LOG, "LogDestinationType": "s3", "LogDestination": "arn:aws:s3:::flows"}
del BUCKET["LogGroupName"]
REJECT = {"message": "2 123456789012 eni-1 203.0.113.9 10.0.0.5 4711 22 6 1 40 1 2 REJECT OK"}
VPCS, LOGS = ("ec2", "describe_vpcs"), ("ec2", "describe_flow_logs")
ENTRIES = ("logs", "filter_log_events")


def state(
    *logs: dict[str, Any], vpcs: tuple[Any, ...] = (VPC,), entries: Any = None
) -> dict[tuple[str, ...], Any]:
    return {
        VPCS: {"Vpcs": list(vpcs)},
        LOGS: {"FlowLogs": list(logs)},
        ENTRIES: {"events": [REJECT]} if entries is None else entries,
    }


def but(log: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {**log, **changed}


def without(log: dict[str, Any], name: str) -> dict[str, Any]:
    return {k: v for k, v in log.items() if k != name}


MANY = [but(VPC, VpcId=f"vpc-m{n}") for n in range(500)]
MANY_LOGS = [but(LOG, ResourceId=v["VpcId"], LogGroupName=f"g{v['VpcId']}") for v in MANY]

STATES: dict[str, tuple[dict[tuple[str, ...], Any], str]] = {
    "good": (state(LOG), P),
    "to a bucket": (state(BUCKET), P),
    "to a bucket, delivery not told": (state(without(BUCKET, "DeliverLogsStatus")), P),
    "to a stream": (state(but(BUCKET, LogDestinationType="kinesis-data-firehose")), P),
    "destination not told": (state(without(LOG, "LogDestinationType")), P),
    "no VPC": (state(vpcs=()), N),
    "no flow log": (state(), F),
    "the default VPC has none": (state(LOG, vpcs=(VPC, DEFAULT)), F),
    "another VPC has one": (state(but(LOG, ResourceId="vpc-2")), F),
    "of a subnet only": (state(but(LOG, ResourceId="subnet-1")), F),
    "of an interface only": (state(but(LOG, ResourceId="eni-1")), F),
    "accepted only": (state(but(LOG, TrafficType="ACCEPT")), F),
    "rejected only": (state(but(LOG, TrafficType="REJECT")), F),
    "accepted and rejected apart": (
        state(but(LOG, TrafficType="ACCEPT"), but(LOG, TrafficType="REJECT")), F,
    ),
    "not active": (state(but(LOG, FlowLogStatus="FAILED")), F),
    "delivery failed": (
        state(but(LOG, DeliverLogsStatus="FAILED", DeliverLogsErrorMessage="Access error")), F,
    ),
    "delivery failed, no message": (state(but(LOG, DeliverLogsStatus="FAILED")), F),
    "delivery to a bucket failed": (state(but(BUCKET, DeliverLogsStatus="FAILED")), F),
    "delivery complains": (state(but(LOG, DeliverLogsErrorMessage="Rate limited")), F),
    "an empty complaint is none": (state(but(LOG, DeliverLogsErrorMessage="")), P),
    "one of two holds": (state(but(LOG, TrafficType="REJECT", FlowLogId="fl-0"), LOG), P),
    "one holds, one is malformed": (state(but(LOG, FlowLogStatus=None), LOG), P),
    "one fails, one is malformed": (
        state(but(LOG, FlowLogStatus=None), but(LOG, TrafficType="REJECT")), U,
    ),
    "shared by another account": (state(vpcs=(SHARED,)), N),
    "one shared, one without": (state(vpcs=(SHARED, VPC)), F),
    "owner not told": (state(vpcs=(without(VPC, "OwnerId"),)), F),
    "500 VPCs": (state(*MANY_LOGS, vpcs=tuple(MANY)), P),
    "499 of 500": (state(*MANY_LOGS[:-1], vpcs=tuple(MANY)), F),
    "samples denied": (state(LOG, entries=Denied()), P),
    "samples null": (state(LOG, entries={"events": None}), P),
    "log group gone": (state(LOG, entries=Absent("ResourceNotFoundException")), P),
    "VPCs denied": ({LOGS: {"FlowLogs": []}}, U),
    "VPCs null": ({VPCS: {"Vpcs": None}, LOGS: {"FlowLogs": [LOG]}}, U),
    "VPCs are words": (state(LOG, vpcs=("vpc-1",)), U),
    "VPC without an id": (state(LOG, vpcs=(without(VPC, "VpcId"),)), U),
    "owner is a number": (state(LOG, vpcs=(but(VPC, OwnerId=123456789012),)), U),
    "flow logs denied": ({VPCS: {"Vpcs": [VPC]}}, U),
    "flow logs null": ({VPCS: {"Vpcs": [VPC]}, LOGS: {"FlowLogs": None}}, U),
    "flow logs missing": ({VPCS: {"Vpcs": [VPC]}, LOGS: {}}, U),
    "flow logs are words": ({VPCS: {"Vpcs": [VPC]}, LOGS: {"FlowLogs": ["fl-1"]}}, U),
    "no resource": (state(without(LOG, "ResourceId")), U),
    "no status": (state(without(LOG, "FlowLogStatus")), U),
    "no traffic type": (state(without(LOG, "TrafficType")), U),
    "traffic is a word": (state(but(LOG, TrafficType="all")), U),
    "delivery to logs not told": (state(without(LOG, "DeliverLogsStatus")), U),
    "delivery is a word": (state(but(LOG, DeliverLogsStatus="perhaps")), U),
    "delivery is true": (state(but(LOG, DeliverLogsStatus=True)), U),
    "unknown destination": (state(but(LOG, LogDestinationType="carrier-pigeon")), U),
    "fails in one region": (state(LOG) | {("eu-west-1", *LOGS): {"FlowLogs": []}}, F),
    "denied in one region": (state(LOG) | {("eu-west-1", *LOGS): Denied()}, U),
    "no VPC in one region": (state(LOG) | {("eu-west-1", *VPCS): {"Vpcs": []}}, P),
    "denied": ({}, U),
}  # fmt: skip


@pytest.mark.parametrize("name", STATES)
def test_state(name: str) -> None:
    answers, expected = STATES[name]
    found = findings(VPC_FLOW_LOGS, answers, regions=("eu-west-1", "us-east-1"))
    assert {id: f.status for id, f in found.items()} == {"vpc_flow_logs": expected}
    assert [
        o for f in found.values() for o in f.observations if o.status in (F, U) and not o.remedy
    ] == []


def test_it_reads_what_it_says() -> None:
    states = [answers for answers, _ in STATES.values()]
    assert reads(VPC_FLOW_LOGS, states) == set(VPC_FLOW_LOGS.reads)


def test_a_shared_vpc_is_counted_and_named() -> None:
    found = findings(VPC_FLOW_LOGS, state(LOG, vpcs=(VPC, SHARED)))["vpc_flow_logs"]
    assert (found.population, found.observed) == (2, 1)
    assert "999999999999" in found.exclusions[0].reason


def test_a_failing_vpc_says_what_does_not_count() -> None:
    answers = state(but(LOG, ResourceId="subnet-1"), but(LOG, ResourceId="eni-1"))
    assert "the 2 flow logs of less than a VPC do not count" in (
        findings(VPC_FLOW_LOGS, answers)["vpc_flow_logs"].detail
    )
    detail = findings(VPC_FLOW_LOGS, state(but(LOG, DeliverLogsErrorMessage="Access error")))
    assert "fl-1: ACTIVE, ALL traffic to cloud-watch-logs, delivery failed: Access error" in (
        detail["vpc_flow_logs"].detail
    )


def test_sample_entries_are_kept_rejects_among_them() -> None:
    asked: list[dict[str, Any]] = []
    answers = state(LOG, entries=lambda **p: asked.append(p) or {"events": [REJECT]})
    found = findings(VPC_FLOW_LOGS, answers)["vpc_flow_logs"]
    assert "1 sample entries kept, 1 rejected" in found.detail
    assert [p.get("filterPattern") for p in asked] == [None, '"REJECT"']
    assert all(p["limit"] == 5 and p["endTime"] == int(NOW.timestamp() * 1000) for p in asked)


def test_samples_that_cannot_be_read_are_told_and_decide_nothing() -> None:
    found = findings(VPC_FLOW_LOGS, state(LOG, entries=Denied()))["vpc_flow_logs"]
    assert found.status == P and "no sample entries: logs:FilterLogEvents" in found.detail


def test_few_log_groups_of_many_are_sampled() -> None:
    asked: list[str] = []

    def entries(logGroupName: str, **_: Any) -> dict[str, Any]:
        asked.append(logGroupName)
        return {"events": []}

    found = findings(VPC_FLOW_LOGS, state(*MANY_LOGS, vpcs=tuple(MANY), entries=entries))
    assert len(set(asked)) == 5
    assert sum("not sampled" in o.detail for o in found["vpc_flow_logs"].observations) == 495


def vpc(**logs: dict[str, Any]) -> dict[str, Any]:
    flow_logs = {id: {"Type": "AWS::EC2::FlowLog", "Properties": p} for id, p in logs.items()}
    return {"V": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}, **flow_logs}


GOOD = {"ResourceType": "VPC", "ResourceId": {"Ref": "V"}, "TrafficType": "ALL"}
TEMPLATES: dict[str, tuple[dict[str, Any], list[str], list[str]]] = {
    # name: (resources, vpc_has_flow_log, flow_log_records_all_traffic)
    "nothing": ({}, [], []),
    "good": (vpc(L=GOOD), [P], [P]),
    "by attribute": (vpc(L={**GOOD, "ResourceId": {"Fn::GetAtt": ["V", "VpcId"]}}), [P], [P]),
    "none": (vpc(), [F], []),
    "accepted only": (vpc(L={**GOOD, "TrafficType": "ACCEPT"}), [F], [F]),
    "traffic not said": (vpc(L={k: v for k, v in GOOD.items() if k != "TrafficType"}), [F], [F]),
    "of another VPC": (vpc(L={**GOOD, "ResourceId": "vpc-1"}), [F], [P]),
    "of a subnet": (vpc(L={**GOOD, "ResourceType": "Subnet", "TrafficType": "REJECT"}), [F], []),
    "known at deploy time": (vpc(L={**GOOD, "TrafficType": {"Ref": "P"}}), [U], [U]),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_template(name: str) -> None:
    resources, has, records = TEMPLATES[name]
    assert reviewed(VPC_FLOW_LOGS, resources) == {
        "vpc_has_flow_log": has,
        "flow_log_records_all_traffic": records,
    }


def test_regions_do_not_share_their_logs() -> None:
    answers = state(vpcs=()) | {("eu-west-1", *VPCS): {"Vpcs": [VPC]}, LOGS: {"FlowLogs": [LOG]}}
    answers["eu-west-1", *LOGS] = {"FlowLogs": []}
    assert verdicts(VPC_FLOW_LOGS, answers, regions=("eu-west-1", "us-east-1")) == {
        "vpc_flow_logs": F
    }
