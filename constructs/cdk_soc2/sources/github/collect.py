"""One run of evidence from GitHub, recorded, signed and chained as every other."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from cdk_soc2.assess import assess
from cdk_soc2.boundary import Boundary
from cdk_soc2.context import Context
from cdk_soc2.control import CannotLook, Control
from cdk_soc2.evidence.past import Past
from cdk_soc2.evidence.record import Run, run_id
from cdk_soc2.evidence.seal import Outcome, seal
from cdk_soc2.evidence.signer import Signer
from cdk_soc2.evidence.spool import timestamp
from cdk_soc2.evidence.store import Store
from cdk_soc2.scope import Scope
from cdk_soc2.sources.elsewhere import changes_elsewhere
from cdk_soc2.sources.files import RunFiles
from cdk_soc2.sources.github.client import Client
from cdk_soc2.sources.github.controls import GITHUB_CONTROLS
from cdk_soc2.sources.github.inventory import inventory
from cdk_soc2.sources.github.live import Inquiry, LiveGitHub
from cdk_soc2.sources.github.questions import CALLER
from cdk_soc2.sources.github.reader import Reader
from cdk_soc2.sources.github.window import Reach, Refused, Settings

FIRST_WINDOW = timedelta(days=30)
INVENTORY = "access"


@dataclass(frozen=True)
class Wanted:
    """What the user asks for.

    :param repositories: names within *owner*; ``None`` for all.
    :param start: and *end*: an explicit window of changes, instead of since the last run.
    """

    owner: str
    repositories: tuple[str, ...] | None = None
    start: datetime | None = None
    end: datetime | None = None
    settings: Settings = field(default_factory=Settings)


def collect(
    wanted: Wanted,
    boundary: Boundary,
    client: Client,
    store: Store,
    signer: Signer | None,
    *,
    collector: Mapping[str, Any],
    clock: Callable[[], datetime],
    controls: Sequence[Control] = GITHUB_CONTROLS,
    next_key: str | None = None,
) -> Outcome:
    """Ask every check of the owner's repositories and record what they found.

    Reads only, but for *store*. Raises :class:`CannotLook` when the token is not accepted at all.
    A store or a key that refuses is told in the outcome.
    """
    now = clock()
    reader = Reader(client, clock)
    source = f"github-{wanted.owner}"
    past = Past(store, source, None)
    earlier = _unless_unseen(past.earlier)
    inquiry = _inquiry(wanted, _cursors(earlier), now)
    with tempfile.TemporaryDirectory(prefix="soc2-") as folder:
        files = RunFiles(Path(folder))

        def window(key: str) -> LiveGitHub:
            return LiveGitHub(
                reader, inquiry, files, key, lambda a, b: changes_elsewhere(store, source, a, b)
            )

        scope = Scope(wanted.owner, _caller(window(INVENTORY)), "", (), kind="github")
        with ThreadPoolExecutor(1, thread_name_prefix="inventory") as beside:
            facts = beside.submit(inventory, window(INVENTORY))
            assessment = assess(
                controls,
                lambda control: cast(Any, window(control.key)),
                scope,
                Context(boundary, now, past),
            )
            files.add("access.json", facts.result())
        if wanted.settings.export is not None:
            files.add("rulesets-export.json", _json(wanted.settings.export))
        reader.close()
        collected = {**collector, "github": _progress(client, inquiry, _cursors(earlier), wanted)}
        run = Run(run_id(now), scope, boundary, controls, assessment, now, clock(), collected)
        unsealed = _unless_unseen(lambda: past.unsealed(now)) or ()
        return seal(
            run, files, store, signer, earlier=earlier, unsealed=unsealed, next_key=next_key
        )


def _inquiry(wanted: Wanted, cursors: Mapping[str, Reach], now: datetime) -> Inquiry:
    """What to look at: since the last run, repository by repository, unless a window was given."""
    end = min(wanted.end or now, now)
    explicit = wanted.start is not None or wanted.end is not None
    return Inquiry(
        wanted.owner,
        wanted.repositories,
        wanted.start or end - FIRST_WINDOW,
        end,
        wanted.settings,
        {} if explicit else cursors,
        historic=end < now,
    )


def _cursors(earlier: Mapping[str, Any] | None) -> dict[str, Reach]:
    """Up to where each repository's changes have been seen, as the last run told."""
    told = ((earlier or {}).get("collector") or {}).get("github") or {}
    cursors: dict[str, Reach] = {}
    for name, reach in (told.get("seen_to") or {}).items():
        cursors[str(name)] = Reach(datetime.fromisoformat(reach["at"]), str(reach["head"]))
    return cursors


def _progress(
    client: Client, inquiry: Inquiry, cursors: Mapping[str, Reach], wanted: Wanted
) -> dict[str, Any]:
    """What the next run starts from. A window of one's own leaves it as it was: nobody knows what
    lies between."""
    seen_to = {name: {"head": r.head, "at": timestamp(r.since)} for name, r in cursors.items()}
    if wanted.start is None and wanted.end is None:
        at = timestamp(inquiry.until)
        seen_to |= {name: {"head": head, "at": at} for name, head in inquiry.seen.items()}
    return {
        "api_url": client.api_url,
        "requests": client.requests,
        "changes": {"from": timestamp(inquiry.since), "to": timestamp(inquiry.until)},
        "repositories": list(wanted.repositories) if wanted.repositories is not None else "all",
        "seen_to": dict(sorted(seen_to.items())),
    }


def _caller(github: LiveGitHub) -> str:
    """Whose token it is; an app's installation has no user behind it.

    Raises :class:`CannotLook` when the token is not accepted, or GitHub not reached, at all.
    """
    try:
        return f"github:{github.read(CALLER).get('login')}"
    except Refused as error:
        if error.status == 401:
            raise
        return "github: an app's installation, or a token that does not tell whose it is"


def _json(document: Any) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def _unless_unseen(look: Callable[[], Any]) -> Any:
    """``None`` where the ledger cannot be read: then the first window is looked at again."""
    try:
        return look()
    except CannotLook:
        return None
