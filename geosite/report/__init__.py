"""A run as people read it: a map, two pages of text, and tables."""

from geosite.report.content import (
    DISCLAIMER,
    Content,
    CriterionLabel,
    LayerLabel,
    OwnerLabel,
    RuleLabel,
)
from geosite.report.map import render_map, write_map
from geosite.report.pages import citations_text, readme_text
from geosite.report.plan import plan_text
from geosite.report.tables import notice, site_table, write_table

__all__ = [
    "DISCLAIMER",
    "Content",
    "CriterionLabel",
    "LayerLabel",
    "OwnerLabel",
    "RuleLabel",
    "citations_text",
    "notice",
    "plan_text",
    "readme_text",
    "render_map",
    "site_table",
    "write_map",
    "write_table",
]
