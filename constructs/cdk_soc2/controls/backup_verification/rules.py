"""Control 13 in a template: a database that is deployed keeps backups."""

from __future__ import annotations

from cdk_soc2.control import Observed
from cdk_soc2.controls.backup_verification import rules_kept as rules_kept  # they attach themselves
from cdk_soc2.controls.backup_verification.control import BACKUP_VERIFICATION
from cdk_soc2.template import Resource

# These are judged at the cluster, or at the source.
JUDGED_ELSEWHERE = (
    "DBClusterIdentifier",
    "SourceDBInstanceIdentifier",
    "SourceDBClusterIdentifier",
)


@BACKUP_VERIFICATION.rule_for(
    "AWS::RDS::DBInstance", "AWS::RDS::DBCluster", fix="Set BackupRetentionPeriod to 1 or more."
)
def database_keeps_backups(database: Resource) -> Observed | None:
    """A database keeps automated backups, as it does where the template says nothing: 1 day."""
    if database.type.endswith("Instance") and set(JUDGED_ELSEWHERE) & set(database.properties):
        return None
    return database.at_least("BackupRetentionPeriod", 1, default=1)
