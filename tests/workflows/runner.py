"""Runs a workflow's scripts as GitHub would, with artifacts in a folder and no GitHub at all."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.workflows.files import ROOT, jobs, workflow

EXPRESSION = re.compile(r"\$\{\{ *([\w.-]+) *\}\}")
# In the place of what a runner brings along, or of what was done once for all tests.
PROGRAMS = {
    "make": "exit 0",
    "npm": "exit 0",
    "gh": 'test "$1 $2 $4" = "run download --name" && cp "$ARTIFACTS/$5"/* .',
}


class StepFailed(AssertionError):
    """A step ended with another status than 0."""

    def __init__(self, name: str, said: str) -> None:
        super().__init__(f"{name}: {said}")
        self.name = name
        self.said = said


@dataclass
class Runner:
    """One run of the workflow at *path*; *files* are the repository."""

    path: Path
    scratch: Path
    environment: Mapping[str, str]
    files: Mapping[str, str]
    outputs: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    summary: str = ""

    def __post_init__(self) -> None:
        programs = self.scratch / "programs"
        programs.mkdir(parents=True)
        for name, does in PROGRAMS.items():
            (programs / name).write_text(f"#!/bin/sh\n{does}\n")
            (programs / name).chmod(0o755)

    @property
    def artifacts(self) -> Path:
        return self.scratch / "artifacts"

    def job(self, name: str) -> None:
        """Run the scripts of the job *name*, each job on a machine of its own."""
        folder = self.scratch / name
        folder.mkdir()
        for file, text in self.files.items():
            (folder / file).write_text(text)
        for shared in ("node_modules", ".venv"):
            (folder / shared).symlink_to(ROOT / shared)
        done: dict[str, dict[str, str]] = {}
        for step in jobs(self.path)[name]["steps"]:
            if "run" in step:
                done[step.get("id", "")] = self._script(step, folder)
            elif "upload-artifact" in step["uses"]:
                kept = self.artifacts / step["with"]["name"]
                kept.mkdir(parents=True)
                shutil.copy(folder / step["with"]["path"], kept)
        self.outputs[name] = {
            output: done[expression.split(".")[1]][expression.split(".")[-1]]
            for output, told in jobs(self.path)[name].get("outputs", {}).items()
            for expression in EXPRESSION.findall(told)
        }

    def _script(self, step: Mapping[str, Any], folder: Path) -> dict[str, str]:
        output, summary = folder / "output", folder / "summary"
        output.write_text("")
        given = {**workflow(self.path).get("env", {}), **step.get("env", {})}
        done = subprocess.run(
            ["bash", "-e", "-c", step["run"]],
            cwd=folder,
            env={
                **os.environ,
                **self.environment,
                "PATH": f"{self.scratch / 'programs'}{os.pathsep}{os.environ['PATH']}",
                "ARTIFACTS": str(self.artifacts),
                "GITHUB_RUN_ID": "1",
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(summary),
                **{k: EXPRESSION.sub(lambda m: self._value(m[1]), v) for k, v in given.items()},
            },
            capture_output=True,
            text=True,
        )
        if summary.exists():
            self.summary += summary.read_text()
            summary.unlink()
        if done.returncode:
            raise StepFailed(step["name"], done.stdout + done.stderr)
        return dict(line.split("=", 1) for line in output.read_text().splitlines())

    def _value(self, expression: str) -> str:
        match expression.split("."):
            case ["needs", job, "outputs", name]:
                return self.outputs[job][name]
            case _:
                return expression
