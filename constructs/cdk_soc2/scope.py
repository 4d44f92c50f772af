"""Who is asking, and where to look: the account behind the credentials and its regions in scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from cdk_soc2.answers import malformed, want
from cdk_soc2.boundary import Boundary
from cdk_soc2.control import CannotLook, Region


class WrongAccount(Exception):
    """The credentials belong to an account that the boundary does not name."""


@dataclass(frozen=True)
class Scope:
    """Where to look, and as whom.

    :param account: the AWS account's id; for another *kind* of source, its owner or name.
    :param missing: why it is not known which regions are enabled, when none are listed either.
    """

    account: str
    principal: str
    home: str
    regions: tuple[str, ...]
    unlisted: tuple[str, ...] = ()
    missing: CannotLook | None = None
    kind: str = "aws"

    @property
    def source(self) -> str:
        """The name that the evidence is kept under."""
        return f"{self.kind}-{self.account}"


def find_scope(home: Region, boundary: Boundary) -> Scope:
    """Who is asking, and which regions are in scope.

    Raises :class:`CannotLook` when the credentials are not accepted at all and
    :class:`WrongAccount` when they belong to an account outside the boundary.
    """
    with ThreadPoolExecutor(1) as beside:
        regions = beside.submit(home.list, "ec2", "describe_regions", "Regions")
        identity = home.read("sts", "get_caller_identity")
    account, principal = want(identity, "Account", str), want(identity, "Arn", str)
    if boundary.accounts and account not in boundary.accounts:
        raise WrongAccount(
            f"the credentials belong to account {account}, the boundary names "
            f"{', '.join(boundary.accounts)}; use credentials of one of these, or add the account"
        )
    try:
        enabled = _names(regions.result())
    except CannotLook as error:
        if boundary.regions:
            return Scope(account, principal, home.name, boundary.regions)
        return Scope(account, principal, home.name, (home.name,), missing=error)
    listed = boundary.regions or enabled
    return Scope(
        account, principal, home.name, listed, tuple(r for r in enabled if r not in listed)
    )


def _names(regions: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """``DescribeRegions`` leaves out what is not enabled, unless all regions are asked for."""
    names = tuple(sorted(want(region, "RegionName", str) for region in regions))
    if not names:
        raise malformed("DescribeRegions names no region")
    return names
