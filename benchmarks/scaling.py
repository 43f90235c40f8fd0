"""Strong scaling: one world on one and two workers, by threads and by processes; one answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agreement import fingerprints
from command import Command
from growth import asked, world
from measured import apart

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SCHEDULERS = ("threads", "processes")
WORKERS = (1, 2)
LEAST = 200_000_000
"""Cells of the smallest world on which scaling means something."""


def scaling(work: Path, cells: int, extra: Sequence[str]) -> dict[str, Any]:
    """Rows of scheduler × workers, and whether every one gave the same answer."""
    command = Command(work / "scaling")
    missing = {"--workers", "--scheduler"} - command.options("run")
    if missing:
        return {"failed": f"geosite run has no {' and no '.join(sorted(missing))}"}
    arguments = asked(world(work, cells))
    rows: list[dict[str, Any]] = []
    answers: list[dict[str, str]] = []
    # Once unmeasured on a small part of the way: what is compiled is compiled.
    command.run(asked(world(work, 1_000_000))).forget()
    for scheduler in SCHEDULERS:
        for workers in WORKERS:
            chosen = ["--scheduler", scheduler, "--workers", str(workers)]
            done = command.run([*arguments, *chosen, *extra])
            answers.append(apart(fingerprints, done.folder))
            rows.append(
                {
                    "scheduler": scheduler,
                    "workers": workers,
                    **done.took.said(),
                    "sites": done.manifest["sites"],
                    "laps_s": done.manifest["timings_s"],
                }
            )
            done.forget()
            print(f"{scheduler} × {workers}: {done.took.wall_s:.1f} s", flush=True)
    for row in rows:
        one = next(r for r in rows if r["scheduler"] == row["scheduler"] and r["workers"] == 1)
        row["speed_up"] = round(one["wall_s"] / row["wall_s"], 2)
        row["speed_up_tiles"] = round(one["laps_s"]["tiles"] / row["laps_s"]["tiles"], 2)
    differing = sorted({n for a in answers for n in a if a[n] != answers[0].get(n)})
    return {
        "cells": cells,
        "means_something": cells >= LEAST,
        "options": list(extra),
        "rows": rows,
        "same_answer": not differing,
        "compared": sorted(answers[0]),
        "differing": differing,
    }
