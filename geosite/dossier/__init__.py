"""The dossier: what official layers and the rulebook say of some sites, on exact outlines."""

from geosite.dossier.areas import Areas, drawn
from geosite.dossier.asking import Means, of_areas, of_run
from geosite.dossier.writing import written

__all__ = ["Areas", "Means", "drawn", "of_areas", "of_run", "written"]
