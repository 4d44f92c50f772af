"""Vaults for mock audits: the real collection and ledger, a simulated clock, accounts that do as
they are told."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from cdk_soc2.account import Reader
from cdk_soc2.audit.rows import DOCUMENTS, rows
from cdk_soc2.boundary import Boundary
from cdk_soc2.collect import Outcome, collect
from cdk_soc2.context import Context
from cdk_soc2.control import Account, CannotLook, Control, Observed, Status, matrix
from cdk_soc2.controls import CONTROLS as REAL
from cdk_soc2.evidence.layout import run_folder
from cdk_soc2.evidence.ledger import append
from cdk_soc2.evidence.record import run_id
from cdk_soc2.evidence.signer import Signer
from cdk_soc2.evidence.store import Store
from tests.aws import FakeSession
from tests.evidence.vault import key
from tests.fakes import ACCOUNT

SECOND = "210987654321"
DAY = date(2026, 9, 1)
NOW = datetime(2026, 9, 20, 12, tzinfo=UTC)

HOLDS = "holds"
BROKEN = "broken"
UNSEEN = "unseen"
NONE = "none"
SLOW = "slow"

State = Mapping[str, str]
"""What the account is like, by check id; what is not named holds."""


def control(number: int, key: str, *checks: str) -> Control:
    """A control whose checks ask the account for the state of things of that name."""
    made = Control(number, key, key, f"{key} holds.", ("CC6.1",), None, ())

    def add(id: str) -> None:
        def look(account: Account, context: Context) -> Iterator[Observed]:
            answer = account.home.read("state", "get_state", Name=id)
            if answer["State"] == UNSEEN:
                raise CannotLook(f"state:GetState of {id} was denied", "Allow state:GetState.")
            if answer["State"] != NONE:
                ok = answer["State"] == HOLDS
                remedy = None if ok else f"Mend {id}."
                yield Observed(ok, id, f"{id} {answer['State']}", remedy=remedy)

        look.__name__, look.__doc__ = id, f"The {id} is as it must be."
        made.check(of="things", empty=Status.NOT_APPLICABLE)(look)

    for id in checks:
        add(id)
    return made


def controls() -> dict[str, Control]:
    """Every control that readiness asks for, whether it exists yet or not."""
    asked: dict[str, list[str]] = {}
    for row in rows(matrix(REAL), {}):
        if row.check not in DOCUMENTS:
            asked.setdefault(row.control, []).append(row.check)
    made = {name: control(n, name, *checks) for n, (name, checks) in enumerate(asked.items())}
    made["mfa"].document(
        "identity_provider_mfa", "An attestation.", due=lambda p: p.start, valid_days=92
    )
    return made


BY_KEY = controls()
CONTROLS = tuple(BY_KEY.values())
MATRIX = matrix(CONTROLS)


def run(
    store: Store,
    day: int = 1,
    state: State | None = None,
    *,
    account: str = ACCOUNT,
    signer: Signer | None = None,
    unsigned: bool = False,
    hour: int = 0,
    asked: tuple[Control, ...] = CONTROLS,
    seconds: float | None = None,
) -> Outcome:
    """Collect on day number *day*, counting from 1."""
    now = datetime.combine(DAY, datetime.min.time(), UTC) + timedelta(days=day - 1, hours=hour)
    told = dict(state or {})
    session = FakeSession(
        {
            ("sts", "get_caller_identity"): {
                "Account": account,
                "Arn": f"arn:aws:sts::{account}:assumed-role/collector/run",
            },
            ("ec2", "describe_regions"): {"Regions": [{"RegionName": "us-east-1"}]},
            ("state", "get_state"): lambda Name: _answer(told.get(Name, HOLDS)),
        }
    )
    times = iter([now, now + timedelta(seconds=3)])
    return collect(
        asked,
        Boundary(),
        Reader(session, clock=lambda: now),  # pyright: ignore[reportArgumentType]
        "us-east-1",
        store,
        None if unsigned else signer or key(account),
        collector=lambda _: {"version": "0", "code_sha256": "0" * 64, "trigger": "test"},
        clock=lambda: next(times),
        seconds=seconds,
    )


def _answer(state: str) -> dict[str, str]:
    if state == SLOW:
        time.sleep(1)
    return {"State": state}


def attach(
    store: Store,
    document: str,
    control: str,
    day: int = 1,
    *,
    reviewed_by: str = "grace",
    **said: Any,
) -> str:
    """Attach a document that takes effect on day *day*; return the path of its attachment.json."""
    effective = DAY + timedelta(days=day - 1)
    now = datetime.combine(effective, datetime.min.time(), UTC) + timedelta(hours=9)
    run = run_id(now)
    folder = run_folder("manual", effective, run, control)
    body = f"{document} of {effective}".encode()
    digest = hashlib.sha256(body).hexdigest()
    attachment = {
        "control": control,
        "document": document,
        "effective_from": effective.isoformat(),
        "effective_to": None,
        "prepared_by": "ada",
        "reviewed_by": reviewed_by,
        "note": "",
        "files": [{"name": "document.md", "digest": {"sha256": digest}}],
    } | said
    files = {"document.md": body, "attachment.json": json.dumps(attachment).encode()}
    for name, content in files.items():
        store.put(folder + name, content)
    moment = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    append(
        store,
        key("manual"),
        source="manual",
        run=run,
        subject=[(folder + n, hashlib.sha256(c).hexdigest()) for n, c in files.items()],
        predicate={"window": {"start": moment, "end": moment}, "finished": True},
    )
    return f"{folder}attachment.json"


def attach_all(store: Store, day: int = 1) -> None:
    for document, control in (
        ("identity_provider_mfa", "mfa"),
        ("runbook", "incident_response"),
        ("tabletop", "incident_response"),
        ("access_review", "access_reviews"),
        ("restore_test", "backup_verification"),
    ):
        attach(store, document, control, day)
