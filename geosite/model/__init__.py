"""What a person writes down: layers, rules, criteria, scenarios."""

from geosite.model.base import Identifier, LayerId, Spec
from geosite.model.commodity import Commodities, Commodity
from geosite.model.criterion import Criterion, Reading
from geosite.model.layer import Agency, FieldSpec, Layer
from geosite.model.quantity import Hectares, Metres, Quantity
from geosite.model.rule import LandAuthorities, LandAuthority, Rule, RuleSet
from geosite.model.scenario import Evidence, GridSpec, Scenario
from geosite.model.source import FileSource, ManualSource, ServiceSource

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
