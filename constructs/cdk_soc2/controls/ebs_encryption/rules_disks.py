"""Control 7 in a template: an instance's volumes are encrypted, whether it says so or the account."""

from __future__ import annotations

from cdk_soc2.claims import sets_account
from cdk_soc2.control import Observed
from cdk_soc2.controls.ebs_encryption.control import EBS_ENCRYPTION
from cdk_soc2.template import Resource

SEE_THE_ORIGIN = "See that what it is made from is encrypted, and acknowledge that here."


@EBS_ENCRYPTION.rule_for(
    "AWS::EC2::Instance",
    "AWS::EC2::LaunchTemplate",
    "AWS::AutoScaling::LaunchConfiguration",
    fix="Set Ebs.Encrypted to true in every block device mapping.",
)
def instance_disks_are_encrypted(instance: Resource) -> Observed | None:
    """Every volume that an instance or a launch template declares is encrypted."""
    inner = "LaunchTemplateData." if instance.type.endswith("LaunchTemplate") else ""
    path = f"{inner}BlockDeviceMappings"
    disks = [instance.part(m) for m in instance.nodes(path) if "Ebs" in m]
    seen = [judge_disk(disk, "Ebs.Encrypted", path) for disk in disks]
    order = {False: 0, None: 1, True: 2}
    return min(seen, key=lambda o: order[o.ok], default=None)


def judge_disk(disk: Resource, path: str, within: str = "") -> Observed:
    """A snapshot's volumes are as the snapshot, unless they are told, or made, to be encrypted."""
    name = disk.value("DeviceName") if within else None
    told, where = f"{name}: " if name else "", within or path
    if disk.value(path) is not None:
        ok = disk.is_true(path)
        return disk.seen(ok, f"{told}{'' if ok else 'not '}encrypted", where)
    if sets_account(disk, EBS_ENCRYPTION.key):
        return disk.seen(True, f"{told}encrypted, by the default that is deployed with it", where)
    if disk.has(path.replace("Encrypted", "SnapshotId")):
        return disk.seen(None, f"{told}as the snapshot it is made from", where, SEE_THE_ORIGIN)
    return disk.seen(False, f"{told}not encrypted", where)
