"""Registers the services that ministack lacks, with routing and with permission checks."""

import re
from collections.abc import Mapping

from emulator import access_analyzer, backup, config, ecr, guardduty, secrets, sso
from emulator.answers import Parameters
from emulator.moto_bridge import Handler, answering
from ministack import app
from ministack.core import iam_actions

# The name a service signs with: (its name in botocore, who answers). ministack reads botocore's
# model of it to tell which IAM action a request needs.
ADDED: dict[str, tuple[str, Handler]] = {
    "access-analyzer": ("accessanalyzer", access_analyzer.handle),
    "codepipeline": ("codepipeline", answering("codepipeline")),
    "directconnect": ("directconnect", answering("directconnect")),
    "guardduty": ("guardduty", guardduty.handle),
    "identitystore": ("identitystore", answering("identitystore")),
    "macie2": ("macie2", answering("macie2")),
    "ram": ("ram", answering("ram")),
    "securityhub": ("securityhub", answering("securityhub")),
    "sso": ("sso-admin", sso.handle),
}
_SIGNED_FOR = re.compile(r"Credential=[^/]+/[^/]+/[^/]+/([^/]+)/")


def install() -> None:
    for service, (model, handler) in ADDED.items():
        app.SERVICE_HANDLERS[service] = handler
        iam_actions.SERVICE_TO_IAM_NAMESPACE[service] = service
        iam_actions._BOTOCORE_SERVICE_MAP[service] = [model]
    app.SERVICE_HANDLERS |= {
        "backup": backup.handle,
        "config": config.handle,
        "ecr": ecr.handle,
        "secretsmanager": secrets.handle,
    }
    ministacks_choice = app.detect_service

    def detect_service(
        method: str, path: str, headers: Mapping[str, str], query: Parameters
    ) -> str:
        signed = _SIGNED_FOR.search(headers.get("authorization", ""))
        if signed and signed[1] in ADDED:
            return signed[1]
        return ministacks_choice(method, path, headers, query)

    app.detect_service = detect_service
