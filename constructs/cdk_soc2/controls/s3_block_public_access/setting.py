"""Block Public Access for the whole account, which CloudFormation has no type for."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from cdk_soc2.controls.s3_block_public_access.control import FLAGS
from cdk_soc2.refusals import denied
from cdk_soc2.settings import Refused, State, Wanted

service = "s3control"
regional = False
actions = ("s3:GetAccountPublicAccessBlock", "s3:PutAccountPublicAccessBlock")


def read(client: Any, wanted: Wanted) -> State:
    """Are all four in effect? AWS answers what is, an organization's policy included."""
    try:
        answer = client.get_public_access_block(AccountId=wanted["Account"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchPublicAccessBlockConfiguration":
            raise
        return State(False, "none")
    flags = answer["PublicAccessBlockConfiguration"]
    on = sum(flags.get(flag) is True for flag in FLAGS)
    return State(on == len(FLAGS), "on" if on == len(FLAGS) else f"{on} of {len(FLAGS)} on")


def apply(client: Any, wanted: Wanted) -> None:
    """Turn on all four, which only ever takes public access away.

    Where an organization's S3 policy decides, AWS answers 403 whatever is written. If that policy
    has all four on, ``read`` has said so, and nothing is written.
    """
    try:
        client.put_public_access_block(
            AccountId=wanted["Account"],
            PublicAccessBlockConfiguration=dict.fromkeys(FLAGS, True),
        )
    except ClientError as error:
        if not denied(error):
            raise
        raise Refused(
            f"{error}; an S3 policy of the organization decides and has not all four on, or a service "
            f"control policy denies {actions[1]}: have all four turned on, or the call allowed, there"
        ) from error
