"""A dossier on disk: pages, tables and layers, whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyogrio

from geosite.disk import assembled
from geosite.report.dossier_pages import index_html, page_names, site_html
from geosite.report.dossier_tables import finding_table, gap_table, spatial_layers
from geosite.report.tables import write_table

if TYPE_CHECKING:
    from pathlib import Path

    from geosite.report.dossier_content import Dossier


def written(dossier: Dossier, folder: Path) -> Path:
    """Write a dossier; gives its folder, or the first numbered one that is free.

    Raises
    ------
    RunError
        If it cannot be written: no space, no permission. Nothing is left then.
    """
    return assembled(folder, lambda new: _fill(dossier, new))


def _kind(layer: str) -> str:
    ends = {"_lines": "MultiLineString", "_points": "MultiPoint"}
    return next((kind for end, kind in ends.items() if layer.endswith(end)), "MultiPolygon")


def _fill(dossier: Dossier, folder: Path) -> None:
    names = page_names(dossier)
    (folder / "index.html").write_text(index_html(dossier), encoding="utf-8")
    for page in dossier.pages:
        path = folder / names[page.site_id]
        path.write_text(site_html(dossier, page), encoding="utf-8")
    write_table(finding_table(dossier), folder / "dossier.csv", notice=dossier.notice)
    write_table(gap_table(dossier), folder / "not_examined.csv", notice=dossier.notice)
    for name, frame in spatial_layers(dossier).items():
        pyogrio.write_dataframe(
            frame,
            folder / "dossier.gpkg",
            layer=name,
            driver="GPKG",
            geometry_type=_kind(name),
            layer_metadata={"notice": dossier.notice},
        )
