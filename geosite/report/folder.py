"""A run's folder, read again: its tables, its pictures, and what a map is made of."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyogrio
import rasterio
from rasterio._err import CPLE_BaseError
from rasterio.enums import Resampling

from geosite.context import FILE as CONTEXT
from geosite.errors import GeositeError, RunError
from geosite.model.quantity import parse
from geosite.report.cells import excluded_by
from geosite.report.content import (
    AuthorityLabel,
    Content,
    ContextLabel,
    CriterionLabel,
    DataYears,
    DecisionLabel,
    FetchedLabel,
    LayerLabel,
    LocalLabel,
    OwnerLabel,
    RuleLabel,
    UnaskedLabel,
)
from geosite.report.dossier_links import dossier_links
from geosite.report.pathways import pathway_labels, permit_labels, reliance_labels
from geosite.report.weightings import weighting_labels
from geosite.weighting import PER_MILLE, per_mille

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

PICTURE = 3600
"""Largest side of the surfaces that a map shows [cells]; the COGs keep every cell."""
LIKELIHOOD_BAND = 3
"""Band of ``likelihood.tif`` that the map shows: the percentile within the state."""
_LAYERS = ("sites", "parcels", "exclusions", "deposits", "aoi")
_UNREADABLE = (
    pyogrio.errors.DataSourceError,
    pyogrio.errors.DataLayerError,
    pyogrio.errors.FeatureError,
    rasterio.errors.RasterioError,
    CPLE_BaseError,
    pa.ArrowException,
    OSError,
    ValueError,
    LookupError,
    RuntimeError,
)
"""What the drivers raise on bytes that are not what they were."""


@contextmanager
def reading(file: Path) -> Iterator[Path]:
    """Say that a file is damaged where reading it fails inside.

    Raises
    ------
    RunError
        That names the file.
    """
    try:
        yield file
    except GeositeError:
        raise
    except _UNREADABLE as error:
        said = " ".join(str(error).split()) or type(error).__name__
        msg = f"{file}: is damaged: {said}; run the scenario again"
        raise RunError(msg) from None


_NEEDED = frozenset(("rank", "site_id", "name", "agency", "tier", "suitability", "notice"))
"""Columns that every run's sites have, without which nothing can be said of them."""


def read_sites(folder: Path) -> gpd.GeoDataFrame:
    """Ranked sites of a run, in the grid's CRS."""
    with reading(folder / "sites.parquet") as file:
        found = gpd.read_parquet(file)
        if missing := _NEEDED - {*found.columns}:
            msg = f"it has no column {', '.join(sorted(missing))}"
            raise ValueError(msg)
        return found


def read_layer(folder: Path, name: str) -> gpd.GeoDataFrame:
    """A layer of the run's ``sites.gpkg``."""
    with reading(folder / "sites.gpkg") as file:
        return pyogrio.read_dataframe(file, layer=name)


def read_context(folder: Path) -> tuple[dict[str, gpd.GeoDataFrame], tuple[str, ...]]:
    """What lies around the AOI, by name, in the grid's CRS, and what is wrong with it, in words.

    Nothing of the answer is in it: a run without it is whole, and so is one that lost it.
    """
    if not (folder / CONTEXT).exists():
        return {}, ()
    try:
        with reading(folder / CONTEXT) as file:
            names = [str(name) for name, _ in pyogrio.list_layers(file)]
            return {name: pyogrio.read_dataframe(file, layer=name) for name in names}, ()
    except RunError as error:
        return {}, (f"the map has no base, and the answer is whole without it: {error}",)


def content_of(folder: Path, manifest: Mapping[str, Any]) -> Content:
    """What a map and the pages show of a run, from its folder alone.

    Raises
    ------
    RunError
        If a file of it is damaged.
    """
    m = manifest
    frames = {n: read_layer(folder, n) for n in _LAYERS}
    asked = m["scenario"].get("footprint_fit") is not None
    frames["sites"] = read_sites(folder).drop(columns="notice")
    suitability, transform = _picture(folder / "suitability.tif")
    status, _ = _picture(folder / "status.tif")
    likely, likely_at = None, None
    if m.get("likelihood"):
        likely, likely_at = _picture(folder / "likelihood.tif", LIKELIHOOD_BAND)
    around = m.get("context", {})
    context, faults = read_context(folder) if around else ({}, ())
    years = m.get("data_years", {})
    shares = (per_mille([c["weight"] for c in m["criteria"]]) / PER_MILLE).tolist()
    lost = {x["layer"] for x in m["missing"]}
    decisive = _decisive(m)
    return Content(
        title=m["title"],
        aoi_name=m["aoi"],
        as_of=m["as_of"],
        marking=m["scenario"]["marking"],
        synthetic=m["synthetic"],
        project=m["scenario"]["project"],
        criteria=tuple(
            CriterionLabel(c["id"], c["title"], share, c["unit"], c["critical"], c["measure"])
            for c, share in zip(m["criteria"], shares, strict=True)
        ),
        rules=tuple(_rule(r) for r in m["rules"]),
        sites=frames["sites"],
        parcels=frames["parcels"],
        exclusions=frames["exclusions"],
        deposits=frames["deposits"],
        footprints=read_layer(folder, "footprints") if asked else None,
        aoi=frames["aoi"],
        suitability=suitability,
        status=status,
        transform=transform,
        crs=frames["aoi"].crs,
        owners=tuple(
            OwnerLabel(p["agency"], p["status"], p["parcels"], p["area_ha"], p["reason"])
            for p in m["parcels"]
        ),
        left_out=tuple(
            (reason, n["number"], n["area_ha"])
            for reason, n in m["left_out"].items()
            if n["number"]
        ),
        offered_ha=tuple(m["offered_ha"].values()),
        warnings=tuple(m["notes"]),
        unknown_rules=tuple(
            f"{r['title']} ({r['tier']}): no layer {r['layer']}"
            for r in m["rules"]
            if r["layer"] in lost
        ),
        layers=tuple(_layer(x, decisive) for x in m["layers"]),
        resolution=tuple(m.get("resolution", ())),
        unasked=tuple(
            UnaskedLabel(x["id"], x["title"], x["citation"], x["evidence"], x["reason"])
            for x in m.get("unasked", ())
        ),
        fetched=_fetched(m),
        years=DataYears(years.get("oldest"), years.get("newest"), tuple(years.get("undated", ()))),
        authorities=tuple(
            _authority(agency, e)
            for agency, entries in sorted(m.get("authorities", {}).items())
            for e in entries
        ),
        permits=permit_labels(m),
        pathways=pathway_labels(m),
        reliances=reliance_labels(m),
        potential=" ".join(str(v) for v in reversed(m.get("potential", {}).values())),
        likelihood=likely,
        likelihood_transform=likely_at,
        likelihood_leak_m=(m.get("likelihood") or {}).get("fitted", {}).get("leak_m"),
        reviews=m.get("reviews"),
        robustness=m.get("robustness"),
        combination=m["scenario"]["combination"],
        weightings=weighting_labels(m),
        missing=m["scenario"]["missing"],
        tiers=tuple(m["scenario"]["tiers"][k] for k in ("a", "b", "known")),
        context=context,
        context_labels={
            x["name"]: ContextLabel(_layer(x, ()), x.get("units", {}))
            for x in around.get("layers", ())
        },
        context_notes=(*around.get("notes", ()), *faults),
        excluded_by=partial(_excluded_by, folder, m, status.shape),
        dossier=dossier_links(folder),
    )


def _excluded_by(
    folder: Path, manifest: Mapping[str, Any], shape: tuple[int, int], rules: Collection[str]
) -> dict[str, NDArray[np.bool_]]:
    with reading(folder / "surfaces.zarr"):
        return excluded_by(folder, manifest, shape, rules)


def _layer(x: Mapping[str, Any], decisive: Collection[str]) -> LayerLabel:
    return LayerLabel(
        x["id"],
        x["title"],
        x["agency"],
        x["vintage"],
        x["licence"],
        x["citation"],
        x["status"],
        x.get("problems") or "",
        x["id"] in decisive,
    )


def _authority(agency: str, e: Mapping[str, Any]) -> AuthorityLabel:
    return AuthorityLabel(
        agency, e["authority"], e["citation"], e["disposal"], e["evidence"], e["note"] or ""
    )


def _rule(r: Mapping[str, Any]) -> RuleLabel:
    found = r.get("override")
    return RuleLabel(
        r["id"],
        r["title"],
        r["tier"],
        r["authority"],
        r["citation"],
        r["layer"],
        r.get("removed_ha", 0.0),
        r.get("alone_ha", 0.0),
        r.get("evidence") or "",
        tuple(r["exceptions"]),
        r.get("consultation") or "",
        tuple(r.get("permits", ())),
        r.get("who_can_act") or "",
        r.get("note") or "",
        _dates(r.get("valid_from"), r.get("valid_to")),
        tuple(
            LocalLabel(
                x["place"],
                x["instead"],
                x["authority"],
                x["citation"],
                x["evidence"],
                "; ".join(
                    t for t in (x.get("note"), _dates(x.get("valid_from"), x.get("valid_to"))) if t
                ),
            )
            for x in r.get("local", ())
        ),
        DecisionLabel(found["instead"], found["of"], found["basis"], found.get("case") or "")
        if found
        else None,
        *_distances(r.get("treatment") or {}),
    )


def _distances(treatment: Mapping[str, Any]) -> tuple[float, float, float | None]:
    """Setback of a rule and its widest [m], and the factor on scores.

    Examples
    --------
    >>> _distances({"setback": "100 m", "factor": 0.5})
    (100.0, 100.0, 0.5)
    >>> by_voltage = {"steps": [{"from_": 100.0, "setback": "1 km"}], "at_most": None}
    >>> _distances({"setback": "15 m", "scaled": by_voltage})
    (15.0, 1000.0, None)
    """
    own = parse(treatment.get("setback") or "0 m", "m")
    scaled = treatment.get("scaled") or {}
    steps = [x["setback"] for x in scaled.get("steps", ())] + [scaled.get("at_most")]
    widest = max([own, *(parse(t, "m") if isinstance(t, str) else float(t) for t in steps if t)])
    return own, widest, treatment.get("factor")


def _dates(begin: str | None, end: str | None) -> str:
    return " ".join([*([f"from {begin}"] if begin else []), *([f"until {end}"] if end else [])])


def _fetched(m: Mapping[str, Any]) -> tuple[FetchedLabel, ...]:
    files = [f for x in m["layers"] for f in x.get("files", ()) if f.get("url")]
    found = {
        FetchedLabel(f["path"], f["url"], f.get("retrieved") or "", f.get("edited") or "")
        for f in files
    }
    return tuple(sorted(found, key=lambda f: (f.path, f.url)))


def _decisive(m: Mapping[str, Any]) -> set[str]:
    """Layers that say whose land it is, where minerals are, or what a hard rule excludes."""
    found = {*m["scenario"]["land"]["layers"]}
    found |= {*(m["scenario"].get("evidence") or {}).get("layers", ())}
    found |= {r["layer"] for r in m["rules"] if r["tier"] in ("exclude", "require")}
    for x in m["layers"]:  # a layer made of others is as good as they are
        if x["id"] in found:
            found |= {*x.get("union_of", ())}
    return found


def _picture(path: Path, band: int = 1) -> tuple[NDArray[Any], Any]:
    # An overview keeps the corner of the cells that it stands for, so it lies half a cell of its
    # own off; the file itself is read at the middle of each.
    with reading(path), rasterio.open(path, overview_level="NONE") as file:
        scale = max(1.0, max(file.shape) / PICTURE)
        shape = tuple(int(np.ceil(n / scale)) for n in file.shape)
        values = file.read(band, out_shape=shape, resampling=Resampling.nearest)
        across, down = file.width / shape[1], file.height / shape[0]
        return values, file.transform * file.transform.scale(across, down)
