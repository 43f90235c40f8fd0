"""A drawing of readiness against supply impact, with the sites that no other beats in both."""

from __future__ import annotations

import io
import textwrap
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geosite.report import palette
from geosite.report.text import plain

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from geosite.report.content import Content

LABELLED = 12
"""Places on the front that are named; the others are counted."""
_NAMED = 2
"""Sites named at one place."""
_STYLE: Any = {
    # The same content gives the same bytes, and text stays text.
    "svg.hashsalt": "geosite",
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.parse_math": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
_READINESS = "Readiness, 0–1: 24 ⁄ (24 + months) × 4 ⁄ federal permits; further right is sooner"
_SUPPLY = "Supply impact, 0–1: import reliance and main supplier × weight of the evidence"


def write_front(content: Content, path: Path) -> bool:
    """Draw the front as SVG; without a site of which both axes are known nothing is written."""
    drawn = front_svg(content)
    if drawn is None:
        return False
    path.write_bytes(drawn)
    return True


def front_svg(content: Content) -> bytes | None:
    """SVG of the front; None where no site has both axes."""
    sites = content.sites
    if "readiness_front" not in sites:
        return None
    known = sites[sites["readiness"].notna() & sites["supply_impact"].notna()]
    if known.empty:
        return None
    from matplotlib import rc_context  # noqa: PLC0415 -- slow to import, and drawn last
    from matplotlib.figure import Figure  # noqa: PLC0415

    out = io.BytesIO()
    with rc_context(_STYLE), warnings.catch_warnings():
        # A name in letters that the font lacks is measured wrongly and still written.
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        figure = Figure(figsize=(9, 7))
        axes = figure.add_axes((0.09, 0.2, 0.87, 0.66))
        _points(axes, known)
        _words(figure, content, len(known), len(sites) - len(known))
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": "geosite"})
    return out.getvalue()


def _points(axes: Axes, known: pd.DataFrame) -> None:
    places = _places(known)
    front = places[places["front"]].sort_values(["x", "y"])
    rest = places[~places["front"]]
    size = 26 + 14 * np.log2(places["n"].to_numpy(float))
    style: dict[str, Any] = {"linewidths": 0.6, "zorder": 2}
    axes.scatter(
        rest["x"], rest["y"], s=size[~places["front"]], color=palette.SUITABILITY[4],
        edgecolors="white", label="other sites", **style,
    )  # fmt: skip
    axes.step(front["x"], front["y"], where="pre", color=palette.RANKS[2][1], linewidth=1, zorder=1)
    axes.scatter(
        front["x"], front["y"], s=size[places["front"]] + 14, color=palette.RANKS[1][1],
        edgecolors="white", marker="D", label="on the front", **{**style, "zorder": 3},
    )  # fmt: skip
    for x, y, words in front.tail(LABELLED)[["x", "y", "words"]].to_numpy().tolist():
        # What lies on the right is written to the left, so that it stays in the picture.
        side = "right" if x > 0.5 else "left"
        axes.annotate(
            words, (x, y), xytext=(-7 if side == "right" else 7, 5),
            textcoords="offset points", fontsize=8, ha=side,
        )  # fmt: skip
    if (more := len(front) - LABELLED) > 0:
        said = f"{more:,} places on the front are not named here; sites.csv has them"
        axes.text(0.99, 0.01, said, transform=axes.transAxes, ha="right", fontsize=8)
    axes.set(xlabel=_READINESS, ylabel=_SUPPLY, xlim=(0, 1.02), ylim=(0, 1.05))
    axes.grid(visible=True, color="#e4e4e0", linewidth=0.6, zorder=0)
    axes.legend(loc="best", frameon=False)


def _places(known: pd.DataFrame) -> pd.DataFrame:
    """Sites by their place in the drawing: ``x``, ``y``, ``n``, ``front``, ``words``."""
    # What is drawn and no more: parting a table of all columns takes seconds.
    drawn = [c for c in ("rank", "site_id", "name", "readiness_front") if c in known]
    keyed = known[drawn].assign(x=known["readiness"].round(6), y=known["supply_impact"].round(6))
    if "rank" in keyed:
        keyed = keyed.sort_values(["rank", "site_id"], kind="stable", na_position="last")
    rows = []
    for (x, y), group in keyed.groupby(["x", "y"], sort=True):
        names = [
            " ".join(filter(None, (plain(s.site_id, 30), plain(getattr(s, "name", ""), 30))))
            for s in group.head(_NAMED).itertuples(index=False)
        ]
        more = len(group) - len(names)
        words = "\n".join([*names, *([f"and {more:,} more"] if more else [])])
        rows.append((x, y, len(group), bool(group["readiness_front"].any()), words))
    return pd.DataFrame(rows, columns=["x", "y", "n", "front", "words"])


def _words(figure: Any, content: Content, known: int, unknown: int) -> None:
    world = "SYNTHETIC WORLD. " if content.synthetic else ""
    title = f"{world}Readiness against supply impact: {plain(content.title, 80)}"
    years = sorted({f"{r.source} ({r.year})" for r in content.reliances})
    sources = "; ".join(years) or "no figures"
    under = (
        f"{known:,} sites drawn, {unknown:,} not: one of the two is unknown. A larger mark is "
        "several sites. Neither axis enters suitability."
    )
    dates = "; ".join(f"{plain(p.title, 60)} {p.as_of}" for p in content.pathways if p.months)
    foot = (
        f"Months, as of their sources: {dates or 'none known'}. Net import reliance: {sources}. "
        f"{content.disclaimer} [{plain(content.marking, 120)}]"
    )
    figure.text(0.09, 0.945, "\n".join(textwrap.wrap(title, 90)), fontsize=12, va="center")
    figure.text(0.09, 0.885, under, fontsize=8.5, color="#444444")
    lines = textwrap.wrap(foot, 136, break_on_hyphens=False)
    figure.text(0.09, 0.02, "\n".join(lines), fontsize=7.5, color="#444444", va="bottom")
