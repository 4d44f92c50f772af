"""What only an owner sees of rulesets: exported once a quarter, and good while nothing changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from cdk_soc2.answers import want
from cdk_soc2.control import CannotLook
from cdk_soc2.evidence.spool import timestamp
from cdk_soc2.sources.github.questions import CALLER, ORGANIZATION_RULESET, RULESET, RULESETS
from cdk_soc2.sources.github.window import GitHub, Repository, Unseen

SCHEMA = "soc2-github-rulesets/v1"
VALID = timedelta(days=92)
FIELDS: dict[str, type[Any]] = {"id": int, "source": str, "updated_at": str, "bypass_actors": list}


class NotAnExport(ValueError):
    """The file is not what ``soc2 github export-rulesets`` wrote. Says what is wrong with it."""


def checked(document: Any, owner: str) -> Mapping[str, Any]:
    """*document*, which must be an export of *owner*'s rulesets. Raises :class:`NotAnExport`."""
    if not isinstance(document, Mapping) or document.get("schema") != SCHEMA:
        raise NotAnExport(f"it is no export of rulesets; its schema is not {SCHEMA!r}")
    export = cast(Mapping[str, Any], document)
    if str(export.get("owner", "")).lower() != owner.lower():
        raise NotAnExport(f"it is of {export.get('owner')!r}, not of {owner!r}")
    try:
        exported_at(export)
        for one in want(export, "rulesets", list):
            for name, kind in FIELDS.items():
                want(one, name, kind)
    except (CannotLook, ValueError, AttributeError) as error:
        raise NotAnExport(str(error)) from None
    return export


def export(github: GitHub, now: datetime) -> dict[str, Any]:
    """Every ruleset that concerns the owner's repositories, as an owner's token sees it.

    Raises :class:`CannotLook` when the bypass actors of one are not shown to this token either.
    """
    found: dict[int, Mapping[str, Any]] = {}
    for repository in github.repositories():
        if isinstance(repository, Unseen):
            raise repository.why
        for listed in github.list(RULESETS, {"includes_parents": True}, **repository.place):
            number = want(listed, "id", int)
            if number not in found:
                found[number] = _whole(github, repository, listed, number)
    return {
        "schema": SCHEMA,
        "owner": github.id,
        "exported_at": timestamp(now),
        "exported_by": str(github.read(CALLER).get("login")),
        "rulesets": [found[number] for number in sorted(found)],
    }


def _whole(
    github: GitHub, repository: Repository, listed: Mapping[str, Any], number: int
) -> Mapping[str, Any]:
    if listed.get("source_type") == "Organization":
        source = want(listed, "source", str)
        detail = github.read(ORGANIZATION_RULESET, org=source, ruleset_id=number)
    else:
        detail = github.read(RULESET, ruleset_id=number, **repository.place)
    if not isinstance(detail.get("bypass_actors"), list):
        raise CannotLook(
            f"the bypass actors of ruleset {number} of {listed.get('source')} are not shown",
            "Use a token of an owner, with the permission to write rulesets.",
        )
    return detail


def exported_at(export: Mapping[str, Any]) -> datetime:
    moment = datetime.fromisoformat(want(export, "exported_at", str))
    if moment.tzinfo is None:
        raise ValueError(f"exported_at is {moment}, without a time zone")
    return moment.astimezone(UTC)


def settled(
    export: Mapping[str, Any] | None,
    number: int,
    source: str,
    detail: Mapping[str, Any],
    now: datetime,
) -> list[Any] | None:
    """The bypass actors that the owner saw, if that still holds for the ruleset in *detail*."""
    changed = detail.get("updated_at")
    if export is None or not isinstance(changed, str):
        return None
    if not timedelta() <= now - exported_at(export) <= VALID:
        return None
    for one in export["rulesets"]:
        if one["id"] == number and one["source"].lower() == source.lower():
            same = _moment(one["updated_at"]) == _moment(changed)
            return one["bypass_actors"] if same else None
    return None


def _moment(text: str) -> datetime | str:
    """GitHub tells the same moment with different offsets to different callers."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return moment.astimezone(UTC) if moment.tzinfo else text
