"""A run as people read it: a map, two pages of text, and tables."""

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
from geosite.report.map import render_map, write_map
from geosite.report.pages import citations_text, readme_text
from geosite.report.plan import no_site_text, plan_text
from geosite.report.tables import notice, site_table, write_table

__all__ = [
    "DISCLAIMER",
    "AuthorityLabel",
    "Content",
    "CriterionLabel",
    "DataYears",
    "LayerLabel",
    "OwnerLabel",
    "RuleLabel",
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
    "write_map",
    "write_table",
]
