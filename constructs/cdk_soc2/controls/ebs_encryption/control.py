"""Control 7: what lies on a disk cannot be read by who finds the disk."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_soc2.answers import want
from cdk_soc2.context import Context
from cdk_soc2.control import Control, Observed, Region

EBS_ENCRYPTION = Control(
    number=7,
    key="ebs_encryption",
    name="EBS encryption",
    claim="Every new volume is encrypted, in every region, whoever creates it.",
    criteria=("CC6.1", "CC6.7", "C1.1"),
    handbook="CC6.1",
    reads=("ec2:GetEbsEncryptionByDefault",),
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
