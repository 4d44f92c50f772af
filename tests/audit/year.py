"""Long vaults: the real collection and ledger over a simulated clock, with things planted in them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from cdk_soc2.account import Reader
from cdk_soc2.audit.archive import Archive
from cdk_soc2.audit.calendar import DUTIES
from cdk_soc2.audit.explanations import Identity, explaining
from cdk_soc2.audit.gap import Gap
from cdk_soc2.audit.observation import Observation, observe
from cdk_soc2.boundary import Boundary, parse
from cdk_soc2.collect import collect
from cdk_soc2.control import Control, matrix
from cdk_soc2.controls.evidence import EVIDENCE
from cdk_soc2.evidence.attach import EXPLANATION, Attachment, attach
from cdk_soc2.evidence.record import serialize
from cdk_soc2.evidence.signer import Signer
from cdk_soc2.evidence.store import Store
from tests.audit.vault import CONTROLS, HOLDS, SECOND, _answer, control
from tests.aws import FakeSession
from tests.evidence.memory import Fault, MemoryStore
from tests.evidence.vault import key
from tests.fakes import ACCOUNT

START = date(2026, 9, 2)  # after the day on which the bucket's own clock begins
A, B = f"aws-{ACCOUNT}", f"aws-{SECOND}"
State = Mapping[str, str]


def few() -> tuple[Control, ...]:
    """Every kind of check there is, and no more."""
    mfa = control(1, "mfa", "mfa")
    response = control(11, "incident_response", "alert_route")
    reviews = control(12, "access_reviews", "unused_roles")
    backups = control(13, "backup_verification", "backups")
    by_key = {c.key: c for c in (mfa, response, reviews, backups)}
    for document, duty in DUTIES.items():
        by_key[duty.control].document(document, "A document.", due=duty.first, valid_days=duty.days)
    return (mfa, control(4, "guardduty", "guardduty"), response, reviews, backups, EVIDENCE)


FEW = few()
ALL = tuple(
    ({c.key: c for c in FEW} | {c.key: c for c in CONTROLS} | {"evidence": EVIDENCE}).values()
)


class Bucket(MemoryStore):
    """Versions as in a bucket, the address of a folder, and one key that is not taken."""

    address = "memory"
    refused = "\0"

    def __init__(self) -> None:
        super().__init__(self._refuses)

    def _refuses(self, key: str, number: int) -> Fault | None:
        return "denied" if self.refused in key else None


class Year:
    """A vault of *days* days, which are recorded one by one."""

    def __init__(self, days: int, controls: tuple[Control, ...] = FEW) -> None:
        self.store = Bucket()
        self.days = days
        self.controls = controls
        end = self.day(days)
        self.boundary: Boundary = parse(
            {"accounts": [ACCOUNT, SECOND], "period": {"start": f"{START}", "end": f"{end}"}}
        )

    @staticmethod
    def day(number: int) -> date:
        """Day *number* of the period, counting from 1."""
        return START + timedelta(days=number - 1)

    def record(
        self,
        number: int,
        account: str,
        state: State | None = None,
        seconds: float | None = None,
        signer: Signer | None = None,
    ) -> str:
        """Collect; return the run's folder."""
        now = datetime.combine(self.day(number), datetime.min.time(), UTC) + timedelta(seconds=5)
        told = dict(state or {})
        session = FakeSession(
            {
                ("sts", "get_caller_identity"): {
                    "Account": account,
                    "Arn": f"arn:aws:sts::{account}",
                },
                ("ec2", "describe_regions"): {"Regions": [{"RegionName": "us-east-1"}]},
                ("state", "get_state"): lambda Name: _answer(told.get(Name, HOLDS)),
            }
        )
        times = iter([now, now + timedelta(seconds=3)])
        outcome = collect(
            self.controls,
            self.boundary,
            Reader(session, clock=lambda: now),  # pyright: ignore[reportArgumentType]
            "us-east-1",
            self.store,
            signer or key(account),
            collector=lambda _: {"version": "0", "code_sha256": "0" * 64, "trigger": "test"},
            clock=lambda: next(times),
            seconds=seconds,
        )
        return outcome.location.removeprefix("memory/").rpartition("/")[0]

    def attach(self, number: int, document: str, effective: int | None = None) -> str:
        """Attach *document* on day *number*."""
        what = Attachment(
            DUTIES[document].control,
            document,
            {f"{document}.md": f"{document} {number}".encode()},
            self.day(effective or number),
            "ada",
            "grace",
        )
        return attach(self.store, key("manual"), what, self.at(number)).path

    def explain(self, number: int, gap: Identity, first: int, last: int) -> str:
        """Explain *gap* on day *number*."""
        told = {
            "cause": "a key expired",
            "remediation": "renewed",
            "customer_impact": "none",
            "auditor_told_by": "ada",
            "auditor_told_on": f"{self.day(number)}",
        }
        body = serialize(explaining([(gap, self.day(first), self.day(last))], told))
        what = Attachment(
            gap[1] or "evidence",
            "gap_explanation",
            {EXPLANATION: body},
            self.day(number),
            "ada",
            None,
        )
        return attach(self.store, key("manual"), what, self.at(number)).path

    def observe(self, store: Store | None = None, until: int | None = None) -> Observation:
        """What is seen of it on the evening of its last day, or of day *until*."""
        archive = Archive(store or self.store, self.at(until or self.days))
        return observe(archive, matrix(self.controls))

    def number(self, day: date) -> int:
        return (day - START).days + 1

    def told(self, gap: Gap) -> tuple[str, str | None, str | None, int, int]:
        """Kind, check, source, first and last day of *gap*."""
        return gap.kind, gap.check, gap.source, self.number(gap.first), self.number(gap.last)

    def write(self, folder: Path) -> Path:
        """The vault as a folder, as an auditor's copy."""
        for version in self.store.versions():
            if version.latest and not version.deleted:
                path = folder / version.key
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(self.store.get(version.key))
        return folder

    def at(self, number: int) -> datetime:
        return datetime.combine(self.day(number), datetime.min.time(), UTC) + timedelta(hours=20)
