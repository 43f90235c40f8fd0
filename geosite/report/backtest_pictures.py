"""Pictures of a back-test: the success-rate curve and the prediction-area plot."""

from __future__ import annotations

import io
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from geosite.report import palette
from geosite.report.backtest_content import (
    ALL_LAND,
    LIKELIHOOD,
    PLAIN,
    TITLES,
    WITHIN_STATE,
    Backtest,
)
from geosite.report.text import plain
from geosite.validation import bootstrapped, crossing, interval, success_rate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STEPS = 201
_STYLE: Any = {"font.family": "DejaVu Sans", "font.size": 9.5}


def success_rate_png(found: Backtest) -> bytes:
    """Share of the sites in the best share of the land, with its interval, a scope a panel."""
    shares = np.linspace(0.0, 1.0, _STEPS)

    def draw(axes: Axes, scope: str) -> None:
        colours = {LIKELIHOOD: palette.SUITABILITY[6], PLAIN: palette.RANKS[4][1]}
        for name, scopes in found.standings.items():
            ranks = scopes[scope]
            low, high = interval(ranks.found(shares), seed=found.seed)
            area = bootstrapped(ranks.percentile, seed=found.seed)
            words = f"{TITLES[name]}: AUC {area.value:.3f} ({area.low:.3f}–{area.high:.3f})"
            colour = colours[name]
            axes.plot(100 * shares, 100 * success_rate(ranks, shares), color=colour, label=words)
            axes.fill_between(
                100 * shares, 100 * low, 100 * high, color=colour, alpha=0.18, linewidth=0
            )
        axes.plot([0, 100], [0, 100], color="#999999", linewidth=0.8, linestyle=":")
        axes.set(
            xlabel=f"best land [% of {TITLES[scope]}]", ylabel="known sites found [%]",
            xlim=(0, 100), ylim=(0, 100),
        )  # fmt: skip
        axes.legend(loc="lower right", frameon=False, fontsize=8.5)

    return _png(found, "Success rate", draw, " Bands: 95 % of sites drawn anew.")


def prediction_area_png(found: Backtest) -> bytes:
    """Prediction-area plot: sites and land at or above each likelihood, a scope a panel."""
    taken = np.linspace(0.0, 1.0, _STEPS)

    def draw(axes: Axes, scope: str) -> None:
        ranks = found.standings[LIKELIHOOD][scope]
        rate, at = success_rate(ranks, taken), crossing(ranks)
        # Land is drawn from the top down, so that the curves cross.
        axes.plot(
            100 * (1 - taken), 100 * rate, color=palette.SUITABILITY[6], label="known sites [%]"
        )
        axes.plot(
            100 * (1 - taken), 100 * (1 - taken), color=palette.RANKS[4][1],
            label="land [%], from the top",
        )  # fmt: skip
        axes.plot([100 * (1 - at)], [100 * (1 - at)], "o", color="#222222", markersize=5)
        words = f"{100 * (1 - at):.0f} % of the sites on {100 * at:.0f} % of the land"
        said = f"They cross at {words}."
        axes.set(
            xlabel=f"likelihood at least this percentile of {TITLES[scope]} [%]",
            ylabel="known sites at or above [%]", xlim=(0, 100), ylim=(0, 100),
        )  # fmt: skip
        beside = axes.twinx()
        beside.set(ylim=(100, 0), ylabel="land at or above [%]")
        # Beside the curves: they may run anywhere.
        axes.set_title(said, loc="left", fontsize=8.5)
        axes.legend(
            loc="upper left", bbox_to_anchor=(0, -0.1), ncols=2, frameon=False, fontsize=8.5
        )

    return _png(found, "Prediction-area plot of the evidence surface", draw)


def _png(found: Backtest, title: str, draw: Any, more: str = "") -> bytes:
    from matplotlib import rc_context  # noqa: PLC0415 -- slow to import, and drawn last
    from matplotlib.figure import Figure as Drawing  # noqa: PLC0415

    out = io.BytesIO()
    world = "SYNTHETIC WORLD. " if found.synthetic else ""
    with rc_context(_STYLE):
        drawing = Drawing(figsize=(12, 6.2), dpi=110)
        for k, scope in enumerate((WITHIN_STATE, ALL_LAND)):
            axes = drawing.add_axes((0.06 + 0.5 * k, 0.2, 0.39, 0.63))
            axes.grid(visible=True, color="#e4e4e0", linewidth=0.6, zorder=0)
            draw(axes, scope)
        head = f"{world}{title}: {plain(found.title, 80)}, {plain(found.aoi, 40)}"
        head = "\n".join(textwrap.wrap(head, 105))
        drawing.text(0.06, 0.93, _shown(head), fontsize=12, va="bottom")
        n = found.counted["in"]
        under = (
            f"{plain(found.about, 120)}; {n:,} on land of the AOI. Evidence within "
            f"{found.leak_m / 1000:g} km of them was taken out.{more}"
        )
        drawing.text(0.06, 0.885, _shown(under), fontsize=8.5, color="#444444")
        foot = "\n".join(textwrap.wrap(f"{found.notice}", 170))
        drawing.text(0.06, 0.02, _shown(foot), fontsize=7.5, color="#444444", va="bottom")
        drawing.savefig(out, format="png", metadata={"Software": "geosite"})
    return out.getvalue()


def _shown(words: str) -> str:
    # A dollar sign would begin a formula.
    return words.replace("$", r"\$")
