"""Control 13 in a template: what keeps data can be brought back, for a week at least."""

from __future__ import annotations

from cdk_soc2.control import Observed
from cdk_soc2.controls.backup_verification.control import BACKUP_VERIFICATION
from cdk_soc2.template import Resource

KEPT = ("A1.2", "CC7.5")
WEEK = 7
# Where the template says nothing, each service keeps one day.
RETENTION = {
    "AWS::DocDB::DBCluster": "BackupRetentionPeriod",
    "AWS::Neptune::DBCluster": "BackupRetentionPeriod",
    "AWS::RDS::DBCluster": "BackupRetentionPeriod",
    "AWS::RDS::DBInstance": "BackupRetentionPeriod",
    "AWS::Redshift::Cluster": "AutomatedSnapshotRetentionPeriod",
}
PROTECTED = (
    "AWS::DocDB::DBCluster",
    "AWS::Neptune::DBCluster",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
)
# Judged at the cluster, or at the source.
ELSEWHERE = {
    "DBClusterIdentifier",
    "ReplicationSourceIdentifier",
    "SourceDBClusterIdentifier",
    "SourceDBInstanceIdentifier",
}


@BACKUP_VERIFICATION.rule_for(
    *RETENTION,
    fix=f"Set BackupRetentionPeriod (Redshift: AutomatedSnapshotRetentionPeriod) to {WEEK} or more.",
    criteria=KEPT,
)
def backups_are_kept_a_week(database: Resource) -> Observed | None:
    """A database keeps its automated backups for seven days at least."""
    path = RETENTION[database.type]
    if ELSEWHERE & set(database.properties) or database.properties.get(path) in (0, "0"):
        return None  # none at all is another rule's
    return database.at_least(path, WEEK, default=1)


@BACKUP_VERIFICATION.rule_for(*PROTECTED, fix="Set DeletionProtection to true.", criteria=KEPT)
def database_is_protected_from_deletion(database: Resource) -> Observed | None:
    """A database cannot be deleted before its protection is taken off."""
    if "DBClusterIdentifier" in database.properties:
        return None
    return database.true("DeletionProtection")


@BACKUP_VERIFICATION.rule_for(
    "AWS::DynamoDB::Table",
    fix="Set PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled to true.",
    criteria=KEPT,
)
def table_has_point_in_time_recovery(table: Resource) -> Observed:
    """A table can be brought back to any moment of the last weeks."""
    return table.true("PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled")


@BACKUP_VERIFICATION.rule_for(
    "AWS::DynamoDB::GlobalTable",
    fix="Enable PointInTimeRecoverySpecification in every replica.",
    criteria=KEPT,
)
def global_table_has_point_in_time_recovery(table: Resource) -> Observed:
    """Every replica of a global table can be brought back to any moment of the last weeks."""
    path = "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled"
    replicas = [table.part(r) for r in table.nodes("Replicas")]
    without = [str(r.value("Region")) for r in replicas if not r.is_true(path)]
    told = f"not in {', '.join(without)}" if without else "in every replica"
    return table.seen(not without, told, "Replicas")


@BACKUP_VERIFICATION.rule_for(
    "AWS::EFS::FileSystem", fix="Set BackupPolicy.Status to ENABLED.", criteria=KEPT
)
def file_system_is_backed_up(system: Resource) -> Observed:
    """A file system is backed up every day."""
    status = system.value("BackupPolicy.Status") or "not set"
    return system.seen(status == "ENABLED", f"BackupPolicy is {status}", "BackupPolicy.Status")


@BACKUP_VERIFICATION.rule_for(
    "AWS::S3::Bucket",
    fix="Set VersioningConfiguration.Status to Enabled; in the CDK, versioned=True.",
    criteria=KEPT,
)
def bucket_keeps_versions(bucket: Resource) -> Observed:
    """A bucket keeps what is overwritten or deleted."""
    status = bucket.value("VersioningConfiguration.Status") or "not set"
    return bucket.seen(status == "Enabled", f"versioning is {status}", "VersioningConfiguration")
