"""A run as people read it: a map, two pages of text, and tables."""

from typing import TYPE_CHECKING, Any

from geosite.report.cells import store_of
from geosite.report.content import (
    DISCLAIMER,
    AuthorityLabel,
    Content,
    CriterionLabel,
    DataYears,
    LayerLabel,
    OwnerLabel,
    RuleLabel,
)
from geosite.report.folder import content_of, read_layer, read_sites, reading
from geosite.report.front import write_front
from geosite.report.pages import citations_text, readme_text
from geosite.report.pairing import Paired, pairing_sketch, pairing_text
from geosite.report.plan import no_site_text, plan_text
from geosite.report.portfolio import Chosen, portfolio_sketch, portfolio_text
from geosite.report.reviews import changes_text, overlay_text, write_reviews
from geosite.report.shapes import anchors as site_points
from geosite.report.tables import notice, site_table, write_table
from geosite.report.unlock import Unlocked, unlock_text

if TYPE_CHECKING:
    from geosite.report.sketch_page import write_sketch

__all__ = [
    "DISCLAIMER",
    "AuthorityLabel",
    "Chosen",
    "Content",
    "CriterionLabel",
    "DataYears",
    "LayerLabel",
    "OwnerLabel",
    "Paired",
    "RuleLabel",
    "Unlocked",
    "changes_text",
    "citations_text",
    "content_of",
    "no_site_text",
    "notice",
    "overlay_text",
    "pairing_sketch",
    "pairing_text",
    "plan_text",
    "portfolio_sketch",
    "portfolio_text",
    "read_layer",
    "read_sites",
    "reading",
    "readme_text",
    "site_points",
    "site_table",
    "store_of",
    "unlock_text",
    "write_front",
    "write_reviews",
    "write_sketch",
    "write_table",
]


def __getattr__(name: str) -> Any:
    # Folium is slow to import, and wanted last.
    if name != "write_sketch":
        msg = f"module 'geosite.report' has no attribute {name!r}"
        raise AttributeError(msg)
    from geosite.report import sketch_page  # noqa: PLC0415

    return sketch_page.write_sketch
