"""Facts that no check decides on: who has access, environments, alerts. Auditors ask for them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cdk_soc2.control import CannotLook
from cdk_soc2.sources.github.questions import (
    DEPENDABOT_ALERTS,
    DEPLOY_KEYS,
    ENVIRONMENTS,
    MEMBERS,
    OUTSIDE_COLLABORATORS,
    SECRET_ALERTS,
    Question,
)
from cdk_soc2.sources.github.window import GitHub, Repository, Unseen

SCHEMA = "soc2-github-access/v1"
OF_REPOSITORY = {
    "environments": (ENVIRONMENTS, {}),
    "dependabot_alerts": (DEPENDABOT_ALERTS, {}),
    "secret_scanning_alerts": (SECRET_ALERTS, {"hide_secret": True}),
    "deploy_keys": (DEPLOY_KEYS, {}),
}
OF_OWNER = {
    "members": (MEMBERS, {"role": "member"}),
    "admins": (MEMBERS, {"role": "admin"}),
    "outside_collaborators": (OUTSIDE_COLLABORATORS, {}),
}


def inventory(github: GitHub) -> bytes:
    """The population of the access review, as JSON: people, keys and environments.

    What the token may not see is null, with the reason under ``not_seen``.
    """
    not_seen: dict[str, str] = {}

    def ask(
        where: str, name: str, question: Question, query: Mapping[str, Any], **place: Any
    ) -> Any:
        try:
            return github.list(question, query, **place)
        except CannotLook as error:
            not_seen[f"{where}: {name}"] = f"{error.reason}. {error.remedy}"
            return None

    def one(repository: Repository | Unseen) -> tuple[str, Mapping[str, Any]]:
        if isinstance(repository, Unseen):
            not_seen[repository.full] = repository.why.reason
            return repository.full, {}
        found = {
            name: ask(repository.full, name, *asked, **repository.place)
            for name, asked in OF_REPOSITORY.items()
        }
        return repository.full, {
            "environments": _named(found["environments"], "name", "protection_rules"),
            "deploy_keys": _named(found["deploy_keys"], "id", "title", "read_only", "added_by"),
            "open_dependabot_alerts": _open(found["dependabot_alerts"]),
            "open_secret_scanning_alerts": _open(found["secret_scanning_alerts"]),
        }

    people = {
        name: _named(ask(github.id, name, question, query, org=github.id), "login", "id", "type")
        for name, (question, query) in OF_OWNER.items()
    }
    try:
        repositories = dict(github.map(one, github.repositories()))
    except CannotLook as error:
        repositories, not_seen[github.id] = None, error.reason
    document = {
        "schema": SCHEMA,
        "owner": github.id,
        **people,
        "repositories": repositories,
        "not_seen": dict(sorted(not_seen.items())),
    }
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def _named(items: list[Mapping[str, Any]] | None, *fields: str) -> Any:
    return None if items is None else [{f: item.get(f) for f in fields} for item in items]


def _open(alerts: list[Mapping[str, Any]] | None) -> int | None:
    return None if alerts is None else sum(alert.get("state") == "open" for alert in alerts)
