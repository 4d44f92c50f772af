"""One run of evidence from one Argo CD: asked, judged, recorded, signed and chained."""

from __future__ import annotations

import base64
import binascii
import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from cdk_soc2.assess import Assessment, assess
from cdk_soc2.boundary import Boundary
from cdk_soc2.context import Context
from cdk_soc2.control import Account, CannotLook, Status
from cdk_soc2.evidence.past import Past
from cdk_soc2.evidence.record import Run, run_id
from cdk_soc2.evidence.seal import Outcome, seal
from cdk_soc2.evidence.signer import Signer
from cdk_soc2.evidence.statement import Named
from cdk_soc2.evidence.store import Store
from cdk_soc2.scope import Scope
from cdk_soc2.sources.argocd.changes import table
from cdk_soc2.sources.argocd.control import DEPLOYMENTS, KIND, ArgoCd
from cdk_soc2.sources.argocd.server import TIMEOUT, Server
from cdk_soc2.sources.files import RunFiles


def collect(
    name: str,
    address: str,
    token: str,
    store: Store,
    signer: Signer | None,
    *,
    boundary: Boundary,
    collector: Mapping[str, Any],
    clock: Callable[[], datetime],
    projects: Sequence[str] = (),
    sleep: Callable[[float], None] = time.sleep,
    timeout: Any = TIMEOUT,
    next_key: str | None = None,
) -> Outcome:
    """Ask the Argo CD at *address* and record what it said under the source ``argocd-<name>``.

    :param collector: which code collects.
    :param projects: Argo CD's projects in scope; all if empty.

    Raises :class:`~cdk_soc2.sources.argocd.server.BadAddress`. A server that is silent or refuses
    is evidence, too: the verdicts are ``UNKNOWN``. A store or a key that refuses is told in the
    outcome.
    """
    now = clock()
    with tempfile.TemporaryDirectory(prefix="soc2-") as folder:
        files = RunFiles(Path(folder))
        server = Server(
            address,
            token,
            lambda answer: files.write(DEPLOYMENTS.key, answer),
            clock=clock,
            sleep=sleep,
            timeout=timeout,
        )
        argocd = ArgoCd(name, server, projects)
        scope = Scope(name, f"{server.url} as {subject(token)}", "", (), kind=KIND)
        bucket = store.address.removeprefix("s3://") if store.address.startswith("s3://") else None
        past = Past(store, scope.source, bucket)
        assessment = assess(
            [DEPLOYMENTS],
            lambda _: cast(Account, argocd),  # its checks look at this, as others at an account
            scope,
            Context(boundary, now, past),
        )
        files.add("changes.json", table(argocd.changes, _unseen(assessment)))
        run = Run(
            run_id(now),
            scope,
            boundary,
            [DEPLOYMENTS],
            assessment,
            now,
            clock(),
            {**collector, KIND: argocd.position},
        )
        return seal(run, files, store, signer, unsealed=_unsealed(past, now), next_key=next_key)


def _unseen(assessment: Assessment) -> list[str]:
    """The applications, or more than one, whose changes may be missing from those found."""
    findings = assessment.findings[DEPLOYMENTS.key]
    return [o.subject for f in findings for o in f.observations if o.status is not Status.PASS]


def subject(token: str) -> str:
    """Whom *token* names, by its own word: Argo CD's tokens are JWTs. Not verified: the server did."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(claims["sub"])
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        return "a token that names nobody"


def _unsealed(past: Past, now: datetime) -> list[Named]:
    try:
        return past.unsealed(now)
    except CannotLook:
        return []
