"""The daily run as Lambda makes it: settings from the environment, evidence out, one alert."""

from __future__ import annotations

import base64
import json
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from cdk_soc2 import __version__
from cdk_soc2.account import LiveRegion, Reader
from cdk_soc2.alert import alert
from cdk_soc2.answers import want
from cdk_soc2.boundary import Boundary, BoundaryError, parse
from cdk_soc2.collect import collect
from cdk_soc2.control import CannotLook
from cdk_soc2.controls import CONTROLS
from cdk_soc2.evidence.s3 import S3Store
from cdk_soc2.evidence.seal import Outcome
from cdk_soc2.evidence.signer import KmsSigner

SECONDS_TO_RECORD = 60  # of the function's time, kept back to write what is known by then


class NotRecorded(Exception):
    """The run's evidence is not in the ledger. Fails the invocation, so that the alarm sees it."""


class NotTold(Exception):
    """The evidence is recorded, the alert was not sent. Fails the invocation, so that it is seen."""


class Invocation(Protocol):
    """What Lambda tells of the invocation."""

    @property
    def aws_request_id(self) -> str: ...
    @property
    def invoked_function_arn(self) -> str: ...
    def get_remaining_time_in_millis(self) -> int: ...


@dataclass(frozen=True)
class Settings:
    """:param boundary: JSON, or the name of an SSM parameter; ``None`` for what ships beside."""

    bucket: str
    signing_key: str
    topic: str | None
    boundary: str | None

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Settings:
        """Raises :class:`KeyError` naming the variable that is not set."""
        return cls(
            environment["EVIDENCE_BUCKET"],
            environment["SIGNING_KEY_ID"],
            environment.get("ALERT_TOPIC_ARN"),
            environment.get("BOUNDARY"),
        )


def run(
    event: Mapping[str, Any],
    invocation: Invocation,
    *,
    boundary_file: Path,
    environment: Mapping[str, str] = os.environ,
    session: boto3.Session | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> dict[str, Any]:
    """Collect, record, alert. Raises :class:`NotRecorded` when the evidence is not in the ledger."""
    settings = Settings.of(environment)
    session = session or boto3.Session()
    reader = Reader(session, clock=clock)
    home = str(session.region_name)
    outcome = collect(
        CONTROLS,
        _boundary(settings.boundary, boundary_file, reader, home),
        reader,
        home,
        S3Store(settings.bucket, reader.client("s3", home)),
        KmsSigner(reader.client("kms", home), settings.signing_key),
        collector=lambda region: _collector(region, event, invocation),
        clock=clock,
        seconds=max(1, invocation.get_remaining_time_in_millis() / 1000 - SECONDS_TO_RECORD),
    )
    if not outcome.recorded:
        print(json.dumps(outcome.status))  # the log is the last place left
    told = _tell(outcome, settings.topic, lambda: reader.client("sns", home))
    if not outcome.recorded:
        raise NotRecorded(f"{outcome.trouble} (evidence would be at {outcome.location})")
    counts = outcome.status["summary"]["controls"]
    return {
        "statusCode": 200,
        "controls_checked": sum(counts.values()),
        "controls_failed": counts["FAIL"],
        "controls_unknown": counts["UNKNOWN"],
        "evidence_location": outcome.location,
        "alert": told,
    }


def _boundary(given: str | None, file: Path, reader: Reader, home: str) -> Boundary:
    """The environment's boundary, else the one that ships beside the code, else the whole account."""
    if given and not given.lstrip().startswith("{"):
        answer = reader.client("ssm", home).get_parameter(Name=given)
        given = want(want(answer, "Parameter", dict), "Value", str)
    if not given:
        given = file.read_text(encoding="utf-8") if file.exists() else "{}"
    try:
        return parse(json.loads(given))
    except json.JSONDecodeError as error:
        raise BoundaryError(f"BOUNDARY is neither JSON nor a parameter's name: {error}") from None


def _collector(
    region: LiveRegion, event: Mapping[str, Any], invocation: Invocation
) -> dict[str, Any]:
    """Which code collects. Its digest is Lambda's own word for what is deployed."""
    try:
        answer = region.read(
            "lambda",
            "get_function_configuration",
            FunctionName=invocation.invoked_function_arn,
        )
        code = base64.b64decode(want(answer, "CodeSha256", str)).hex()
        how = "lambda:GetFunctionConfiguration"
    except CannotLook as error:
        code, how = None, f"unknown: {error.reason}"
    return {
        "version": __version__,
        "code_sha256": code,
        "code_sha256_from": how,
        "boto3": boto3.__version__,
        "python": platform.python_version(),
        "request_id": invocation.aws_request_id,
        "function_arn": invocation.invoked_function_arn,
        "trigger": str(event.get("trigger", "manual")),
    }


def _tell(outcome: Outcome, topic: str | None, sns: Callable[[], Any]) -> str:
    """Log the verdicts, and send what somebody must know. Says what was sent."""
    message = alert(outcome.status, outcome.earlier, outcome.location, outcome.trouble)
    if message is None:
        return "nothing to tell"
    print(message.subject)
    if topic is None:
        return "no topic"
    try:
        sns().publish(TopicArn=topic, Subject=message.subject, Message=message.body)
    except (BotoCoreError, ClientError) as error:
        raise NotTold(
            f"the evidence is at {outcome.location}, but {topic} did not take the alert "
            f"{message.subject!r}: {error}"
        ) from error
    return message.subject
