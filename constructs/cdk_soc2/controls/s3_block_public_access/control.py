"""Control 8: no bucket of the account is public, whatever its own settings say."""

from __future__ import annotations

from collections.abc import Iterator

from cdk_soc2.answers import malformed, may, want
from cdk_soc2.context import Context
from cdk_soc2.control import Account, Control, Observed

S3_BLOCK_PUBLIC_ACCESS = Control(
    number=8,
    key="s3_block_public_access",
    name="S3 Block Public Access",
    claim="No bucket of the account can be public, whoever creates it and whatever it allows.",
    criteria=("CC6.1", "CC6.6", "CC6.3", "C1.1"),
    handbook="CC6.1",
    reads=("s3:GetAccountPublicAccessBlock",),
)

FLAGS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
REMEDY = (
    "Turn on all four settings of Block Public Access for the account; where an organization's "
    "policy refuses the change, change that policy."
)


@S3_BLOCK_PUBLIC_ACCESS.check(of="accounts")
def s3_block_public_access(account: Account, context: Context) -> Iterator[Observed]:
    """All four settings of the account's Block Public Access are in effect."""
    # What is in effect is answered, an organization's policy included.
    answer = account.home.find(
        "s3control",
        "get_public_access_block",
        absent="NoSuchPublicAccessBlockConfiguration",
        AccountId=account.id,
    )
    if answer is None:
        yield Observed(False, account.id, "no Block Public Access for the account", remedy=REMEDY)
        return
    settings = want(answer, "PublicAccessBlockConfiguration", dict)
    on = {flag: may(settings, flag, bool) for flag in FLAGS}
    off = [flag for flag in FLAGS if on[flag] is False]
    untold = [flag for flag in FLAGS if on[flag] is None]
    if off:
        yield Observed(False, account.id, f"{', '.join(off)} off", remedy=REMEDY)
    elif untold:
        raise malformed(f"nothing is said of {', '.join(untold)}")
    else:
        yield Observed(True, account.id, f"{', '.join(FLAGS)} on")
