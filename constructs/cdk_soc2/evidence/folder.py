"""Evidence in a folder: for a first look without AWS, and for an auditor's copy."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path

from cdk_soc2.evidence.store import Exists, NotAFile, StoreRefused, Version

_READ = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class FolderStore:
    """A vault in the folder *path*, which is made at the first write.

    Nothing outside the folder is read or written: symbolic links are listed, never followed. A file
    is written beside the vault's top folders and linked to its name, so it is there whole or not at
    all.
    """

    def __init__(self, path: str | Path) -> None:
        self._root = os.path.realpath(path)

    @property
    def address(self) -> str:
        return self._root

    def versions(self, prefix: str = "") -> Iterator[Version]:
        start, _, _ = prefix.rpartition("/")
        if start and not self._is_folder(start):
            return
        # A stack, not recursion: a hostile vault may be deeper than Python's own stack.
        pending = self._entries(start)
        while pending:
            key, entry = pending.pop()
            if not key.startswith(prefix):
                continue
            try:
                if entry.is_dir(follow_symlinks=False):
                    pending.extend(self._entries(key))
                    continue
                seen = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # a writer's temporary name, gone meanwhile
            modified = datetime.fromtimestamp(seen.st_mtime, UTC)
            yield Version(key, "null", True, False, seen.st_size, modified)

    def open(self, key: str, version: str | None = None) -> FileIO:
        path = self._path(key)
        if version not in (None, "null"):
            raise KeyError(key)
        self._refuse_links(key)
        try:
            fd = os.open(path, _READ)
        except (FileNotFoundError, NotADirectoryError):
            raise KeyError(key) from None
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
                raise NotAFile(self._says(key, error, "replace it with a plain file")) from None
            raise StoreRefused(self._says(key, error, "make it readable for this user")) from error
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise NotAFile(f"{self._root}: {key!r} is not a plain file; it was not read")
        return FileIO(fd, "rb")

    def get(self, key: str, version: str | None = None) -> bytes:
        with self.open(key, version) as file:
            return file.readall()

    def put(self, key: str, body: bytes | Path) -> None:
        target = self._path(key)
        temporary = f"{self._root}{os.sep}.incoming-{secrets.token_hex(8)}"
        try:
            Path(self._root).mkdir(parents=True, exist_ok=True)
            self._make_folders(key)
            try:
                self._write(temporary, body)
                os.link(temporary, target, follow_symlinks=False)
            finally:
                Path(temporary).unlink(missing_ok=True)
            self._sync(target.rpartition(os.sep)[0])
        except FileExistsError:
            raise Exists(f"{self._root}: {key!r} is there already") from None
        except OSError as error:
            remedy = "use a folder this user may write, on a file system with hard links"
            raise StoreRefused(self._says(key, error, remedy)) from error

    def _path(self, key: str) -> str:
        steps = key.split("/")
        if "\0" in key or any(s in ("", ".", "..") for s in steps):
            raise StoreRefused(
                f"{self._root}: {key!r} is no path inside the vault; name it from the vault's root"
            )
        if os.sep != "/" and (os.sep in key or ":" in key):
            raise StoreRefused(f"{self._root}: {key!r} cannot be a file's name on this system")
        return self._root + os.sep + key.replace("/", os.sep)

    def _refuse_links(self, key: str) -> None:
        at = self._root
        for step in key.split("/")[:-1]:
            at = f"{at}{os.sep}{step}"
            try:
                mode = os.lstat(at).st_mode
            except (FileNotFoundError, NotADirectoryError):
                raise KeyError(key) from None
            except OSError as error:
                raise StoreRefused(self._says(key, error, "shorten or repair the path")) from error
            if stat.S_ISLNK(mode):
                raise NotAFile(
                    f"{self._root}: {key!r} passes through a symbolic link; it was not followed"
                )

    def _is_folder(self, key: str) -> bool:
        try:
            self._path(key)
            self._refuse_links(f"{key}/x")
            return Path(self._root, key).is_dir()
        except (KeyError, StoreRefused):
            return False

    def _entries(self, key: str) -> list[tuple[str, os.DirEntry[str]]]:
        """The folder's entries as S3 would order their keys, last first."""
        above = f"{key}/" if key else ""
        try:
            with os.scandir(f"{self._root}{os.sep}{key}") as entries:
                found = [(above + e.name, e) for e in entries]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise StoreRefused(self._says(key, error, "make it readable for this user")) from error
        found.sort(key=_s3_order, reverse=True)
        return found

    def _make_folders(self, key: str) -> None:
        at = self._root
        for step in key.split("/")[:-1]:
            above, at = at, f"{at}{os.sep}{step}"
            try:
                Path(at).mkdir()
                self._sync(above)
            except FileExistsError:
                if not stat.S_ISDIR(os.lstat(at).st_mode):
                    raise NotAFile(
                        f"{self._root}: {key!r} passes through what is no folder: {at}"
                    ) from None

    @staticmethod
    def _write(path: str, body: bytes | Path) -> None:
        with os.fdopen(os.open(path, _WRITE, 0o644), "wb") as file:
            if isinstance(body, bytes):
                file.write(body)
            else:
                with body.open("rb") as source:
                    shutil.copyfileobj(source, file, 1 << 20)
            file.flush()
            os.fsync(file.fileno())

    @staticmethod
    def _sync(folder: str) -> None:
        if os.name != "posix":
            return  # other systems cannot open a folder to flush it
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def _says(self, key: str, error: OSError, remedy: str) -> str:
        code = errno.errorcode.get(error.errno or 0, "?")
        return f"{self._root}: {key!r}: {code} ({error.strerror}); {remedy}"


def _s3_order(found: tuple[str, os.DirEntry[str]]) -> bytes:
    key, entry = found
    name = os.fsencode(key)
    return name + b"/" if entry.is_dir(follow_symlinks=False) else name
