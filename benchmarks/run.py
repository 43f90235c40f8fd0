"""The benchmark: runs its parts, prints their tables, writes results.json and the README's tables.

    python benchmarks/run.py --parts nv90,distances --repeat 3

A part that is not run keeps its earlier result. Nothing here is timed by the test suite.
"""

from __future__ import annotations

import argparse
import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distances import distances
from growth import growth
from machine import ROOT, machine, stamp, versions
from measured import FailedCommandError, apart
from nv90 import nv90, workload
from scaling import scaling
from tables import filled, marked, tables

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).resolve().parent
RESULTS, README = HERE / "results.json", HERE / "README.md"
PARTS = ("nv90", "distances", "growth", "scaling")


def _numbers(text: str) -> list[int]:
    return [int(float(part)) for part in text.split(",")]


def options() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", default=",".join(PARTS), help="some of %(default)s")
    parser.add_argument(
        "--peers",
        type=Path,
        default=ROOT.parent / "shared/bench",
        help="folder of workload.py, naive.py and grass_job.sh",
    )
    parser.add_argument("--data", type=Path, help="folder of nv90/; made in --work by default")
    parser.add_argument(
        "--work", type=Path, default=HERE / "work", help="worlds, caches, run folders"
    )
    parser.add_argument("--repeat", type=int, default=3, help="runs of each tool on nv90")
    parser.add_argument(
        "--growth", type=_numbers, default="10e6,50e6,200e6,1.65e9", help="cells of the worlds"
    )
    parser.add_argument("--scaling", type=float, default=200e6, help="cells of the world")
    parser.add_argument(
        "--options",
        default="",
        help="further options of geosite run for growth and scaling, in one word: "
        "--options='--memory \"2 GB\"'",
    )
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument(
        "--tables", action="store_true", help="measure nothing; write the README's tables again"
    )
    asked = parser.parse_args()
    if unknown := set(asked.parts.split(",")) - set(PARTS):
        parser.error(
            f"no part is called {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}"
        )
    return asked


def main() -> None:
    """Run what was asked for."""
    asked = options()
    if not asked.tables:
        _measure(asked)
    _write_tables(asked.results)


def _measure(asked: argparse.Namespace) -> None:
    work, results = asked.work.resolve(), _read(asked.results)
    work.mkdir(parents=True, exist_ok=True)
    peers = asked.peers.resolve()
    data = (asked.data or work).resolve()
    extra = shlex.split(asked.options)
    known = versions()
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "nv90": lambda: nv90(peers, data, work / "nv90-runs", repeat=asked.repeat),
        "distances": lambda: _distances(peers, data, asked.repeat),
        "growth": lambda: growth(work, asked.growth, extra),
        "scaling": lambda: scaling(work, int(asked.scaling), extra),
    }
    for name in asked.parts.split(","):
        if name in {"nv90", "distances"} and (reason := _without_peers(peers, data, name)):
            print(f"{name}: {reason}")
            results.setdefault(name, {"failed": reason})
            continue
        print(f"── {name}", flush=True)
        try:
            found = parts[name]()
        except FailedCommandError as error:
            # The parts after it are worth having all the same.
            found = {"failed": str(error)}
            print(f"{name}: {error}", flush=True)
        results[name] = found | {"measured": stamp(), "commit": known["commit"]}
        results["machine"] = machine() | {"versions": known}
        # After each part: the next one may take an hour.
        _write(asked.results, results)


def _distances(peers: Path, data: Path, repeat: int) -> dict[str, Any]:
    workload(peers, data)
    found: dict[str, Any] = apart(distances, data / "nv90", repeat=repeat)
    return found


def _without_peers(peers: Path, data: Path, name: str) -> str | None:
    # Distances need the workload only, and it may have been made elsewhere.
    if name == "distances" and (data / "nv90/dem.tif").exists():
        return None
    lost = [n for n in ("workload.py", "naive.py", "grass_job.sh") if not (peers / n).exists()]
    if not lost:
        return None
    return f"the folder of the peers has no {', '.join(lost)}; name it with --peers FOLDER"


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def _write(path: Path, results: dict[str, Any]) -> None:
    order = ("machine", *PARTS)
    whole = {name: results[name] for name in order if name in results}
    path.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _write_tables(path: Path) -> None:
    made, page = tables(_read(path)), README.read_text(encoding="utf-8")
    for name in marked(page):
        print(f"\n{name}\n{made[name]}", end="")
    # The committed page belongs to the committed results.
    if path.resolve() == RESULTS:
        README.write_text(filled(page, made), encoding="utf-8")


if __name__ == "__main__":
    main()
