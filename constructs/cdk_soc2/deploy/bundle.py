"""The code of our Lambda functions as zip files, byte for byte the same wherever they are made."""

from __future__ import annotations

import ast
import hashlib
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from cdk_soc2.boundary import Boundary

PACKAGE = Path(__file__).parents[1]
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment a zip file can say
MODE = 0o100644 << 16
UNIX = 3


def collector_zip(boundary: Boundary) -> bytes:
    """The collector's handler, what it imports of ``cdk_soc2``, and *boundary* as ``boundary.json``."""
    return archive({**_code("collector"), "boundary.json": boundary.body})


def settings_zip() -> bytes:
    """The handler of account settings, what it imports, and every control's ``setting.py``."""
    settings = sorted(PACKAGE.glob("controls/*/setting.py"))
    return archive(_code("settings", also=[_module(path) for path in settings]))


def code_sha256(zip_file: bytes) -> str:
    """The digest of *zip_file* in hex, as in evidence; Lambda tells the same in base64."""
    return hashlib.sha256(zip_file).hexdigest()


def archive(files: Mapping[str, bytes]) -> bytes:
    """A zip of *files* by name.

    Stored, not compressed: another zlib compresses to other bytes, and the digest would differ.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as zip_file:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system = UNIX
            entry.external_attr = MODE
            zip_file.writestr(entry, files[name])
    return out.getvalue()


def handler(function: str) -> Path:
    """Where the handler of *function* lies: in the wheel, or beside ``constructs/`` in a checkout."""
    for folder in (PACKAGE / "_lambda", PACKAGE.parents[1] / "lambda"):
        path = folder / function / "handler.py"
        if path.is_file():
            return path
    raise FileNotFoundError(
        f"no handler of {function!r} in {PACKAGE / '_lambda'} nor in {PACKAGE.parents[1] / 'lambda'}; "
        "install cdk-soc2 from its wheel, or work in a whole checkout"
    )


def _code(function: str, also: Iterable[str] = ()) -> dict[str, bytes]:
    """The files of *function*: its handler, and every module of ours that it reaches by imports.

    Following the imports, rather than listing what to leave out, keeps the CDK half and the command
    out for as long as nothing in the function needs them.
    """
    entry = handler(function)
    files = {"handler.py": entry.read_bytes()}
    todo = [*_imports(ast.parse(files["handler.py"]), package=""), *also]
    while todo:
        path = _path(todo.pop())
        if path is None:
            continue
        name = f"{PACKAGE.name}/{path.relative_to(PACKAGE).as_posix()}"
        if name in files:
            continue
        files[name] = path.read_bytes()
        module = _module(path)
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        todo += _imports(ast.parse(files[name]), package)
        todo += _parents(module)
    return files


def _imports(tree: ast.Module, package: str) -> Iterator[str]:
    """The full names of what *tree*, a module of *package*, imports, at its top or later."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                base = ".".join([*parts[: len(parts) - node.level + 1], *filter(None, [base])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _parents(module: str) -> Iterator[str]:
    """The packages that Python runs before it runs *module*."""
    while "." in module:
        module = module.rpartition(".")[0]
        yield module


def _path(module: str) -> Path | None:
    """The file of one of our modules; ``None`` for anything else."""
    first, *rest = module.split(".")
    if first != PACKAGE.name:
        return None
    stem = PACKAGE.joinpath(*rest)
    for path in (stem / "__init__.py", stem.with_suffix(".py")):
        if path.is_file() and path.is_relative_to(PACKAGE):
            return path
    return None


def _module(path: Path) -> str:
    parts = [PACKAGE.name, *path.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
