"""Time and memory as the world grows: the same question, on demo worlds of one density."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from command import Command
from machine import ROOT
from measured import FailedCommandError, measured

from geosite.demo import AOI

if TYPE_CHECKING:
    from collections.abc import Sequence

SCENARIO = ROOT / "benchmarks/conus/scenario.yaml"
SEED = 1
BASE = 50_000_000
"""Cells of the world that the others are compared with."""
BYTES_A_CELL = 12
"""Free disk that a world and its run are taken to need, a cell."""
_MAKE = """
import sys
from pathlib import Path
from geosite.demo import make_world
make_world(Path(sys.argv[1]), cells=int(sys.argv[2]), seed=int(sys.argv[3]))
"""


def world(work: Path, cells: int) -> Path:
    """Folder of a demo world; made unless it is there."""
    folder = work / f"world-{cells}-{SEED}"
    # Its page is written last.
    if not (folder / "README.md").exists():
        print(f"making a world of {cells:,} cells (not timed)", flush=True)
        folder.mkdir(parents=True, exist_ok=True)
        took = measured(
            [sys.executable, "-c", _MAKE, folder, str(cells), str(SEED)],
            folder=work,
            environment={"PYTHONPATH": str(ROOT)},
        )
        print(f"made in {took.wall_s:.0f} s with {took.peak_bytes / 1e9:.1f} GB", flush=True)
    return folder


def asked(folder: Path) -> list[str | Path]:
    """Arguments by which the question is asked of a world."""
    return [SCENARIO, "--layers", folder / "layers", "--data", folder / "data", "--aoi", AOI]


def growth(work: Path, sizes: Sequence[int], extra: Sequence[str]) -> dict[str, Any]:
    """One row a size.

    Parameters
    ----------
    extra : sequence of str
        Further options of ``geosite run``, such as ``--memory``.
    """
    command = Command(work / "growth")
    rows = []
    for cells in sizes:
        free = shutil.disk_usage(work).free
        if free < cells * BYTES_A_CELL:
            reason = f"{free / 1e9:.0f} GB of disk are free; about "
            reason += f"{cells * BYTES_A_CELL / 1e9:.0f} GB are wanted"
            rows.append({"cells": cells, "failed": reason})
            print(f"{cells:,} cells: {reason}", flush=True)
            continue
        try:
            arguments = asked(world(work, cells))
            if not any("wall_s" in r for r in rows):
                # Once unmeasured, so that the smallest world does not pay for compiling.
                command.run(arguments).forget()
            row = _row(command, arguments, extra)
        except FailedCommandError as error:
            row = {"cells": cells, "failed": str(error)}
        print(f"{cells:,} cells: {_said(row)}", flush=True)
        rows.append(row)
    base = next((r["us_per_cell"] for r in rows if _is_base(r)), None)
    for row in rows:
        if base and "us_per_cell" in row:
            row["time_per_cell_to_50M"] = round(row["us_per_cell"] / base, 3)
    return {"seed": SEED, "options": list(extra), "rows": rows}


def _is_base(row: dict[str, Any]) -> bool:
    return "us_per_cell" in row and abs(row["cells"] / BASE - 1) < 0.01


def _said(row: dict[str, Any]) -> str:
    if "failed" in row:
        return str(row["failed"])
    return f"{row['wall_s']:.1f} s, {row['peak_bytes'] / 1e9:.2f} GB"


def _row(command: Command, arguments: list[str | Path], extra: Sequence[str]) -> dict[str, Any]:
    known = command.options("plan")
    also = [w for w in _pairs(extra) if w[0] in known]
    promised = command.promised_bytes([*arguments, *(part for pair in also for part in pair)])
    done = command.run([*arguments, *extra])
    said, took = done.manifest, done.took
    cells = said["grid"]["cells"]
    row = {
        "cells": cells,
        **took.said(),
        "promised_bytes": promised,
        "peak_to_promised": round(took.peak_bytes / promised, 2) if promised else None,
        "us_per_cell": round(1e6 * took.wall_s / cells, 4),
        "sites": said["sites"],
        "criteria": len(said["criteria"]),
        "exclusions": sum(r["tier"] == "exclude" for r in said["rules"]),
        "laps_s": said["timings_s"],
        "tiles": said.get("tiles"),
    }
    done.forget()
    return row


def _pairs(extra: Sequence[str]) -> list[tuple[str, ...]]:
    # Options with what follows each of them.
    found: list[tuple[str, ...]] = []
    for word in extra:
        if word.startswith("--"):
            found.append((word,))
        elif found:
            found[-1] = (*found[-1], word)
    return found
