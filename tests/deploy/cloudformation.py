"""CloudFormation as a custom resource's function meets it, and AWS's refusals."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from cdk_soc2.custom_resource import handle
from cdk_soc2.settings import make

HOME = "us-east-1"


@dataclass
class FakeLambda:
    seconds: float = 180

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


@dataclass
class CloudFormation:
    """Asks for a setting, of fakes by region, and keeps the answers."""

    setting: str
    regions: Mapping[str, Any]
    wanted: Mapping[str, Any] = field(default_factory=dict[str, Any])
    answers: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    pauses: list[float] = field(default_factory=list[float])
    enabled: Any = None  # EC2 at home, for DescribeRegions

    def ask(self, type: str = "Create", *, seconds: float = 180, **also: Any) -> dict[str, Any]:
        properties = {
            "Setting": self.setting,
            "Regions": list(self.regions),
            "Wanted": self.wanted,
        }
        event = {
            "RequestType": type,
            "ResponseURL": "https://cfn.example/answer?signature=1",
            "StackId": "arn:stack",
            "RequestId": "r-1",
            "LogicalResourceId": "Setting",
            "ResourceProperties": properties,
            **also,
        }
        handle(
            event,
            FakeLambda(seconds),
            partial(make, client=self._client, pause=self.pauses.append),
            answer=self._answer,
        )
        return self.answers[-1]

    def _client(self, service: str, region: str) -> Any:
        if region == HOME and self.enabled is not None:
            return self.enabled
        return self.regions[region]

    def _answer(self, url: str, body: bytes) -> None:
        assert url == "https://cfn.example/answer?signature=1"
        self.answers.append(json.loads(body))


def refused(code: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Call")


@dataclass
class Fake:
    """A client that refuses the named calls, and counts those that write."""

    refuses: dict[str, Exception] = field(default_factory=dict[str, Exception])
    writes: list[tuple[str, dict[str, Any]]] = field(
        default_factory=list[tuple[str, dict[str, Any]]]
    )

    def may(self, call: str) -> None:
        if call in self.refuses:
            raise self.refuses[call]

    def write(self, call: str, **arguments: Any) -> None:
        self.may(call)
        self.writes.append((call, arguments))


Ask = Callable[..., dict[str, Any]]
