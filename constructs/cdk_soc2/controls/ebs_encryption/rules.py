"""Control 7 in a template: no volume is deployed in the clear."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_soc2.control import Observed
from cdk_soc2.controls.ebs_encryption.control import EBS_ENCRYPTION
from cdk_soc2.template import Template


@EBS_ENCRYPTION.rule(fix="Set Encrypted to true.")
def volume_is_encrypted(template: Template) -> Iterator[Observed]:
    """A volume says that it is encrypted, rather than trust the account's default."""
    for volume in template.resources("AWS::EC2::Volume"):
        ok = volume.is_true("Encrypted")
        yield Observed(ok, volume.id, "encrypted" if ok else "not encrypted")
