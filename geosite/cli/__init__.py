"""The command line: its verbs hold no logic."""

from __future__ import annotations

import click

from geosite.cli import (
    analysis,
    backtest,
    layers,
    pair,
    portfolio,
    rank,
    review,
    stability,
    unlock,
)
from geosite.cli import (
    map as map_,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="geosite")
def main() -> None:
    """Ask where on US federal land a mine or a mineral refinery could go, and why not elsewhere."""


for _verb in (
    analysis.check,
    layers.fetch,
    layers.layers,
    layers.layer,
    layers.bundle,
    analysis.plan,
    analysis.run,
    map_.map_,
    map_.view,
    analysis.explain,
    rank.rank,
    review.review,
    unlock.unlock,
    stability.stability,
    portfolio.portfolio,
    pair.pair,
    backtest.backtest,
    analysis.demo,
):
    main.add_command(_verb)
