"""VPC flow logs with what ministack drops: log group, role, aggregation interval and tags.

A stub: no traffic is recorded, so nothing is ever delivered to the log group or the bucket.
"""

from collections.abc import Mapping
from xml.etree.ElementTree import fromstring
from xml.sax.saxutils import escape

from emulator.answers import Answer
from ministack.services import ec2

_DROPPED = ("LogGroupName", "DeliverLogsPermissionArn", "MaxAggregationInterval", "LogFormat")
_SHOWN = {
    "FlowLogId": "flowLogId",
    "ResourceId": "resourceId",
    "TrafficType": "trafficType",
    "LogDestinationType": "logDestinationType",
    "LogDestination": "logDestination",
    "LogGroupName": "logGroupName",
    "DeliverLogsPermissionArn": "deliverLogsPermissionArn",
    "DeliverLogsStatus": "deliverLogsStatus",
    "MaxAggregationInterval": "maxAggregationInterval",
    "LogFormat": "logFormat",
    "FlowLogStatus": "flowLogStatus",
    "CreationTime": "creationTime",
}
_FILTERS = {
    "deliver-log-status": "DeliverLogsStatus",
    "flow-log-id": "FlowLogId",
    "log-destination-type": "LogDestinationType",
    "log-group-name": "LogGroupName",
    "resource-id": "ResourceId",
    "traffic-type": "TrafficType",
}
_DEFAULT_INTERVAL_SECONDS = "600"
_DEFAULT_FORMAT = (
    "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} "
    "${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}"
)


def install() -> None:
    ministacks_create = ec2._ACTION_MAP["CreateFlowLogs"]

    def create(request: Mapping[str, object]) -> Answer:
        answer = ministacks_create(request)
        if answer[0] == 200:
            for element in fromstring(answer[2]).iterfind(".//{*}flowLogIdSet/{*}item"):  # noqa: S314  our own XML
                _complete(ec2._flow_logs[element.text], request)
                ec2._parse_tag_specs(request, "vpc-flow-log", element.text)
        return answer

    ec2._ACTION_MAP |= {"CreateFlowLogs": create, "DescribeFlowLogs": _describe}


def _complete(record: dict[str, str], request: Mapping[str, object]) -> None:
    record |= {name: ec2._p(request, name) for name in _DROPPED if ec2._p(request, name)}
    record.setdefault("MaxAggregationInterval", _DEFAULT_INTERVAL_SECONDS)
    record.setdefault("LogFormat", _DEFAULT_FORMAT)
    record["DeliverLogsStatus"] = "SUCCESS"
    destination = ec2._p(request, "LogDestination")
    record["LogDestination"] = destination  # ministack puts the group's name here
    if ":log-group:" in destination:
        record["LogGroupName"] = destination.split(":log-group:")[1].removesuffix(":*")


def _describe(request: Mapping[str, object]) -> Answer:
    identities = ec2._parse_member_list(request, "FlowLogId")
    filters = ec2._parse_filters(request)
    items = "".join(
        _item(record)
        for record in ec2._flow_logs.values()
        if (not identities or record["FlowLogId"] in identities)
        and ec2._resource_matches_tag_filters(record["FlowLogId"], filters)
        and all(
            record.get(_FILTERS[name], "") in wanted
            for name, wanted in filters.items()
            if name in _FILTERS
        )
    )
    return ec2._xml(200, "DescribeFlowLogsResponse", f"<flowLogSet>{items}</flowLogSet>")


def _item(record: dict[str, str]) -> str:
    members = "".join(
        f"<{element}>{escape(str(record[name]))}</{element}>"
        for name, element in _SHOWN.items()
        if record.get(name)
    )
    return f"<item>{members}{ec2._tag_set_xml(record['FlowLogId'])}</item>"
