"""S3 Control: the account's Block Public Access, which ministack lacks.

A stub: the four flags are kept and shown per account; a bucket is not judged by them, only by its
own Block Public Access.
"""

from collections.abc import Mapping

from emulator.answers import Answer, Parameters, scope
from ministack import app

_PATH = "/v20180820/configuration/publicAccessBlock"
_flags: dict[str, bytes] = {}


def install() -> None:
    ministacks_answer = app._handle_s3_control_request

    async def handle(
        path: str,
        method: str,
        body: bytes,
        query: Parameters,
        request_id: str,
        headers: Mapping[str, str] | None = None,
    ) -> Answer | None:
        if path.rstrip("/") != _PATH:
            return await ministacks_answer(path, method, body, query, request_id, headers)
        action = f"s3:{'Get' if method == 'GET' else 'Put'}AccountPublicAccessBlock"
        refused = app._enforce_data_plane(
            "s3", action, headers or {}, query, request_id, resource_arn="*"
        )
        return refused or _answer(method, body, headers or {})

    app._handle_s3_control_request = handle


def _answer(method: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    account = scope().account
    if headers.get("x-amz-account-id", account) != account:
        return _error("AccessDenied", "the account named is not the caller's", 403)
    if method == "PUT":
        _flags[account] = body
        return _xml(201)
    if method == "DELETE":
        _flags.pop(account, None)
        return _xml(204)
    if account not in _flags:
        message = "The public access block configuration was not found"
        return _error("NoSuchPublicAccessBlockConfiguration", message, 404)
    return _xml(200, _flags[account])


def _xml(status: int, body: bytes = b"") -> Answer:
    return status, {"Content-Type": "application/xml"}, body  # new headers: the server adds to them


def _error(code: str, message: str, status: int) -> Answer:
    inner = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return _xml(status, f"<ErrorResponse>{inner}</ErrorResponse>".encode())
