"""Where things lie in a vault, in one place, because writers, readers and auditors must agree on
it."""

from __future__ import annotations

import re
from datetime import date, datetime

MANUAL = "manual"

SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
RUN = re.compile(r"(\d{6})Z-[0-9a-f]{8}")
DIGEST = re.compile(r"[0-9a-f]{64}")
STATEMENT = re.compile(r"ledger/([A-Za-z0-9][A-Za-z0-9._-]{0,127})/(\d{8})\.dsse\.json")
KEY = re.compile(r"keys/([0-9a-f]{64})\.pem")


def statement_name(source: str, sequence: int) -> str:
    """Return the path of a source's statement; *sequence* counts from 1."""
    return f"ledger/{source}/{sequence:08d}.dsse.json"


def key_name(keyid: str) -> str:
    """Return the path of a public key; *keyid* is the hex SHA-256 of its DER
    SubjectPublicKeyInfo."""
    return f"keys/{keyid}.pem"


def run_folder(source: str, day: date, run: str, control: str | None = None) -> str:
    """Return a run's folder with its final slash; documents (source `manual`) also need their
    *control*."""
    if source == MANUAL:
        if control is None:
            raise ValueError("a run of source 'manual' lies under its control: give its key")
        return f"{MANUAL}/{control}/{day.isoformat()}/{run}/"
    return f"daily/{day.isoformat()}/{source}/{run}/"


def run_of(path: str) -> tuple[str, str, str] | None:
    """Split a file's path into its run's folder, source and day (`YYYY-MM-DD`), or return None when
    it lies in no run."""
    parts = path.split("/", 4)
    if len(parts) < 5 or not all(parts):
        return None
    top, second, third, fourth, _ = parts
    if top == "daily":
        source, day = third, second
    elif top == MANUAL:
        source, day = MANUAL, third
    else:
        return None
    if not is_day(day) or not SOURCE.fullmatch(source) or fourth in (".", ".."):
        return None
    return path[: len(path) - len(parts[4])], source, day


def is_day(text: str) -> bool:
    """Whether *text* is a calendar date as `YYYY-MM-DD`."""
    if len(text) != 10:
        return False
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def is_hidden(path: str) -> bool:
    """Whether a step of *path* begins with a dot, or it only stands for a folder."""
    return path.endswith("/") or any(step.startswith(".") for step in path.split("/"))


def is_plain(path: str) -> bool:
    """Whether *path* is relative, has no empty, `.` or `..` step, and no NUL or backslash."""
    return not ("\0" in path or "\\" in path or any(p in ("", ".", "..") for p in path.split("/")))


def moment(text: str) -> datetime:
    """Read an RFC 3339 time; it must say its offset. Raises `ValueError`."""
    value = datetime.fromisoformat(text)
    if value.tzinfo is None:
        raise ValueError(f"the time {text!r} says no offset: write it in UTC, with a final Z")
    return value
