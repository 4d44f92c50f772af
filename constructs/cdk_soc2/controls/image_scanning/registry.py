"""Which repositories a registry scans, and by what: ECR's basic scanner or Amazon Inspector."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cdk_soc2.answers import malformed, records, want
from cdk_soc2.control import CannotLook, Observed, Region

PUSH, CONTINUOUS, MANUAL = "SCAN_ON_PUSH", "CONTINUOUS_SCAN", "MANUAL"
ON_PUSH = {"BASIC": {PUSH}, "ENHANCED": {PUSH, CONTINUOUS}}
CONFIGURE = "Let a rule of the registry's scanning configuration scan it on push; * is all of them."
ENABLE = "Enable Amazon Inspector for ECR in {region}, or set the registry to basic scanning."


@dataclass(frozen=True, slots=True)
class Registry:
    """The scanning configuration of a region's private registry."""

    enhanced: bool
    rules: tuple[tuple[str, tuple[str, ...]], ...]

    def applied(self, name: str) -> set[str]:
        """The frequencies of all rules that match the repository *name*."""
        return {how for how, filters in self.rules if any(matches(f, name) for f in filters)}


def registry_of(region: Region) -> Registry:
    """Raises :class:`CannotLook`."""
    answer = region.read("ecr", "get_registry_scanning_configuration")
    told = want(answer, "scanningConfiguration", dict)
    kind = want(told, "scanType", str)
    if kind not in ON_PUSH:
        raise malformed(f"scanType is {kind!r}")
    rules: list[tuple[str, tuple[str, ...]]] = []
    for rule in records(told, "rules"):
        how = want(rule, "scanFrequency", str)
        if how not in {*ON_PUSH[kind], MANUAL}:
            raise malformed(f"a rule scans {how!r}, in a registry of {kind} scanning")
        rules.append((how, tuple(_filter(f) for f in records(rule, "repositoryFilters"))))
    return Registry(kind == "ENHANCED", tuple(rules))


def repositories(region: Region) -> Sequence[Mapping[str, Any]]:
    """All repositories of the region. Raises :class:`CannotLook`."""
    found = region.list("ecr", "describe_repositories", "repositories")
    return records({"repositories": found}, "repositories")


def matches(filter: str, name: str) -> bool:
    """ECR User Guide, "Filters": without a wildcard a part of the name is enough; with one it must
    be the whole."""
    if "*" not in filter:
        return filter in name
    return re.fullmatch(".*".join(map(re.escape, filter.split("*"))), name) is not None


def judge(
    repository: Mapping[str, Any], registry: Registry, inspector: Observed | None, region: Region
) -> Observed:
    """Is the repository scanned on push?

    :param inspector: whether Amazon Inspector looks at images; ``None`` for basic scanning.
    """
    arn, name = want(repository, "repositoryArn", str), want(repository, "repositoryName", str)
    applied = registry.applied(name)
    told = f"{'enhanced' if registry.enhanced else 'basic'} scanning, "
    told += f"by the registry's rules {', '.join(sorted(applied)) or 'not at all'}"
    if inspector is not None:
        ok, remedy = bool(applied - {MANUAL}), CONFIGURE
        if ok and inspector.ok is not True:
            ok, remedy = inspector.ok, inspector.remedy or CONFIGURE
        told = f"{told}; {inspector.detail}"
        return Observed(ok, arn, told, region.name, None if ok else remedy)
    own = want(want(repository, "imageScanningConfiguration", dict), "scanOnPush", bool)
    told = f"{told}, by its own setting {'on push' if own else 'not on push'}"
    ok = PUSH in applied or (own and not registry.rules)
    if (own and registry.rules and not applied) or (PUSH in applied and MANUAL in applied):
        ok, effective = _effective(name, region)  # the two settings differ: ECR knows which holds
        told = f"{told}; {effective} holds"
    return Observed(ok, arn, told, region.name, None if ok else CONFIGURE)


def inspector_of(region: Region) -> Observed:
    """Does Amazon Inspector look at this account's images?"""
    account = {"accountIds": [region.account]} if region.account else {}
    answer = region.read("inspector2", "batch_get_account_status", **account)
    states = [
        state
        for state in records(answer, "accounts")
        if want(state, "accountId", str) == region.account or not region.account
    ]
    if len(states) != 1:
        raise CannotLook(
            f"Amazon Inspector did not tell of this account: {answer.get('failedAccounts')!r}",
            "Read the error, or ask the organization's Amazon Inspector administrator.",
        )
    whole = want(want(states[0], "state", dict), "status", str)
    images = want(want(want(states[0], "resourceState", dict), "ecr", dict), "status", str)
    told = f"Amazon Inspector is {whole}, for images {images}"
    remedy = ENABLE.format(region=region.name)
    if whole == images == "ENABLED":
        return Observed(True, region.name, told, region.name)
    under_way = {whole, images} <= {"ENABLING", "ENABLED"}
    return Observed(None if under_way else False, region.name, told, region.name, remedy)


def _effective(name: str, region: Region) -> tuple[bool, str]:
    answer = region.read(
        "ecr", "batch_get_repository_scanning_configuration", repositoryNames=[name]
    )
    [told] = [
        c for c in records(answer, "scanningConfigurations") if c.get("repositoryName") == name
    ] or [None]
    if told is None:
        raise malformed(f"BatchGetRepositoryScanningConfiguration does not tell of {name}")
    how = want(told, "scanFrequency", str)
    return how == PUSH, how


def _filter(filter: Mapping[str, Any]) -> str:
    if want(filter, "filterType", str) != "WILDCARD":
        raise malformed(f"a filter of type {filter['filterType']!r}")
    return want(filter, "filter", str)
