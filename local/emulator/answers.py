"""Answers in the shapes that AWS protocols use, and whose account and region is asking."""

import json
from typing import NamedTuple

from ministack.core import responses

Answer = tuple[int, dict[str, str], bytes]
Parameters = dict[str, list[str]]


class Scope(NamedTuple):
    """Where a request goes; most of AWS's state hangs on this pair."""

    account: str
    region: str


def scope() -> Scope:
    """The account and region of the request being answered."""
    return Scope(responses.get_account_id(), responses.get_region())


def as_json(body: object, status: int = 200) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(body, default=str).encode()


def error(code: str, message: str, status: int = 400) -> Answer:
    """A JSON or REST-JSON error; SDKs read the code from the header or from `__type`."""
    headers = {"Content-Type": "application/json", "x-amzn-errortype": code}
    return status, headers, json.dumps({"__type": code, "message": message}).encode()


def not_implemented(service: str, method: str, path: str) -> Answer:
    """Said aloud: a silent empty answer would read like a clean account."""
    what = f"{service} {method} {path} is not implemented by the local AWS"
    return error("NotImplementedException", what, 501)
