"""Known sites out of files of several kinds, and what is said of files that hold none."""

import geopandas as gpd
import pytest
import shapely

from geosite.crs import WGS84
from geosite.errors import CRSMismatchError, GeositeError, LayerDataError
from geosite.sources.known import read_known

SITES = {"Copper Hill": (-117.5, 40.25), "Iron Cap": (-116.0, 39.0)}


def table(path, header, sep=","):
    rows = [header, *(sep.join([name, str(x), str(y)]) for name, (x, y) in SITES.items())]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def places(found):
    return {n: (p.x, p.y) for n, p in zip(found["name"], found.geometry, strict=True)}


@pytest.mark.parametrize(
    "header",
    [
        "name,longitude,latitude", "Mine,Lon,Lat", "Site Name,LONG,LAT", "deposit,lng,lat",
        "NAME,decimalLongitude,decimalLatitude", "MINE_NAME,Longitude_DD,Latitude_DD",
    ],
)  # fmt: skip
def test_usual_spellings_of_coordinates_are_understood(tmp_path, header):
    found = read_known(table(tmp_path / "known.csv", header))
    assert places(found) == SITES
    assert found.crs == WGS84


def test_tabs_and_semicolons_part_columns_too(tmp_path):
    for sep in ("\t", ";"):
        path = table(tmp_path / "known.csv", f"name{sep}lon{sep}lat", sep)
        assert places(read_known(path)) == SITES


@pytest.mark.parametrize("ending", ["geojson", "gpkg", "fgb"])
def test_vector_files_carry_their_own_crs(tmp_path, ending):
    points = [shapely.Point(at) for at in SITES.values()]
    frame = gpd.GeoDataFrame({"name": list(SITES)}, geometry=points, crs=WGS84)
    frame = frame if ending == "geojson" else frame.to_crs(5070)
    frame.to_file(tmp_path / f"known.{ending}")
    found = read_known(tmp_path / f"known.{ending}")
    assert found.crs == frame.crs
    assert set(places(found)) == set(SITES)


def test_a_polygon_stands_where_a_point_inside_it_lies(tmp_path):
    ring = shapely.Polygon([(0, 0), (10, 0), (10, 10), (9, 10), (9, 1), (0, 1)])
    gpd.GeoDataFrame(geometry=[ring], crs=5070).to_file(tmp_path / "known.gpkg")
    found = read_known(tmp_path / "known.gpkg")
    assert ring.contains(found.geometry.iloc[0])
    assert found["name"].tolist() == ["site 1"]


def test_a_site_without_a_name_is_called_by_its_number(tmp_path):
    path = tmp_path / "known.csv"
    path.write_text("name,lon,lat\n,-117,40\nOro,-116,39\n", encoding="utf-8")
    assert read_known(path)["name"].tolist() == ["site 1", "Oro"]


def written(text, name="known.csv"):
    return lambda folder: (folder / name).write_text(text, encoding="utf-8")


def without_crs(folder):
    frame = gpd.GeoDataFrame(geometry=[shapely.Point(1, 2)])
    with pytest.warns(UserWarning, match="crs"):
        frame.to_file(folder / "known.gpkg")


@pytest.mark.parametrize(
    ("spoil", "name", "words"),
    [
        (lambda _: None, "known.csv", "there is no such file"),
        (written("mine,easting,northing\nA,1,2\n"), "known.csv", "it has mine, easting, northing"),
        (written(""), "known.csv", "no columns of longitude and latitude; it has none"),
        (written("name,lon,lat\n"), "known.csv", "holds no site"),
        (written("name,lon,lat\nA,-117,\nB,-116,39\n"), "known.csv", "row 1 (A) has no coord"),
        (written("name,lon,lat\nA,500000,4400000\n"), "known.csv", "no longitude and latitude"),
        (written("name,lon,lat\nA,west,north\n"), "known.csv", "no row has numbers"),
        (written("no vector", "known.gpkg"), "known.gpkg", "cannot be read as a vector file"),
    ],
)
def test_files_that_hold_no_sites_are_refused_in_words(tmp_path, spoil, name, words):
    spoil(tmp_path)
    with pytest.raises(LayerDataError) as refused:
        read_known(tmp_path / name)
    assert words in str(refused.value)


def test_a_crs_is_never_guessed(tmp_path):
    without_crs(tmp_path)
    with pytest.raises(CRSMismatchError, match="carries no CRS"):
        read_known(tmp_path / "known.gpkg")


def test_all_misplaced_sites_are_counted_and_five_are_named(tmp_path):
    rows = "".join(f"N{k},{500 + k},40\n" for k in range(9))
    written(f"name,lon,lat\n{rows}")(tmp_path)
    with pytest.raises(GeositeError) as refused:
        read_known(tmp_path / "known.csv")
    said = str(refused.value)
    assert "9 of 9 sites have no place" in said
    assert "and 4 more" in said


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_text_in_utf16_is_named_as_such(tmp_path, encoding):
    path = tmp_path / "mines.csv"
    path.write_bytes("\ufeffname,longitude,latitude\nIron Cap,-116,39\n".encode(encoding))
    with pytest.raises(LayerDataError, match=r"is text in UTF-16, expected UTF-8.*CSV UTF-8"):
        read_known(path)
