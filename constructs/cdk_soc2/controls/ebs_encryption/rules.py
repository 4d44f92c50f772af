"""Control 7 in a template: no volume and no database is deployed in the clear."""

from __future__ import annotations

from cdk_soc2.control import Observed
from cdk_soc2.controls.ebs_encryption import rules_stores as rules_stores  # they attach themselves
from cdk_soc2.controls.ebs_encryption.control import EBS_ENCRYPTION
from cdk_soc2.controls.ebs_encryption.rules_disks import SEE_THE_ORIGIN, judge_disk
from cdk_soc2.template import Resource

CLUSTERS = ("AWS::RDS::DBCluster", "AWS::DocDB::DBCluster", "AWS::Neptune::DBCluster")
# A database that is made from one of these is encrypted if that was.
ORIGINS = (
    "DBClusterSnapshotIdentifier",
    "DBSnapshotIdentifier",
    "ReplicationSourceIdentifier",
    "SnapshotIdentifier",
    "SourceDBClusterIdentifier",
    "SourceDBInstanceAutomatedBackupsArn",
    "SourceDBInstanceIdentifier",
    "SourceDbClusterResourceId",
    "SourceDbiResourceId",
)


@EBS_ENCRYPTION.rule_for("AWS::EC2::Volume", fix="Set Encrypted to true.")
def volume_is_encrypted(volume: Resource) -> Observed:
    """A volume says that it is encrypted, or the same deployment makes that the account's default."""
    return judge_disk(volume, "Encrypted")


@EBS_ENCRYPTION.rule_for(
    *CLUSTERS,
    "AWS::RDS::DBInstance",
    fix="Set StorageEncrypted to true; it cannot be changed later.",
)
def database_is_encrypted(database: Resource) -> Observed | None:
    """A database's storage is encrypted; a member of a cluster is judged at the cluster."""
    if database.type not in CLUSTERS and "DBClusterIdentifier" in database.properties:
        return None
    origin = next((name for name in ORIGINS if name in database.properties), None)
    if origin is not None:
        told = f"as its {origin}, which the template does not show"
        return database.seen(None, told, origin, SEE_THE_ORIGIN)
    ok = database.is_true("StorageEncrypted")
    return database.seen(ok, "encrypted" if ok else "not encrypted", "StorageEncrypted")
