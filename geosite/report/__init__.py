"""A run as people read it: a map, two pages of text, and tables."""

from typing import TYPE_CHECKING, Any

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
from geosite.report.pages import citations_text, readme_text
from geosite.report.plan import no_site_text, plan_text
from geosite.report.tables import notice, site_table, write_table
from geosite.report.unlock import Unlocked, unlock_text

if TYPE_CHECKING:
    from geosite.report.map import render_map, write_map

__all__ = [
    "DISCLAIMER",
    "AuthorityLabel",
    "Content",
    "CriterionLabel",
    "DataYears",
    "LayerLabel",
    "OwnerLabel",
    "RuleLabel",
    "Unlocked",
    "citations_text",
    "content_of",
    "no_site_text",
    "notice",
    "plan_text",
    "read_layer",
    "read_sites",
    "reading",
    "readme_text",
    "render_map",
    "site_table",
    "unlock_text",
    "write_map",
    "write_table",
]


def __getattr__(name: str) -> Any:
    # Folium is slow to import, and wanted last.
    if name not in ("render_map", "write_map"):
        msg = f"module 'geosite.report' has no attribute {name!r}"
        raise AttributeError(msg)
    from geosite.report import map as map_  # noqa: PLC0415

    return getattr(map_, name)
