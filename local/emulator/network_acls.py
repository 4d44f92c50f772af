"""Network ACLs as a proof of segmentation reads them.

ministack keeps the lists, but drops ports and ICMP types, forgets which subnet an association is
for, and does not show that a subnet without an ACL of its own is in the VPC's default one.
"""

import uuid
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree.ElementTree import fromstring

from emulator.answers import Answer
from ministack.services import ec2

LAST_RULE = 32767
_Acl = dict[str, Any]
_Request = Mapping[str, object]


def install() -> None:
    ministacks_create = ec2._ACTION_MAP["CreateNetworkAcl"]

    def create(request: _Request) -> Answer:
        answer = ministacks_create(request)
        made = fromstring(answer[2]).findtext(".//{*}networkAclId")  # noqa: S314  our own XML
        if made:
            for egress in (False, True):
                ec2._network_acls[made]["Entries"].append(
                    {
                        "RuleNumber": LAST_RULE,
                        "Protocol": "-1",
                        "RuleAction": "deny",
                        "Egress": egress,
                        "CidrBlock": "0.0.0.0/0",
                    }
                )
        return answer

    ec2._ACTION_MAP |= {
        "CreateNetworkAcl": create,
        "CreateNetworkAclEntry": lambda request: _put_entry(request, "Create", exists=False),
        "ReplaceNetworkAclEntry": lambda request: _put_entry(request, "Replace", exists=True),
        "ReplaceNetworkAclAssociation": _associate,
        "DescribeNetworkAcls": _describe,
    }


def _put_entry(request: _Request, verb: str, *, exists: bool) -> Answer:
    acl = ec2._network_acls.get(ec2._p(request, "NetworkAclId"))
    if acl is None:
        return _unknown("NetworkAclID", ec2._p(request, "NetworkAclId"))
    entry = {
        "RuleNumber": int(ec2._p(request, "RuleNumber")),
        "Egress": ec2._p(request, "Egress") == "true",
        "Protocol": ec2._p(request, "Protocol"),
        "RuleAction": ec2._p(request, "RuleAction"),
    }
    for name in (
        "CidrBlock",
        "Ipv6CidrBlock",
        "PortRange.From",
        "PortRange.To",
        "Icmp.Type",
        "Icmp.Code",
    ):
        if ec2._p(request, name):
            entry[name] = ec2._p(request, name)
    kept = [one for one in acl["Entries"] if not _same_place(one, entry)]
    if (len(kept) < len(acl["Entries"])) is not exists:
        code = "NotFound" if exists else "AlreadyExists"
        return ec2._error(f"NetworkAclEntry{code}", f"entry {entry['RuleNumber']}: {code}", 400)
    acl["Entries"] = [*kept, entry]
    return ec2._xml(200, f"{verb}NetworkAclEntryResponse", "<return>true</return>")


def _same_place(one: _Acl, other: _Acl) -> bool:
    return (one["RuleNumber"], one["Egress"]) == (other["RuleNumber"], other["Egress"])


def _unknown(kind: str, identity: str) -> Answer:
    return ec2._error(f"Invalid{kind}.NotFound", f"{identity!r} does not exist", 400)


def _associations(acl: _Acl) -> Iterator[tuple[str, str]]:
    """Association id and subnet; a subnet that no ACL lists is in its VPC's default one."""
    for one in acl["Associations"]:
        yield one["NetworkAclAssociationId"], one["SubnetId"]
    if acl["IsDefault"]:
        listed = {
            one["SubnetId"] for other in ec2._network_acls.values() for one in other["Associations"]
        }
        for subnet in ec2._subnets.values():
            if subnet["VpcId"] == acl["VpcId"] and subnet["SubnetId"] not in listed:
                yield subnet["SubnetId"].replace("subnet-", "aclassoc-"), subnet["SubnetId"]


def _associate(request: _Request) -> Answer:
    wanted, target = ec2._p(request, "AssociationId"), ec2._p(request, "NetworkAclId")
    if target not in ec2._network_acls:
        return _unknown("NetworkAclID", target)
    subnets = [
        subnet
        for acl in ec2._network_acls.values()
        for identity, subnet in _associations(acl)
        if identity == wanted
    ]
    if not subnets:
        return _unknown("AssociationID", wanted)
    for acl in ec2._network_acls.values():
        acl["Associations"] = [one for one in acl["Associations"] if one["SubnetId"] != subnets[0]]
    made = f"aclassoc-{uuid.uuid4().hex[:17]}"
    ec2._network_acls[target]["Associations"].append(
        {"NetworkAclAssociationId": made, "SubnetId": subnets[0]}
    )
    element = f"<newAssociationId>{made}</newAssociationId>"
    return ec2._xml(200, "ReplaceNetworkAclAssociationResponse", element)


def _describe(request: _Request) -> Answer:
    identities = ec2._parse_member_list(request, "NetworkAclId")
    filters = ec2._parse_filters(request)
    unknown = [name for name in filters if name not in _FIELDS and not name.startswith("tag")]
    if unknown:
        message = f"the local AWS cannot filter network ACLs by {unknown}"
        return ec2._error("InvalidParameterValue", message, 400)
    gone = [identity for identity in identities if identity not in ec2._network_acls]
    if gone:
        return _unknown("NetworkAclID", gone[0])
    items = "".join(
        _item(acl)
        for acl in ec2._network_acls.values()
        if (not identities or acl["NetworkAclId"] in identities)
        and ec2._resource_matches_tag_filters(acl["NetworkAclId"], filters)
        and all(
            _FIELDS[name](acl) & set(wanted) for name, wanted in filters.items() if name in _FIELDS
        )
    )
    return ec2._xml(200, "DescribeNetworkAclsResponse", f"<networkAclSet>{items}</networkAclSet>")


_FIELDS = {
    "association.association-id": lambda acl: {identity for identity, _ in _associations(acl)},
    "association.network-acl-id": lambda acl: {acl["NetworkAclId"]},
    "association.subnet-id": lambda acl: {subnet for _, subnet in _associations(acl)},
    "default": lambda acl: {str(acl["IsDefault"]).lower()},
    "network-acl-id": lambda acl: {acl["NetworkAclId"]},
    "owner-id": lambda acl: {acl["OwnerId"]},
    "vpc-id": lambda acl: {acl["VpcId"]},
}


def _item(acl: _Acl) -> str:
    identity = acl["NetworkAclId"]
    entries = "".join(f"<item>{_entry(one)}</item>" for one in acl["Entries"])
    associations = "".join(
        f"<item><networkAclAssociationId>{association}</networkAclAssociationId>"
        f"<networkAclId>{identity}</networkAclId><subnetId>{subnet}</subnetId></item>"
        for association, subnet in _associations(acl)
    )
    return (
        f"<item><networkAclId>{identity}</networkAclId><vpcId>{acl['VpcId']}</vpcId>"
        f"<default>{str(acl['IsDefault']).lower()}</default><ownerId>{acl['OwnerId']}</ownerId>"
        f"<entrySet>{entries}</entrySet><associationSet>{associations}</associationSet>"
        f"{ec2._tag_set_xml(identity)}</item>"
    )


def _entry(entry: _Acl) -> str:
    plain = {
        "ruleNumber": entry["RuleNumber"],
        "protocol": entry["Protocol"],
        "ruleAction": entry["RuleAction"],
        "egress": str(entry["Egress"]).lower(),
        "cidrBlock": entry.get("CidrBlock"),
        "ipv6CidrBlock": entry.get("Ipv6CidrBlock"),
        "portRange": _pair(entry, "PortRange", "From", "To"),
        "icmpTypeCode": _pair(entry, "Icmp", "Code", "Type"),
    }
    return "".join(f"<{name}>{value}</{name}>" for name, value in plain.items() if value)


def _pair(entry: _Acl, name: str, *members: str) -> str:
    return "".join(
        f"<{member.lower()}>{entry[f'{name}.{member}']}</{member.lower()}>"
        for member in members
        if f"{name}.{member}" in entry
    )
