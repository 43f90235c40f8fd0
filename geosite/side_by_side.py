"""Two finished runs on one map: which of their sites are the same, and what differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shapely

from geosite.comparison import matches
from geosite.crs import projected
from geosite.errors import RunError
from geosite.map.comparing import Compared, render_comparison, write_comparison
from geosite.map.saving import size_notes
from geosite.question import since
from geosite.runs import content

if TYPE_CHECKING:
    from pathlib import Path

    import folium

    from geosite.report import Content
    from geosite.runs import Run


def comparison_map(left: Run, right: Run) -> folium.Map:
    """Two runs on one map, which shows itself in a notebook.

    Raises
    ------
    RunError
        If they are the same run.
    """
    one, other = _contents(left, right)
    return render_comparison(one, other, compared(left, right, one, other))


def write_comparison_map(
    left: Run, right: Run, path: Path, *, max_mb: float = 10.0, max_sites: int = 10_000
) -> tuple[str, ...]:
    """Save two runs as one HTML file; gives what has to be said of the two, in words.

    Parameters
    ----------
    left, right : Run
        Two different runs, of one scenario or of two, on one AOI or on two.
    path : Path
        Where the page goes.
    max_mb : float
        Largest size of the page [MB of 10⁶ bytes].

    Raises
    ------
    RunError
        If they are the same run, or the page cannot be written.
    """
    if not path.parent.is_dir():
        msg = f"{path}: there is no folder {path.parent}; make it, or give another place with --out"
        raise RunError(msg)
    one, other = _contents(left, right)
    both = compared(left, right, one, other)
    new = path.with_name(f".{path.name}.partial")
    try:
        notes = write_comparison(one, other, both, new, max_mb=max_mb, max_sites=max_sites)
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        msg = f"{path}: the map could not be written: {error}; give another place with --out"
        raise RunError(msg) from None
    return (*_apart(one, other), *notes, *size_notes(path, max_mb))


def compared(left: Run, right: Run, one: Content, other: Content) -> Compared:
    """What two runs have in common and what not; sites are matched by id, then by land."""
    there = projected(other.sites, one.sites.crs)
    pairs = matches(one.sites, there)
    both = pairs[(pairs["before"] >= 0) & (pairs["after"] >= 0)]
    ids, others = one.sites["site_id"].astype(str), there["site_id"].astype(str)
    same = dict(zip(ids.iloc[both["before"]], others.iloc[both["after"]], strict=True))
    differs = [*_apart(one, other)]
    if one.aoi_name != other.aoi_name:
        differs.append(f"the AOI was {one.aoi_name} and is {other.aoi_name}")
    if one.as_of != other.as_of:
        differs.append(f"the rules are those of {one.as_of} and of {other.as_of}")
    differs += since(left.manifest, right.manifest)
    return Compared(_titles(left, right, one, other), same, tuple(differs))


def _contents(left: Run, right: Run) -> tuple[Content, Content]:
    if left.path.resolve() == right.path.resolve():
        msg = (
            f"{right.path}: this is the same run twice; a divider needs two different runs, "
            "such as two scenarios on one AOI"
        )
        raise RunError(msg)
    return content(left), content(right)


def _titles(left: Run, right: Run, one: Content, other: Content) -> tuple[str, str]:
    # The first of these that tells the two apart.
    pairs = ((one.title, other.title), (one.aoi_name, other.aoi_name))
    return next((p for p in pairs if p[0] != p[1]), (left.path.name, right.path.name))


def _apart(one: Content, other: Content) -> tuple[str, ...]:
    if one.aoi.empty or other.aoi.empty:
        return ()
    there = projected(other.aoi, one.aoi.crs)
    if shapely.box(*one.aoi.total_bounds).intersects(shapely.box(*there.total_bounds)):
        return ()
    line = (
        f"The AOIs share no land ({one.aoi_name}; {other.aoi_name}): no site of one can be "
        "compared with a site of the other"
    )
    return (line,)
