"""Pictures of surfaces: on Web Mercator, small, and of the colours that the legend shows."""

from __future__ import annotations

import base64
from io import BytesIO

import numpy as np
import pytest
import rasterio

from geosite.crs import WGS84, transformed
from geosite.map import pictures
from geosite.map.pictures import (
    STEPS,
    mask_picture,
    ramp,
    status_pictures,
    suitability_picture,
)
from geosite.report import palette
from tests.browser.toycontent import ALBERS, COLUMNS, ROWS, at, toy_content

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def pixels(picture):
    """Red, green, blue and alpha of a picture: (rows, columns, 4)."""
    body = base64.b64decode(picture.url.removeprefix("data:image/png;base64,"))
    with rasterio.open(BytesIO(body)) as file:
        table = np.zeros((256, 4), np.uint8)
        for index, colour in file.colormap(1).items():
            table[index] = colour
        return table[file.read(1)]


def pixel(picture, x, y):
    """Colour where a place of the grid lies."""
    lon, lat = transformed(np.array([x]), np.array([y]), ALBERS, WGS84)
    shown = pixels(picture)
    down, across, _ = shown.shape
    north, south, here = (
        np.arctanh(np.sin(np.radians(v))) for v in (picture.north, picture.south, lat[0])
    )
    row = int((north - here) / (north - south) * down)
    column = int((lon[0] - picture.west) / (picture.east - picture.west) * across)
    return tuple(int(v) for v in shown[row, column])


def test_a_mask_is_one_colour_and_no_larger_than_its_land():
    content = toy_content()
    mask = np.zeros((ROWS, COLUMNS), bool)
    mask[10:20, 30:35] = True
    picture = mask_picture(content, mask, "#112233")
    shown = pixels(picture)
    assert {tuple(c) for c in shown.reshape(-1, 4)[:, :3][shown.reshape(-1, 4)[:, 3] > 0]} == {
        (0x11, 0x22, 0x33)
    }
    assert shown.shape[1] < pixels(suitability_picture(content)).shape[1] / 5
    assert pixel(picture, *at(32.5, 15.5))[:3] == (0x11, 0x22, 0x33)
    x, y = np.array([at(c, r) for c in (30, 35) for r in (10, 20)]).T
    lon, lat = transformed(x, y, ALBERS, WGS84)
    edges = (picture.west, picture.east, picture.south, picture.north)
    assert edges == pytest.approx((lon.min(), lon.max(), lat.min(), lat.max()), abs=2e-3)


def test_suitability_runs_from_pale_to_dark():
    suitability = np.full((ROWS, COLUMNS), np.nan, np.float32)
    suitability[:, :20], suitability[:, 20:40] = 0.0, 1.0
    picture = suitability_picture(toy_content(suitability=suitability))
    assert pixel(picture, *at(10, 24))[:3] == palette.rgb(palette.SUITABILITY[0])
    assert pixel(picture, *at(30, 24))[:3] == palette.rgb(palette.SUITABILITY[-1])
    assert pixel(picture, *at(50, 24))[3] == 0, "transparent where there is none"


def test_a_ramp_meets_every_colour_of_its_palette_on_the_way():
    found = ramp(palette.SUITABILITY, STEPS)
    assert len(found) == STEPS
    light = [sum(c) for c in found]
    assert light == sorted(light, reverse=True)
    assert ramp(("#000000", "#ff0000", "#ffffff"), 3)[1] == (255, 0, 0)


def test_the_pictures_are_the_same_bytes_every_time():
    first, second = (status_pictures(toy_content()) for _ in range(2))
    assert first == second


def test_a_picture_of_a_large_area_is_no_wider_than_a_page_carries(monkeypatch):
    monkeypatch.setattr(pictures, "WIDEST", 40)
    assert pixels(suitability_picture(toy_content())).shape[1] == 40
