"""Tells a secret from what merely points to one: by its name, and by how it looks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from cdk_soc2.intrinsics import VARIABLE, flat, is_intrinsic

# A name that ends so holds a secret; DB_PASSWORD_ARN, TOKEN_URL and SECRET_NAME do not.
NAME = re.compile(
    r"(^|_)(PASS(WORD|WD|PHRASE)?|PWD|SECRET|TOKEN|API_?KEY|(SECRET|PRIVATE|ACCESS|ENCRYPTION|SIGNING)_?KEY"
    r"|SECRET_?ACCESS_?KEY|CREDENTIALS?|CONNECTION_?STRING)$"
)
# What nobody writes for anything else.
LOOKS = {
    "an AWS access key": re.compile(r"\b(AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a GitHub token": re.compile(r"\b(gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,})"),
    "a Slack token": re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}"),
    "a Stripe key": re.compile(r"\b[sr]k_live_[A-Za-z0-9]{16,}"),
    "a password in an address": re.compile(r"://[^/\s:@]+:(?!\$\{|<|\{\{)[^/\s@]{3,}@"),
}
# DB_PASSWORD=hunter2 in a script; not DB_PASSWORD=$(aws ...) nor ="$1".
ASSIGNED = re.compile(
    r"(?i)\b([A-Z0-9_]*(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|SECRET_ACCESS_KEY))"
    r"\s*[=:]\s*[\"']?([^\s\"'$`{}<>()]{4,})"
)
POINTER = re.compile(
    r"^(arn:|/[\w.-]+(/[\w.-]+)*$|https?://[^@]*$|\{\{resolve:|alias/|ssm:|secretsmanager:)"
)
FLAGS = frozenset({"", "true", "false", "yes", "no", "enabled", "disabled", "none", "null", "*"})


def is_secret_name(name: str) -> bool:
    """``dbPassword``, ``DB_PASSWORD`` and ``db-password`` are the same name."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return NAME.search(spaced.replace("-", "_").replace(".", "_").upper()) is not None


def secret_in(name: str, value: Any, parameters: Mapping[str, Any]) -> str | None:
    """Why *value*, under *name*, is a secret in plain text; ``None``: it is not seen to be."""
    text = flat(value)
    for what, look in LOOKS.items():
        if look.search(text):
            return what
    if not is_secret_name(name):
        return None
    if is_intrinsic(value):
        named = cast(Mapping[str, Any], value).get("Ref")
        if named in parameters and not _points(parameters[str(named)]):
            return f"the value of the parameter {named}, in plain text"
    literal = VARIABLE.sub("", text).strip()
    if (
        literal.lower() in FLAGS
        or POINTER.match(text)
        or (literal.isdecimal() and len(literal) < 4)
    ):
        return None
    return None if VARIABLE.search(text) and len(literal) < 8 else "a literal value"


def secrets_in_script(text: str) -> Iterator[str]:
    """What in a script is a secret in plain text."""
    for what, look in LOOKS.items():
        if look.search(text):
            yield what
    for name, value in ASSIGNED.findall(text):
        if is_secret_name(name) and value.lower() not in FLAGS and not POINTER.match(value):
            yield f"a value for {name}"


def _points(parameter: Any) -> bool:
    """Is what the parameter takes the name of a secret, rather than the secret?"""
    declared = cast(Mapping[str, Any], parameter) if isinstance(parameter, Mapping) else {}
    words = (str(declared.get(name, "")) for name in ("Description", "Default", "AllowedPattern"))
    return any(re.search(r"(?i)\barn\b|arn:|name of", word) for word in words)
