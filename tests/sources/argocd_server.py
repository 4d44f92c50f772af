"""An Argo CD on loopback, held in a table: it keeps ten syncs, hides what a token may not get, and
fails when it is told to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

SCHEMA: dict[str, Any] = json.loads((Path(__file__).parent / "argocd.schema.json").read_text())[
    "definitions"
]
TOKEN = "head.eyJzdWIiOiAiY2k6YXBpS2V5In0.sign"  # of ci:apiKey
START = datetime(2026, 10, 1, 9, 0, tzinfo=UTC)


def rfc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def sync(id: int, at: datetime | None = None, by: str | None = "ada") -> dict[str, Any]:
    """One entry of a history; without a time, one a day from the start."""
    at = at or START + timedelta(days=id)
    return {
        "id": id,
        "revision": f"{id:040x}",
        "deployStartedAt": rfc(at - timedelta(seconds=9)),
        "deployedAt": rfc(at),
        "initiatedBy": {"username": by} if by else {"automated": True},
        "source": {"repoURL": "https://git.example.com/shop", "path": "deploy"},
    }


def app(
    name: str, *ids: int, uid: str = "1", made: datetime = START, **changed: Any
) -> dict[str, Any]:
    """An application with these entries in its history, synced well."""
    history = [sync(id) for id in ids]
    body: dict[str, Any] = {
        "metadata": {
            "name": name,
            "namespace": "argocd",
            "uid": f"{uid}-{name}",
            "creationTimestamp": rfc(made),
        },
        "spec": {
            "project": "shop",
            "destination": {"server": "https://kubernetes.default.svc", "namespace": name},
            "source": {"repoURL": "https://git.example.com/shop", "path": "deploy"},
        },
        "status": {
            "health": {"status": "Healthy"},
            "sync": {"status": "Synced", "revision": "f" * 40},
            "history": history,
            "summary": {"images": ["registry.example.com/shop@sha256:" + "0" * 64]},
        },
    }
    if history:
        body["status"]["operationState"] = {
            "phase": "Succeeded",
            "operation": {"sync": {"revision": "f" * 40}},
            "startedAt": history[-1]["deployStartedAt"],
            "finishedAt": history[-1]["deployedAt"],
        }
    for path, value in changed.items():
        at, *steps = body, *path.split("__")
        for step in steps[:-1]:
            at = at.setdefault(step, {})
        if value is None:
            at.pop(steps[-1], None)
        else:
            at[steps[-1]] = value
    return body


@dataclass
class FakeArgoCd:
    """:param apps: those that are there. :param hidden: names that the token may not get.
    :param can: what ``can-i`` answers; ``None`` for a server that has no such question.
    :param spoiled: by path, what is answered instead: (status, body, headers), the first few times.
    """

    apps: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    hidden: tuple[str, ...] = ()
    can: str | None = "yes"
    spoiled: dict[str, list[tuple[int, Any, dict[str, str]]]] = field(default_factory=dict)
    listing: Mapping[str, Any] = field(default_factory=dict)
    stalls: float = 0
    asked: list[str] = field(default_factory=list[str])

    def __enter__(self) -> Self:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                fake.asked.append(self.path)
                time.sleep(fake.stalls)
                status, body, headers = fake.answer(
                    self.path, self.headers.get("Authorization", "")
                )
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def answer(self, path: str, given: str) -> tuple[int, Any, dict[str, str]]:
        parts = urlsplit(path)
        if self.spoiled.get(parts.path):
            return self.spoiled[parts.path].pop(0)
        if given != f"Bearer {TOKEN}":
            return 401, error(16, "invalid session: token is malformed"), {}
        query, steps = parse_qs(parts.query), unquote(parts.path).strip("/").split("/")[2:]
        if steps == ["applications"]:
            wanted = query.get("projects", [])
            seen = [a for a in self._seen() if not wanted or a["spec"]["project"] in wanted]
            return 200, {"metadata": {}, "items": seen or None, **self.listing}, {}
        if steps[0] == "applications":
            return self._one(steps[1], query)
        if steps[:2] == ["account", "can-i"] and self.can is not None:
            return 200, {"value": self.can}, {}
        return 404, error(5, "Not Found"), {}

    def _seen(self) -> list[dict[str, Any]]:
        return [a for a in self.apps if a.get("metadata", {}).get("name") not in self.hidden]

    def _one(self, name: str, query: Mapping[str, list[str]]) -> tuple[int, Any, dict[str, str]]:
        if name in self.hidden or "project" not in query:
            return 403, error(7, "permission denied"), {}
        for a in self.apps:
            if a["metadata"]["name"] == name:
                return 200, a, {}
        return 404, error(5, f'applications.argoproj.io "{name}" not found'), {}


def error(code: int, message: str) -> dict[str, Any]:
    return {"error": message, "code": code, "message": message}


def breaches(value: Any, kind: Mapping[str, Any], where: str = "$") -> list[str]:
    """Where *value* is not what Argo CD's own description says."""
    if "$ref" in kind:
        return breaches(value, SCHEMA[kind["$ref"].rpartition("/")[2]], where)
    types = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
    wanted = types.get(kind.get("type", ""), object)
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        return [f"{where}: {value!r} is no {kind.get('type')}"]
    if kind.get("format") == "date-time" and datetime.fromisoformat(value).tzinfo is None:
        return [f"{where}: {value!r} has no zone"]
    if isinstance(value, list):
        return [b for n, v in enumerate(value) for b in breaches(v, kind["items"], f"{where}[{n}]")]
    if not isinstance(value, dict) or "properties" not in kind:
        return []
    found = [f"{where}.{k} is not described" for k in value if k not in kind["properties"]]
    for k, v in value.items():
        if k in kind["properties"]:
            found += breaches(v, kind["properties"][k], f"{where}.{k}")
    return found
