"""Deployments to production environments, and what runs there now."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cdk_soc2.answers import may, want
from cdk_soc2.control import CannotLook
from cdk_soc2.sources.changes import Change, Kind
from cdk_soc2.sources.github.moments import moment
from cdk_soc2.sources.github.questions import (
    DEPLOYMENT_STATUSES,
    DEPLOYMENTS,
    RUN_APPROVALS,
)
from cdk_soc2.sources.github.window import GitHub, Reach, Repository
from cdk_soc2.sources.production import Running, images_in

RUN_ADDRESS = re.compile(r"/actions/runs/(\d+)")
NOT_BEGUN = {"queued", "pending", "waiting"}
LOOKS_BACK = 5  # deployments before the window whose outcome is asked for, an environment


@dataclass(frozen=True, slots=True)
class Deployed:
    """What was deployed to production since the last run, and what runs there now."""

    changes: tuple[Change, ...] = ()
    running: tuple[Running, ...] = ()


Statuses = Sequence[Mapping[str, Any]] | CannotLook


def deployments(github: GitHub, repository: Repository, reach: Reach) -> Deployed:
    """Every deployment to a production environment since *reach*, one that failed included: it may
    have changed something. One that never began did not."""
    found: list[Mapping[str, Any]] = []
    for page in github.pages(DEPLOYMENTS, **repository.place):
        found += [d for d in page.items if _production(github, d)]
        if page.items and moment(page.items[-1], "created_at") < reach.since:
            break

    def ask(deployment: Mapping[str, Any]) -> Statuses:
        try:
            number = want(deployment, "id", int)
            return github.list(DEPLOYMENT_STATUSES, deployment_id=number, **repository.place)
        except CannotLook as error:
            return error

    made = [d for d in found if reach.since < moment(d, "created_at") <= github.until]
    told = {want(d, "id", int): s for d, s in zip(made, github.map(ask, made), strict=True)}
    changes = [_change(github, repository, d, told[want(d, "id", int)]) for d in made]
    return Deployed(
        tuple(c for c in changes if c is not None),
        tuple(_running(github, repository, found, told, ask)),
    )


def _production(github: GitHub, deployment: Mapping[str, Any]) -> bool:
    named = want(deployment, "environment", str).lower() in github.settings.production
    return named or may(deployment, "production_environment", bool) is True


def _change(
    github: GitHub, repository: Repository, deployment: Mapping[str, Any], told: Statuses
) -> Change | None:
    at, trouble, run = moment(deployment, "created_at"), "", ""
    if isinstance(told, CannotLook):
        trouble = f"{told.reason}. {told.remedy}"
    else:
        states = {want(status, "state", str) for status in told}
        if states and states <= NOT_BEGUN:
            return None
        at = min((moment(s, "created_at") for s in told if s["state"] == "success"), default=at)
        run = next(filter(None, map(_run, told)), "")
        _approvals(github, repository, run)
    return Change(
        f"github-{github.id}",
        Kind.DEPLOYMENT,
        f"deployment {want(deployment, 'id', int)}",
        repository.full,
        at,
        may(may(deployment, "creator", dict) or {}, "login", str) or "unknown",
        (want(deployment, "sha", str),),
        want(deployment, "environment", str),
        run,
        trouble=trouble,
    )


def _running(
    github: GitHub,
    repository: Repository,
    found: Sequence[Mapping[str, Any]],
    told: Mapping[int, Statuses],
    ask: Callable[[Mapping[str, Any]], Statuses],
) -> Iterator[Running]:
    """The last successful deployment of each environment, as far as the pages that were read go."""
    settled: set[str] = set()
    asked: Counter[str] = Counter()
    for d in sorted(found, key=lambda d: moment(d, "created_at"), reverse=True):
        environment, number = want(d, "environment", str), want(d, "id", int)
        if environment in settled or asked[environment] == LOOKS_BACK:
            continue
        asked[environment] += number not in told
        statuses = told[number] if number in told else ask(d)
        if isinstance(statuses, CannotLook):
            settled.add(environment)  # an older one may not run any more
            continue
        done = [moment(s, "created_at") for s in statuses if s.get("state") == "success"]
        if done:
            settled.add(environment)
            yield Running(
                f"github-{github.id}",
                repository.full,
                environment,
                want(d, "sha", str),
                images_in(json.dumps(d.get("payload"))),
                min(done),
            )


def _run(status: Mapping[str, Any]) -> str:
    address = f"{status.get('log_url') or ''} {status.get('target_url') or ''}"
    found = RUN_ADDRESS.search(address)
    return found[1] if found else ""


def _approvals(github: GitHub, repository: Repository, run: str) -> None:
    """Who let the deployment go ahead: kept as evidence; the request's approval decides."""
    if run:
        try:
            github.list(RUN_APPROVALS, run_id=run, **repository.place)
        except CannotLook:
            return
