"""A folder as a vault: created whole or not at all, and nothing outside it is touched."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cdk_soc2.evidence.folder import FolderStore
from cdk_soc2.evidence.layout import key_name, statement_name
from cdk_soc2.evidence.store import Exists, NotAFile, StoreRefused
from tests.evidence.vault import SOURCE, check, fill, folder, found, key


def test_put_creates_and_never_overwrites(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "deep" / "vault")
    store.put("a/b", b"one")
    with pytest.raises(Exists):
        store.put("a/b", b"two")
    assert store.get("a/b") == b"one"
    assert [v.key for v in store.versions()] == ["a/b"]


def test_put_takes_a_file(tmp_path: Path) -> None:
    (tmp_path / "spool").write_bytes(b"x" * 3_000_000)
    store = FolderStore(tmp_path / "vault")
    store.put("a", tmp_path / "spool")
    assert [(v.key, v.size, v.latest, v.deleted) for v in store.versions()] == [
        ("a", 3_000_000, True, False)
    ]


def test_keys_come_in_the_order_of_s3(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    keys = ["a-b/x", "a/x", "a.x", "a/é", "a/z", "b"]
    for name in keys:
        store.put(name, b"")
    assert [v.key for v in store.versions()] == sorted(keys, key=str.encode)
    assert [v.key for v in store.versions("a/")] == ["a/x", "a/z", "a/é"]
    assert [v.key for v in store.versions("a/z")] == ["a/z"]
    assert [v.key for v in store.versions("c/")] == []


@pytest.mark.parametrize(
    "key", ["", "/etc/passwd", "../x", "a/../../x", "a//b", "./a", "a/", "a\0b"]
)
def test_path_tricks(tmp_path: Path, key: str) -> None:
    store = FolderStore(tmp_path / "vault")
    for attempt in (lambda: store.put(key, b"x"), lambda: store.get(key)):
        with pytest.raises(StoreRefused):
            attempt()
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("key", ["none", "none/none", "file/below"])
def test_absent(tmp_path: Path, key: str) -> None:
    store = FolderStore(tmp_path)
    store.put("file", b"")
    with pytest.raises(KeyError):
        store.get(key)


def test_no_folder_is_an_empty_vault(tmp_path: Path) -> None:
    assert not [*FolderStore(tmp_path / "none").versions()]


def test_a_folder_where_a_file_should_be(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put("a/b", b"")
    with pytest.raises(NotAFile):
        store.get("a")
    with pytest.raises(StoreRefused):
        store.put("a/b/c", b"")


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "vault").mkdir()
    (tmp_path / "vault" / "daily").symlink_to(tmp_path / "outside")
    store = FolderStore(tmp_path / "vault")
    with pytest.raises(StoreRefused):
        store.put("daily/x", b"")
    assert not [*(tmp_path / "outside").iterdir()]
    assert [v.key for v in store.versions("daily/")] == []


STATUS = folder(2) + "control-status.json"
ANSWERS = folder(2) + "answers/control-0.ndjson"
SECOND = statement_name(SOURCE, 2)
KEY = key_name(key(SOURCE).keyid)


def link(root: Path, name: str) -> None:
    """Move a file or folder out of the vault and leave a link to it: the same bytes, but outside."""
    moved = root.parent / "moved"
    (root / name).rename(moved)
    (root / name).symlink_to(moved)


def loop(root: Path, name: str) -> None:
    (root / name).symlink_to(root)


def pipe(root: Path, name: str) -> None:
    (root / name).unlink()
    os.mkfifo(root / name)


def folder_for_file(root: Path, name: str) -> None:
    (root / name).unlink()
    (root / name).mkdir()


HOSTILE = [
    (link, STATUS, {("tampered", 2, STATUS)}),
    (link, SECOND, {("tampered", 2, SECOND)}),
    (link, KEY, {("key", None, KEY)}),
    (link, folder(2) + "answers", {("unlisted", 2, folder(2) + "answers"), ("missing", 2, ANSWERS)}),
    (link, f"ledger/{SOURCE}", {("unfinished", None, folder(1)), ("unfinished", None, folder(2)),
                                ("unlisted", None, f"ledger/{SOURCE}")}),
    (loop, folder(2) + "loop", {("unlisted", 2, folder(2) + "loop")}),
    (loop, "daily/loop", {("unlisted", None, "daily/loop")}),
    (pipe, STATUS, {("tampered", 2, STATUS)}),
    (pipe, SECOND, {("tampered", 2, SECOND)}),
    (folder_for_file, STATUS, {("missing", 2, STATUS)}),
]  # fmt: skip


@pytest.mark.parametrize(("do", "name", "expect"), HOSTILE)
def test_hostile_vault(
    tmp_path: Path, do: Callable[[Path, str], None], name: str, expect: set[tuple[str, int, str]]
) -> None:
    store = FolderStore(tmp_path / "vault")
    fill(store, 2, (SOURCE,))
    do(tmp_path / "vault", name)
    assert set(found(check(store))) == expect


def test_a_vault_deeper_than_the_stack(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    fill(store, 1, (SOURCE,))
    deep = folder(1) + "d/" * 1500 + "x"
    try:
        store.put(deep, b"")
    except StoreRefused as error:
        pytest.skip(f"this system has no paths so long: {error}"[:80])
    try:
        assert found(check(store)) == [("unlisted", 1, deep)]
    finally:
        subprocess.run(["rm", "-rf", tmp_path / "daily"], check=True)  # pytest's own would recurse


def test_names_that_are_no_text(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    fill(store, 1, (SOURCE,))
    (tmp_path / folder(1) / os.fsdecode(b"\xff\x1b[31m")).write_bytes(b"")
    assert [kind for kind, _, _ in found(check(store))] == ["unlisted"]
