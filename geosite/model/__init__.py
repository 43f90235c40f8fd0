"""What a person writes down: layers, rules, criteria, scenarios."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geosite.model.base import Identifier, LayerId, Spec
    from geosite.model.commodity import Commodities, Commodity
    from geosite.model.criterion import Criterion, Reading
    from geosite.model.layer import Agency, FieldSpec, Layer
    from geosite.model.quantity import Hectares, Metres, Quantity
    from geosite.model.rule import LandAuthorities, LandAuthority, Rule, RuleSet
    from geosite.model.scenario import Evidence, GridSpec, Scenario
    from geosite.model.source import FileSource, ManualSource, ServiceSource

_HOME = {
    "base": ("Identifier", "LayerId", "Spec"),
    "commodity": ("Commodities", "Commodity"),
    "criterion": ("Criterion", "Reading"),
    "layer": ("Agency", "FieldSpec", "Layer"),
    "quantity": ("Hectares", "Metres", "Quantity"),
    "rule": ("LandAuthorities", "LandAuthority", "Rule", "RuleSet"),
    "scenario": ("Evidence", "GridSpec", "Scenario"),
    "source": ("FileSource", "ManualSource", "ServiceSource"),
}

__all__ = [
    "Agency",
    "Commodities",
    "Commodity",
    "Criterion",
    "Evidence",
    "FieldSpec",
    "FileSource",
    "GridSpec",
    "Hectares",
    "Identifier",
    "LandAuthorities",
    "LandAuthority",
    "Layer",
    "LayerId",
    "ManualSource",
    "Metres",
    "Quantity",
    "Reading",
    "Rule",
    "RuleSet",
    "Scenario",
    "ServiceSource",
    "Spec",
]


def __getattr__(name: str) -> Any:
    # Read when asked for: to rank a run anew, two of these modules are enough.
    home = next((module for module, names in _HOME.items() if name in names), None)
    if home is None:
        msg = f"module 'geosite.model' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"geosite.model.{home}"), name)
