"""Where the commands print: data to stdout, words to stderr, colours only for people."""

from __future__ import annotations

from rich.console import Console

COLOURS = {"PASS": "green", "FAIL": "bold red", "UNKNOWN": "yellow", "NOT_APPLICABLE": "dim"}


def data() -> Console:
    """What was asked for. Wide enough for its tables when it is not a terminal."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=160)


def words() -> Console:
    """What the command says of its work."""
    return Console(stderr=True, highlight=False)


def coloured(status: str) -> str:
    colour = COLOURS.get(status, "default")
    return f"[{colour}]{status}[/{colour}]"
