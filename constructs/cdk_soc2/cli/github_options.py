"""What the commands of ``soc2 github`` take in the same way."""

from __future__ import annotations

import re
from pathlib import Path

import click

from cdk_soc2.cli.errors import CouldNot
from cdk_soc2.cli.output import words
from cdk_soc2.sources.github.app import token_from
from cdk_soc2.sources.github.client import PUBLIC, Client

LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def _login(context: click.Context, parameter: click.Parameter, owner: str) -> str:
    if not LOGIN.fullmatch(owner):
        raise CouldNot(f"--owner {owner!r} is no login; give the organization's name alone")
    return owner


OWNER = click.option(
    "--owner", required=True, callback=_login, help="The organization, or a person's login."
)
REPOSITORIES = click.option("--repos", help="Only these repositories, comma separated names.")
API_URL = click.option(
    "--api-url", envvar="GITHUB_API_URL", default=PUBLIC, show_default=True, help="API address."
)


def open_client(api_url: str, cache: Path | None) -> Client:
    from cdk_soc2.sources.github.cache import FolderCache

    def say(told: str) -> None:
        words().print(told, soft_wrap=True)

    try:
        token = token_from(api_url)
    except ValueError as error:
        raise CouldNot(str(error)) from None
    return Client(token, api_url, say=say, unchanged=FolderCache(cache) if cache else None)


def names_in(listed: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in listed.split(",") if name.strip())
    if not names:
        raise CouldNot(f"{listed!r} names nothing; give names, comma separated")
    return names


def repositories(listed: str | None, owner: str) -> tuple[str, ...] | None:
    if listed is None:
        return None
    names = names_in(listed)
    foreign = [n for n in names if "/" in n and n.partition("/")[0].lower() != owner.lower()]
    if foreign:
        raise CouldNot(f"--repos {foreign[0]!r} is not of {owner}; collect each owner by itself")
    return tuple(name.rpartition("/")[2] for name in names)
