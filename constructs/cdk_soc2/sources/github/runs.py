"""Workflow runs, every one of them: they join what changed in AWS with the commit it came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from cdk_soc2.answers import want
from cdk_soc2.control import CannotLook
from cdk_soc2.sources.changes import Job
from cdk_soc2.sources.github.moments import moment, moment_if, written
from cdk_soc2.sources.github.questions import RUNS
from cdk_soc2.sources.github.window import GitHub, Page, Reach, Repository

AT_MOST = 1000  # results of one filtered list of runs, however many there are
DAY = timedelta(days=1)
SHORTEST = timedelta(seconds=1)
DEPLOYING = ("push", "workflow_dispatch", "release", "schedule", "deployment", "workflow_run")


def runs(github: GitHub, repository: Repository, reach: Reach) -> list[Job]:
    """Every workflow run since *reach*; those from the default branch may have changed production.

    A list is cut off after 1,000 runs: a longer one is asked for by days, then by halves, and the
    sum is held against GitHub's own count. Raises :class:`CannotLook`.
    """
    found = {
        want(run, "id", int): run for run in _sliced(github, repository, reach.since, github.until)
    }
    return [job for run in found.values() for job in _job(repository, run)]


def _sliced(
    github: GitHub, repository: Repository, start: datetime, end: datetime
) -> Iterator[Mapping[str, Any]]:
    given = {"created": f"{written(start)}..{written(end)}"}
    pages = github.pages(RUNS, given, **repository.place)
    first = next(pages, Page(()))
    if first.total is not None and first.total >= AT_MOST and end - start > SHORTEST:
        for begin, finish in _slices(start, end):
            yield from _sliced(github, repository, begin, finish)
        return
    items = [*first.items, *(item for page in pages for item in page.items)]
    total = first.total or 0
    if len({i.get("id") for i in items}) < total or total >= AT_MOST:
        raise CannotLook(
            f"{repository.full}: GitHub counts {total} workflow runs in "
            f"{given['created']} and lists {len(items)}",
            "Run again; if it stays, collect more often, so that fewer runs are listed at once.",
        )
    yield from items


def _slices(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Days; of a day or less the halves. GitHub counts both ends in, and no part of a second."""
    span = end - start
    step = DAY if span > DAY else max(timedelta(seconds=span // timedelta(seconds=2)), SHORTEST)
    while start <= end:
        finish = min(start + step - SHORTEST, end)
        yield start, finish
        start = finish + SHORTEST


def _job(repository: Repository, run: Mapping[str, Any]) -> Iterator[Job]:
    start = moment_if(run, "run_started_at") or moment(run, "created_at")
    if run.get("head_branch") == repository.default_branch and run.get("event") in DEPLOYING:
        id, sha = str(want(run, "id", int)), want(run, "head_sha", str)
        yield Job(id, sha, start, moment(run, "updated_at"))
