"""Control 13: what is lost can be had back, and that was tried."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_soc2.context import Context
from cdk_soc2.control import Account, Control, Excluded, Observed, Region, Status
from cdk_soc2.controls.backup_verification.databases import kept
from cdk_soc2.controls.backup_verification.restores import tested

BACKUP_VERIFICATION = Control(
    number=13,
    key="backup_verification",
    name="Backup verification",
    claim="Every database is backed up by itself, and a restore is tried and validated each quarter.",
    criteria=("A1.3", "A1.2", "CC7.5", "CC9.1"),
    handbook="CC9.5",
    reads=("backup:ListRestoreJobs", "rds:DescribeDBClusters", "rds:DescribeDBInstances"),
)


@BACKUP_VERIFICATION.check_each_region(of="databases", empty=Status.NOT_APPLICABLE)
def backups(region: Region, context: Context) -> Iterator[Observed | Excluded]:
    """Every RDS instance or cluster keeps automated backups; replicas are judged at their source."""
    yield from kept(region, context)


@BACKUP_VERIFICATION.check(of="restore tests", manual=True)
def restore_test(account: Account, context: Context) -> Iterator[Observed]:
    """A restore test of the last 92 days was validated, and of no resource did the last one fail."""
    yield from tested(account, context)
