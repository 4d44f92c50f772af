"""Control 7: what lies on a disk cannot be read by who finds the disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cdk_soc2.answers import may, records, want
from cdk_soc2.context import Context
from cdk_soc2.control import Control, Excluded, Observed, Region, Status
from cdk_soc2.controls.ebs_encryption.databases import databases

EBS_ENCRYPTION = Control(
    number=7,
    key="ebs_encryption",
    name="EBS encryption",
    claim="Every volume and every database is encrypted, in every region, whoever creates it.",
    criteria=("CC6.1", "CC6.7", "C1.1"),
    handbook="CC6.1",
    reads=(
        "ec2:DescribeVolumes",
        "ec2:GetEbsEncryptionByDefault",
        "rds:DescribeDBClusters",
        "rds:DescribeDBInstances",
    ),
)


@EBS_ENCRYPTION.check_each_region()
def ebs_encryption(region: Region, context: Context) -> Iterator[Observed]:
    """EBS encryption by default is on in every region in scope."""
    answer = region.read("ec2", "get_ebs_encryption_by_default")
    on = want(answer, "EbsEncryptionByDefault", bool)
    yield Observed(
        on,
        region.name,
        f"encryption by default is {'on' if on else 'off'}",
        region.name,
        None if on else f"Turn on EBS encryption by default in {region.name}.",
    )


@EBS_ENCRYPTION.check_each_region(of="volumes", empty=Status.NOT_APPLICABLE)
def ebs_volumes(region: Region, context: Context) -> Iterator[Observed]:
    """No EBS volume is unencrypted."""
    volumes = records({"Volumes": region.list("ec2", "describe_volumes", "Volumes")}, "Volumes")
    yield from region.each(
        volumes, lambda v: str(v.get("VolumeId")), lambda v: _volume(v, region.name)
    )


@EBS_ENCRYPTION.check_each_region(of="databases", empty=Status.NOT_APPLICABLE)
def rds_encryption(region: Region, context: Context) -> Iterator[Observed | Excluded]:
    """No RDS instance or cluster is unencrypted; members are judged at their cluster."""
    yield from databases(region)


def _volume(volume: Mapping[str, Any], region: str) -> Observed:
    id, encrypted = want(volume, "VolumeId", str), want(volume, "Encrypted", bool)
    state = may(volume, "State", str) or "state not told"
    return Observed(
        encrypted,
        id,
        f"{'encrypted' if encrypted else 'not encrypted'}, {state}",
        region,
        None
        if encrypted
        else "Copy its snapshot with encryption, make a volume of the copy and swap the two.",
    )
