"""Where a mine or a mineral refinery could go on US federal land, and why not elsewhere.

>>> import geosite as gs
>>> "mine/open-pit" in gs.preset_names()
True
"""

from geosite.catalog import (
    Catalog,
    Rulebook,
    official_layers,
    open_catalog,
    open_rulebook,
    open_scenario,
    preset_names,
)
from geosite.errors import GeositeError
from geosite.grid import Grid
from geosite.pipeline import Analysis, Plan, analyse, plan
from geosite.runs import Run, execute, open_run

__all__ = [
    "Analysis",
    "Catalog",
    "GeositeError",
    "Grid",
    "Plan",
    "Rulebook",
    "Run",
    "analyse",
    "execute",
    "official_layers",
    "open_catalog",
    "open_rulebook",
    "open_run",
    "open_scenario",
    "plan",
    "preset_names",
]
