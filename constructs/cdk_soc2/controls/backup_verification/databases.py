"""What RDS says of automated backups; DocumentDB and Neptune answer there, too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from cdk_soc2.answers import malformed, may, records, want, when
from cdk_soc2.context import Context
from cdk_soc2.control import CannotLook, Excluded, Observed, Region

TURN_ON = "Set its backup retention period to 1 day or more; 7 and more is common."
STILL = "Find out why its latest restorable time stands still; a snapshot now is a stopgap."
SOURCES = (
    "ReadReplicaSourceDBInstanceIdentifier",
    "ReadReplicaSourceDBClusterIdentifier",
    "ReplicationSourceIdentifier",
)
DEPENDS = ("DBClusterIdentifier", *SOURCES)

Answer = Mapping[str, Any]


def kept(region: Region, context: Context) -> Iterator[Observed | Excluded]:
    """Every instance that stands alone, and every cluster; members and replicas are named."""
    instances = _listed(region, "describe_db_instances", "DBInstances")
    alone = [i for i in instances if not any(i.get(n) for n in DEPENDS)]
    yield from region.each(alone, _subject, lambda i: _judge(i, region, context))
    clusters = _listed(region, "describe_db_clusters", "DBClusters")
    rest = [*(i for i in instances if any(i.get(n) for n in DEPENDS)), *clusters]
    seen = {str(c.get("DBClusterIdentifier")) for c in clusters}
    # A source is told by its name in the same region, by its ARN in another.
    known = seen | {str(i.get("DBInstanceIdentifier")) for i in instances}
    known |= {_subject(database) for database in (*instances, *clusters)}
    left_out: dict[str, str] = {}

    def look(database: Answer) -> Observed:
        reason = _elsewhere(database, seen, known, region, context)
        if reason is None:
            return _judge(database, region, context)
        left_out[_subject(database)] = reason
        return Observed(True, _subject(database), reason, region.name)

    for observed in region.each(rest, _subject, look):
        reason = left_out.get(observed.subject)
        yield Excluded(observed.subject, reason, region.name) if reason else observed


def _listed(region: Region, operation: str, key: str) -> list[Answer]:
    return records({key: region.list("rds", operation, key)}, key)


def _subject(database: Answer) -> str:
    names = ("DBInstanceArn", "DBClusterArn", "DBInstanceIdentifier", "DBClusterIdentifier")
    return str(next((database[n] for n in names if database.get(n)), None))


def _elsewhere(
    database: Answer, clusters: set[str], known: set[str], region: Region, context: Context
) -> str | None:
    """Why the database is not judged by itself; ``None``: it is. Raises :class:`CannotLook` for a
    replica of what nobody looks at."""
    if "DBInstanceIdentifier" in database:
        cluster = may(database, "DBClusterIdentifier", str)
        if cluster in clusters:
            return f"judged at its cluster {cluster}"
    for name in SOURCES:
        source = may(database, name, str)
        if not source:
            continue
        if source in known:
            return f"a replica, judged at its source {source}"
        if not source.startswith("arn:"):
            return None  # promoted since, or its source is gone
        _, _, _, where, whose, *_ = [*source.split(":"), "", "", ""]
        listed = context.boundary.regions
        if whose == region.account and where != region.name and (not listed or where in listed):
            return f"a replica, judged at its source {source}"
        if whose == region.account and where == region.name:
            return None
        raise CannotLook(
            f"a replica of {source}, which is outside the boundary",
            "List that region or account in a boundary, or give the replica backups of its own.",
        )
    return None


def _judge(database: Answer, region: Region, context: Context) -> Observed:
    kind = "DBInstance" if "DBInstanceIdentifier" in database else "DBCluster"
    want(database, f"{kind}Identifier", str)
    days = want(database, "BackupRetentionPeriod", int)
    if days < 0:
        raise malformed(f"BackupRetentionPeriod is {days}")
    told = f"{may(database, 'Engine', str) or 'database'}, automated backups kept {days} days"
    subject, latest = _subject(database), when(database, "LatestRestorableTime")
    if days == 0:
        return Observed(False, subject, told, region.name, TURN_ON)
    if latest is None:
        return Observed(True, subject, f"{told}, no restorable time told", region.name)
    told = f"{told}, restorable to {latest:%Y-%m-%dT%H:%M:%SZ}"
    if context.now - latest > timedelta(days=days + 1):  # all that is kept is older than it may be
        return Observed(None, subject, told, region.name, STILL)
    return Observed(True, subject, told, region.name)
