"""Where a mine or a mineral refinery could go on US federal land, and why not elsewhere.

>>> import geosite as gs
>>> "mine/open-pit" in gs.preset_names()
True
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geosite.capacity import Means
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
    from geosite.pipeline import Analysis, analyse
    from geosite.planning import Plan, plan
    from geosite.reviews import open_overlay, reviewed
    from geosite.runs import Run, execute, open_run
    from geosite.sources.holdings import holdings_root

_HOME = {
    "Analysis": "pipeline",
    "Catalog": "catalog",
    "GeositeError": "errors",
    "Grid": "grid",
    "Means": "capacity",
    "Plan": "planning",
    "Rulebook": "catalog",
    "Run": "runs",
    "analyse": "pipeline",
    "execute": "runs",
    "holdings_root": "sources.holdings",
    "official_layers": "catalog",
    "open_catalog": "catalog",
    "open_overlay": "reviews",
    "open_rulebook": "catalog",
    "open_run": "runs",
    "open_scenario": "catalog",
    "plan": "planning",
    "preset_names": "catalog",
    "reviewed": "reviews",
}

__all__ = [
    "Analysis",
    "Catalog",
    "GeositeError",
    "Grid",
    "Means",
    "Plan",
    "Rulebook",
    "Run",
    "analyse",
    "execute",
    "holdings_root",
    "official_layers",
    "open_catalog",
    "open_overlay",
    "open_rulebook",
    "open_run",
    "open_scenario",
    "plan",
    "preset_names",
    "reviewed",
]


def __getattr__(name: str) -> Any:
    # Imported when asked for: a command that reads two YAML files need not wait
    # for compiled loops and geometry engines.
    if name not in _HOME:
        msg = f"module 'geosite' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"geosite.{_HOME[name]}"), name)
