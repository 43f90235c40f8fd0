"""The law of coordinate reference systems: a file carries what its layer declares."""

from __future__ import annotations

from math import isclose
from typing import TYPE_CHECKING

from geosite.crs import parsed_crs, same_crs
from geosite.errors import CRSMismatchError

if TYPE_CHECKING:
    from pyproj import CRS

    from geosite.catalog import Catalog
    from geosite.model.layer import Layer

_LEAST_CONFIDENCE = 100


def declared_crs(layer: Layer, catalog: Catalog) -> CRS:
    """CRS in which a layer is read; that of its first part if a union names none."""
    if layer.crs is None and layer.union_of:
        return declared_crs(catalog[layer.union_of[0]], catalog)
    return parsed_crs(layer.crs or "", f"layer {layer.id}: crs")


def checked_crs(carried: CRS | None, declared: CRS, layer: Layer, name: str) -> tuple[str, ...]:
    """Remarks on a CRS that the file and the catalogue agree on.

    A definition that names no datum, as PROJ.4 strings leave behind, contradicts
    nothing as long as its ellipsoid, projection and units are the declared ones:
    the declaration then says the datum, and a remark says so.

    Raises
    ------
    CRSMismatchError
        If the file carries none, or another one.
    """
    said = layer.crs
    if carried is None:
        msg = (
            f"{name}: carries no coordinate reference system; layer {layer.id} declares {said}, "
            "and a CRS is never guessed; write the true one into the file (a .prj beside a "
            "shapefile, gdal_edit or ogr2ogr -a_srs for others)"
        )
        raise CRSMismatchError(msg)
    carried, declared = _horizontal(carried), _horizontal(declared)
    if same_crs(carried, declared) or _identified(carried, declared):
        return ()
    if not _same_but_for_the_datum(carried, declared):
        msg = (
            f"{name}: carries {_words(carried)}, but layer {layer.id} declares {said} "
            f"({declared.name}); if the file is right, write crs: {_short(carried)} in the "
            "catalogue; if its tag is wrong, correct the file (gdal_edit or ogr2ogr -a_srs)"
        )
        raise CRSMismatchError(msg)
    datum = declared.datum.name if declared.datum else declared.name
    return (f"{name}: its CRS names no datum; {datum} is taken, as layer {layer.id} declares",)


def _horizontal(crs: CRS) -> CRS:
    # Heights are dropped on reading, so a CRS with a vertical axis is judged without it.
    return (crs.sub_crs_list[0] if crs.is_compound else crs).to_2d()


def _same_but_for_the_datum(carried: CRS, declared: CRS) -> bool:
    bare = carried.source_crs if carried.is_bound and carried.source_crs else carried
    if bare.datum is None or not bare.datum.name.lower().startswith("unknown"):
        return False
    one, other = bare.ellipsoid, declared.ellipsoid
    if one is None or other is None or _parameters(bare).keys() != _parameters(declared).keys():
        return False
    wanted = _parameters(declared)
    return (
        isclose(one.semi_major_metre, other.semi_major_metre, rel_tol=1e-9)
        and isclose(one.inverse_flattening, other.inverse_flattening, rel_tol=1e-9)
        and _units(bare) == _units(declared)
        and all(isclose(v, wanted[k], abs_tol=1e-9) for k, v in _parameters(bare).items())
    )


def _parameters(crs: CRS) -> dict[str, float]:
    operation = crs.coordinate_operation
    if operation is None:
        return {}
    found = {p.name: float(p.value) * p.unit_conversion_factor for p in operation.params}
    return {f"method {operation.method_name}": 0.0, **found}


def _units(crs: CRS) -> list[float]:
    return [axis.unit_conversion_factor for axis in crs.axis_info]


def _identified(carried: CRS, declared: CRS) -> bool:
    # A shapefile spells datums in Esri's words, which no comparison of text sees through.
    found = carried.to_authority(min_confidence=_LEAST_CONFIDENCE)
    wanted = declared.to_authority(min_confidence=_LEAST_CONFIDENCE)
    return found is not None and found == wanted


def _short(crs: CRS) -> str:
    found = crs.to_authority(min_confidence=70)
    return ":".join(found) if found else "<its authority code>"


def _words(crs: CRS) -> str:
    found = crs.to_authority(min_confidence=70)
    return f"{':'.join(found)} ({crs.name})" if found else crs.name
