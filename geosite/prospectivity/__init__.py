"""What known deposits say about land where none is recorded: likelihood, and how sure it is."""

from geosite.prospectivity.ground import Ground
from geosite.prospectivity.likelihood import Likelihood, likelihood, per_commodity, plain_sum
from geosite.prospectivity.rings import RingSums
from geosite.prospectivity.strata import known_deposits, removed_near
from geosite.prospectivity.terrain import terrain

__all__ = [
    "Ground",
    "Likelihood",
    "RingSums",
    "known_deposits",
    "likelihood",
    "per_commodity",
    "plain_sum",
    "removed_near",
    "terrain",
]
