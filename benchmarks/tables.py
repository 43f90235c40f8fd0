"""Tables of ``results.json`` for people, and the README with them between its markers.

Imports nothing of the benchmark, so that a test can hold the README to the results.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

_MARKED = re.compile(r"(<!-- table: ([a-z_]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_NAMES = {
    "geosite": "geosite, warm",
    "geosite_mapless": "geosite, warm, `--no-map`",
    "geosite_cold": "geosite, cold",
    "naive": "`naive.py`",
    "grass": "GRASS GIS",
    "xarray_spatial": "xarray-spatial (its part)",
    "atlite": "atlite (its part)",
}
_BARS = {
    "wall_naive": "whole process against `naive.py`, time",
    "wall_mapless_naive": "the same with `--no-map`",
    "wall_cold_naive": "the same with a cold geosite",
    "wall_grass": "whole process against GRASS, time",
    "wall_mapless_grass": "the same with `--no-map`",
    "wall_cold_grass": "the same with a cold geosite",
    "laps_naive": "opened files to ranked patches against `naive.py`, time",
    "memory_naive": "peak memory against `naive.py`",
    "memory_grass": "peak memory against GRASS",
    "same_part_naive_over_xarray_spatial": (
        "`naive.py` against xarray-spatial, time of the same part"
    ),
}
"""Every ratio says how many times the other's figure is geosite's: above 1 is better."""
_DATED = ("tools", "growth", "scaling", "distances")
"""Tables that say when their part was measured; the part's others follow them."""
_PAIRS = {
    "geosite_naive": "geosite, `naive.py`",
    "geosite_grass": "geosite, GRASS",
    "naive_grass": "`naive.py`, GRASS",
    "xarray_spatial_naive": "xarray-spatial, `naive.py`",
}
QUIET = 0.2
"""Cores that other work may take before a measurement is called a trial."""


def tables(results: Mapping[str, Any]) -> dict[str, str]:
    """Markdown by the name of its marker; a part that was not run says so."""
    makers = {
        "machine": ("machine", _machine),
        "tools": ("nv90", _tools),
        "laps": ("nv90", _laps),
        "ratios": ("nv90", _ratios),
        "agreement": ("nv90", _agreement),
        "differences": ("nv90", _differences),
        "growth": ("growth", _growth),
        "scaling": ("scaling", _scaling),
        "distances": ("distances", _distances),
    }
    found = {}
    for name, (part, maker) in makers.items():
        content = results.get(part)
        if not content:
            found[name] = "*Not measured yet.*\n"
        elif "failed" in content:
            found[name] = f"*Not measured: {content['failed']}.*\n"
        else:
            dated = _when(content) if name in _DATED else ""
            found[name] = maker(content) + dated
    return found


def filled(text: str, made: Mapping[str, str]) -> str:
    """A page with every marked table replaced.

    Raises
    ------
    KeyError
        If the page asks for a table that there is none of.
    """
    return _MARKED.sub(lambda m: f"{m[1]}{made[m[2]]}{m[3]}", text)


def marked(text: str) -> list[str]:
    """Names of the tables that a page asks for."""
    return [m[2] for m in _MARKED.finditer(text)]


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    head = list(head)
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "".join(f"| {' | '.join(str(c) for c in line)} |\n" for line in lines)


def _when(content: Mapping[str, Any]) -> str:
    if "measured" not in content:
        return ""
    text = f"\nMeasured {content['measured']}, commit {content['commit']}.\n"
    taken = _elsewhere(content)
    if max(taken, default=0.0) > QUIET:
        text += (
            f"\n**A trial, not a result:** during {sum(t > QUIET for t in taken)} of {len(taken)} "
            f"runs something else kept the machine busy, up to {max(taken):.1f} cores.\n"
        )
    return text


def _elsewhere(content: object) -> list[float]:
    # Of every single run, however deep in the part.
    if isinstance(content, Mapping):
        if "runs" in content:
            return _elsewhere(content["runs"])
        own = [content["elsewhere"]] if "elsewhere" in content else []
        return own + [t for value in content.values() for t in _elsewhere(value)]
    if isinstance(content, list):
        return [t for value in content for t in _elsewhere(value)]
    return []


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} s"


def _gb(value: float | None) -> str:
    return "–" if value is None else f"{value / 1e9:.2f} GB"


def _machine(content: Mapping[str, Any]) -> str:
    skip = {"measured", "commit", "versions"}
    lines = [f"{k.replace('_', ' ')}: {v}" for k, v in content.items() if k not in skip]
    said = ", ".join(f"{n} {v}" for n, v in content["versions"].items())
    return "; ".join(lines) + f".\n\nVersions: {said}.\n"


def _tools(content: Mapping[str, Any]) -> str:
    rows = []
    for name, tool in content["tools"].items():
        if "failed" in tool:
            rows.append([_NAMES[name], f"failed: {tool['failed']}", "", "", "", ""])
            continue
        rows.append(
            [
                _NAMES[name],
                _seconds(tool["wall_s"]),
                _seconds(tool["cpu_s"]),
                _gb(tool["peak_bytes"]),
                _seconds(tool["files_to_patches_s"])
                if "geosite" in name or name == "naive"
                else "–",
                len(tool["runs"]),
            ]
        )
    head = ["", "wall", "processor", "peak memory", "opened files to ranked patches", "runs"]
    return _table(head, rows)


def _laps(content: Mapping[str, Any]) -> str:
    rows = [
        [_NAMES[name], ", ".join(f"{n} {s:.2f}" for n, s in tool["laps_s"].items())]
        for name, tool in content["tools"].items()
        if tool.get("laps_s")
    ]
    lines = _table(["", "laps [s]"], rows)
    return lines + f"\nNot counted as analysis: {', '.join(content['not_compared'])}.\n"


def _ratios(content: Mapping[str, Any]) -> str:
    rows = []
    for name, ratio in content["ratios"].items():
        bar = content["bars"].get(name)
        verdict = "" if bar is None else ("met" if ratio >= bar else "missed")
        rows.append([_BARS[name], f"{ratio:.2f} ×", f"{bar:g} ×" if bar else "–", verdict])
    return _table(["", "measured", "bar", ""], rows)


def _agreement(content: Mapping[str, Any]) -> str:
    found = content["agreement"]
    patches = _table(
        ["", "patches of 50 cells or more", "their cells", "their mean suitability"],
        (
            [_NAMES[n], f"{p['patches']:,}", f"{p['cells']:,}", f"{p['mean_suitability']:.4f}"]
            for n, p in found["patches"].items()
        ),
    )
    pairs = []
    for name, pair in found.items():
        if name == "patches":
            continue
        s = pair["surface"]
        within = pair.get("within_bars")
        pairs.append(
            [
                _PAIRS[name],
                f"{pair['patches_pct']:+.2f} %" if within is not None else "–",
                f"{pair['mean_difference']:+.4f}" if within is not None else "–",
                {True: "yes", False: "no", None: "–"}[within],
                f"{s['mean_absolute_difference']:.5f}",
                f"{s['p99_absolute_difference']:.4f}",
                f"{s['cells_beyond_bar_pct']:.2f} %",
                f"{s['cells_in_second_only']:,}",
                f"{s['cells_in_first_only']:,}",
            ]
        )
    head = [
        "pair (A, B)",
        "patches",
        "mean of patches",
        "within 1 % and 0.005",
        "cells: mean difference",
        "99th percentile",
        "cells beyond 0.005",
        "eligible in A only",
        "in B only",
    ]
    text = f"{patches}\n{_table(head, pairs)}"
    if "geosite_naive" in found and not found["geosite_naive"]["surface"]["same_cells"]:
        text += (
            "\nThe cells of geosite do not lie where those of the workload do: each is compared "
            "with the one that holds its centre.\n"
        )
    shared = found.get("geosite_naive", {}).get("shared_area_pct")
    if shared is not None:
        text += f"\nOf the land in patches of geosite or `naive.py`, {shared} % is in both.\n"
    return text


def _differences(content: Mapping[str, Any]) -> str:
    if "differences" not in content:
        return "*Not measured.*\n"
    text = []
    for tool, rungs in content["differences"].items():
        said = content["agreement"]["patches"].get(tool)
        if not said:
            continue
        rows = [
            [
                ("" if k == 0 else "+ ") + r["change"],
                f"{r['patches']:,}",
                f"{r['cells']:,}",
                f"{r['mean_suitability']:.4f}",
                f"{100 * (said['patches'] / r['patches'] - 1):+.2f} %",
                f"{said['mean_suitability'] - r['mean_suitability']:+.4f}",
            ]
            for k, r in enumerate(rungs)
        ]
        found = [f"{said['patches']:,}", f"{said['cells']:,}", f"{said['mean_suitability']:.4f}"]
        rows.append([f"**{_NAMES[tool]}**", *found, "", ""])
        left = [f"{tool} has, in patches", "in their mean"]
        head = [f"towards {_NAMES[tool]}", "patches", "their cells", "mean suitability", *left]
        text.append(_table(head, rows))
    land = re.search(r"before slope (\d+)", content["tools"].get("atlite", {}).get("said", ""))
    if land:
        ours = content["differences"]["geosite"][0]["cells_before_slope"]
        text.append(
            f"Offered and not excluded, before slope: {int(land[1]):,} cells by atlite, "
            f"{ours:,} by the conventions of `naive.py`.\n"
        )
    return "\n".join(text)


def _growth(content: Mapping[str, Any]) -> str:
    rows = []
    for r in content["rows"]:
        if "failed" in r:
            rows.append([f"{r['cells'] / 1e6:,.0f} M", r["failed"], *[""] * 6])
            continue
        ratio = r.get("time_per_cell_to_50M")
        rows.append(
            [
                f"{r['cells'] / 1e6:,.0f} M",
                _seconds(r["wall_s"]),
                _seconds(r["cpu_s"]),
                _gb(r["peak_bytes"]),
                _gb(r["promised_bytes"]),
                "–" if r["peak_to_promised"] is None else f"{r['peak_to_promised']:.2f}",
                f"{r['us_per_cell']:.3f}",
                "–" if ratio is None else f"{ratio:.2f}",
            ]
        )
    head = [
        "cells",
        "wall",
        "processor",
        "peak memory",
        "plan's estimate",
        "peak / estimate",
        "µs a cell",
        "time a cell, to that at 50 M",
    ]
    return _table(head, rows) + _options(content)


def _options(content: Mapping[str, Any]) -> str:
    return f"\nOptions: `{shlex.join(content['options'])}`.\n" if content.get("options") else ""


def _scaling(content: Mapping[str, Any]) -> str:
    rows = [
        [
            r["scheduler"],
            r["workers"],
            _seconds(r["wall_s"]),
            _seconds(r["cpu_s"]),
            _gb(r["peak_bytes"]),
            f"{r['speed_up']:.2f} ×",
            f"{r['speed_up_tiles']:.2f} ×",
        ]
        for r in content["rows"]
    ]
    head = [
        "scheduler",
        "workers",
        "wall",
        "processor",
        "peak memory",
        "against one",
        "tiles alone, against one",
    ]
    same = (
        "All gave the same answer"
        if content["same_answer"]
        else f"**The answers differ**: {', '.join(content['differing'])}"
    )
    compared = ", ".join(content["compared"])
    text = f"{_table(head, rows)}\n{content['cells'] / 1e6:,.0f} M cells. {same} ({compared}).\n"
    if not content["means_something"]:
        text += "\nThe world is smaller than 200 M cells: this only tries the harness out.\n"
    return text + _options(content)


def _distances(content: Mapping[str, Any]) -> str:
    rows = [
        [
            r["library"],
            f"{r['active_pct']:g} %",
            f"{r['one_thread_s']:.2f} s",
            f"{r['two_threads_s']:.2f} s",
            f"{r['speed_up']:.2f} ×",
            f"{r['longest_hold_pct']} %",
            "–" if r["own_two_threads_s"] is None else f"{r['own_two_threads_s']:.2f} s",
            f"{r['ns_per_active_cell']:.0f} ns",
            f"{r['cells_that_differ_pct']:g} %",
        ]
        for r in content["rows"]
    ]
    head = [
        "library",
        "active cells",
        "one thread",
        "two threads over tiles",
        "speed-up",
        "longest hold of Python's lock",
        "its own two threads",
        "one thread, an active cell",
        "differ from the whole",
    ]
    roots = content["opencv_roots_that_differ_pct"]
    text = (
        f"\nTiles of {content['tile']:,} cells with a halo of {content['halo']}; "
        f"{content['burnt_pct']} % of the cells are railway. Before they are squared and rounded, "
        f"OpenCV's distances differ from those of the whole in {roots['ipp']:g} % of the cells "
        f"where it may use Intel's primitives, in {roots['own']:g} % by its own code, which is "
        "the one in the table.\n"
    )
    return _table(head, rows) + text
