"""Attributes of features, as a criterion or a rule asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geosite.errors import CatalogError, LayerDataError

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from geosite.model.layer import Layer


def attribute(frame: gpd.GeoDataFrame, field: str, layer: Layer, asker: str) -> pd.Series[Any]:
    """What the features say in a field: (features,), as they are.

    Parameters
    ----------
    asker : str
        Who names the field, in messages: "the criterion".

    Raises
    ------
    CatalogError
        If there is no such field.
    """
    if field not in frame:
        there = ", ".join(c for c in frame.columns if c != frame.geometry.name)
        msg = (
            f"layer {layer.id} has no field {field!r}; it has {there or 'none'}; map it in the "
            f"layer's fields, or name another in {asker}"
        )
        raise CatalogError(msg)
    column: pd.Series[Any] = frame[field]
    return column


def amounts(frame: gpd.GeoDataFrame, field: str, layer: Layer) -> NDArray[np.int64]:
    """Whole amounts of the features: (features,); what is not told counts nothing.

    Raises
    ------
    LayerDataError
        If anything there is no number.
    """
    said = attribute(frame, field, layer, "the criterion")
    values = pd.to_numeric(said, errors="coerce")
    if (wrong := said.notna() & values.isna()).any():
        raise LayerDataError(_no_numbers(said[wrong], field, layer))
    whole: NDArray[np.int64] = np.rint(values.fillna(0)).to_numpy(np.int64)
    return whole


def numbers(frame: gpd.GeoDataFrame, field: str, layer: Layer) -> NDArray[np.float64]:
    """Numbers of the features: (features,); NaN where one is not told or cannot be read.

    Raises
    ------
    LayerDataError
        If all that is told is no number: the field is another than was meant.
    """
    said = attribute(frame, field, layer, "the rule")
    values = pd.to_numeric(said, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    wrong = said.notna() & np.isnan(values)
    if wrong.any() and np.isnan(values).all():
        raise LayerDataError(_no_numbers(said[wrong], field, layer))
    return np.where(np.isfinite(values), values, np.nan)


def _no_numbers(wrong: pd.Series[Any], field: str, layer: Layer) -> str:
    return (
        f"layer {layer.id}: field {field} holds {str(wrong.iloc[0])[:60]!r}, expected numbers; "
        "declare it with type: number, or name another field"
    )
