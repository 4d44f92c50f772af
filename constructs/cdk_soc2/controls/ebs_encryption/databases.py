"""What RDS says of the encryption of its storage; DocumentDB and Neptune answer there, too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cdk_soc2.answers import malformed, may, records, want
from cdk_soc2.control import Excluded, Observed, Region

REMEDY = (
    "Copy a snapshot with encryption, restore from the copy and move over: "
    "the encryption of a database cannot be changed."
)


def databases(region: Region) -> Iterator[Observed | Excluded]:
    """Every instance that stands alone, and every cluster; a cluster's members are named."""
    instances = records(
        {"DBInstances": region.list("rds", "describe_db_instances", "DBInstances")}, "DBInstances"
    )
    alone = [i for i in instances if i.get("DBClusterIdentifier") is None]
    yield from region.each(alone, _arn("DBInstance"), lambda i: _judge(i, "DBInstance", region))
    clusters = records(
        {"DBClusters": region.list("rds", "describe_db_clusters", "DBClusters")}, "DBClusters"
    )
    yield from region.each(clusters, _arn("DBCluster"), lambda c: _judge(c, "DBCluster", region))
    seen = {c.get("DBClusterIdentifier") for c in clusters}
    members = [i for i in instances if i.get("DBClusterIdentifier") is not None]
    orphans = [i for i in members if i["DBClusterIdentifier"] not in seen]
    yield from region.each(orphans, _arn("DBInstance"), lambda i: _judge(i, "DBInstance", region))
    for member in members:
        if member["DBClusterIdentifier"] in seen:
            cluster = want(member, "DBClusterIdentifier", str)
            yield Excluded(
                _arn("DBInstance")(member), f"judged at its cluster {cluster}", region.name
            )


def _arn(kind: str) -> Any:
    return lambda record: str(record.get(f"{kind}Arn") or record.get(f"{kind}Identifier"))


def _judge(database: Mapping[str, Any], kind: str, region: Region) -> Observed:
    want(database, f"{kind}Identifier", str)
    encrypted, how = _encrypted(database)
    engine = may(database, "Engine", str) or "database"
    return Observed(
        encrypted,
        _arn(kind)(database),
        f"{engine}, {how}",
        region.name,
        None if encrypted else REMEDY,
    )


def _encrypted(database: Mapping[str, Any]) -> tuple[bool, str]:
    """``StorageEncrypted`` is false where AWS encrypts with a key of its own, ``sse-rds``."""
    flag = want(database, "StorageEncrypted", bool)
    kind = may(database, "StorageEncryptionType", str)
    if kind == "sse-rds":
        return True, "encrypted with a key that AWS owns"
    if (kind == "none" and flag) or (kind == "sse-kms" and not flag):
        raise malformed(f"StorageEncrypted is {flag}, StorageEncryptionType {kind}")
    return flag, "encrypted" if flag else "not encrypted"
