"""The command line of geosite as the benchmark calls it: this checkout, with its own caches."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from machine import ROOT
from measured import Measured, measured

if TYPE_CHECKING:
    from collections.abc import Sequence

_OPTION = re.compile(r"^\s+(?:-\w, )?(--[\w-]+)", re.MULTILINE)
_MEMORY = re.compile(r"\bmemory\b\D*([\d.]+) ?([GM])B")


@dataclass(frozen=True, slots=True)
class Done:
    """A run that was measured; its folder is there until `forget`."""

    took: Measured
    folder: Path
    manifest: dict[str, Any]

    def forget(self) -> None:
        """Remove the run's folder: one of a nation takes gigabytes."""
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Command:
    """geosite with caches of its own, so that cold and warm mean something.

    Attributes
    ----------
    work : Path
        Caches, outputs and printed text go here.
    """

    work: Path

    @property
    def caches(self) -> Path:
        """Compiled loops, and whatever else a second run finds ready."""
        return self.work / "caches"

    @property
    def environment(self) -> dict[str, str]:
        """Caches by every name by which one is asked for."""
        return {
            "PYTHONPATH": str(ROOT),
            "NUMBA_CACHE_DIR": str(self.caches / "numba"),
            "XDG_CACHE_HOME": str(self.caches / "xdg"),
        }

    def options(self, verb: str) -> set[str]:
        """Names of the options that a verb has."""
        done = subprocess.run(
            [sys.executable, "-m", "geosite", verb, "--help"],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=True,
        )
        return set(_OPTION.findall(done.stdout))

    def cool(self) -> None:
        """Forget what earlier runs compiled or converted."""
        shutil.rmtree(self.caches, ignore_errors=True)

    def run(self, arguments: Sequence[str | Path]) -> Done:
        """Measure ``geosite run``."""
        self.work.mkdir(parents=True, exist_ok=True)
        took = measured(
            [sys.executable, "-m", "geosite", "run", *arguments, "--outputs", self.work / "runs"],
            folder=self.work,
            environment=self.environment,
        )
        folders = {p.parent for p in (self.work / "runs").rglob("run.json")}
        # Its last line on standard output is the folder; a bar may have been drawn beside it.
        named = [line.strip() for line in took.output.splitlines()]
        folder = next(Path(line) for line in reversed(named) if Path(line) in folders)
        return Done(took, folder, json.loads((folder / "run.json").read_text(encoding="utf-8")))

    def promised_bytes(self, arguments: Sequence[str | Path]) -> int | None:
        """Peak memory that ``geosite plan`` says a run will need; None if it says none."""
        self.work.mkdir(parents=True, exist_ok=True)
        took = measured(
            [sys.executable, "-m", "geosite", "plan", *arguments],
            folder=self.work,
            environment=self.environment,
        )
        found = _MEMORY.search(took.output)
        return round(float(found[1]) * {"G": 1e9, "M": 1e6}[found[2]]) if found else None
