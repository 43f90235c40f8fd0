"""Reads PMTiles and vector tiles as their specifications say, one number after another."""

from __future__ import annotations

import gzip
import json
import struct
from dataclasses import dataclass

import numpy as np
import shapely


@dataclass(frozen=True)
class Feature:
    """A feature of a tile; its rings in steps of the tile."""

    id: int
    kind: int
    props: dict
    rings: list

    @property
    def polygons(self):
        """Polygons of outlines (positive areas) with the holes that follow them."""
        made = []
        for ring in self.rings:
            if area(ring) > 0:
                made.append([ring, []])
            else:
                made[-1][1].append(ring)
        return shapely.MultiPolygon([shapely.Polygon(o, h) for o, h in made])


def area(ring):
    x, y = np.array(ring, float).T
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2


def number(raw, at):
    value = shift = 0
    while True:
        byte = raw[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def fields(raw):
    at = 0
    while at < len(raw):
        tag, at = number(raw, at)
        if tag & 7 == 0:
            value, at = number(raw, at)
        elif tag & 7 == 1:
            value, at = struct.unpack_from("<d", raw, at)[0], at + 8
        else:
            size, at = number(raw, at)
            value, at = raw[at : at + size], at + size
        yield tag >> 3, value


def numbers(raw):
    found, at = [], 0
    while at < len(raw):
        value, at = number(raw, at)
        found.append(value)
    return found


def signed(value):
    return (value >> 1) ^ -(value & 1)


def rings_of(stream):
    rings, at, x, y = [], 0, 0, 0
    while at < len(stream):
        command, count = stream[at] & 7, stream[at] >> 3
        at += 1
        if command == 7:
            continue
        for _ in range(count):
            x, y = x + signed(stream[at]), y + signed(stream[at + 1])
            at += 2
            if command == 1 and (not rings or rings[-1]):
                rings.append([])
            rings[-1].append((x, y))
    return rings


def value_of(raw):
    ((field, value),) = fields(raw)
    if field == 1:
        return value.decode("utf-8")
    return {6: signed, 7: bool}.get(field, lambda v: v)(value)


def layers_of(raw):
    """Layers of a tile by name: lists of features."""
    found = {}
    for _, layer in fields(raw):
        parts = [*fields(layer)]
        (name,) = (v.decode() for f, v in parts if f == 1)
        keys = [v.decode() for f, v in parts if f == 3]
        values = [value_of(v) for f, v in parts if f == 4]
        assert dict(parts)[5] == 4096
        assert dict(parts)[15] == 2
        features = []
        for feature in (dict(fields(v)) for f, v in parts if f == 2):
            tags = numbers(feature.get(2, b""))
            props = {keys[k]: values[v] for k, v in zip(tags[::2], tags[1::2], strict=True)}
            rings = rings_of(numbers(feature[4]))
            features.append(Feature(feature.get(1), feature[3], props, rings))
        assert name not in found
        found[name] = features
    return found


def place_of(number_):
    """(zoom, x, y) of a tile's number, by walking the Hilbert curve."""
    zoom = 0
    while number_ >= 4**zoom:
        number_ -= 4**zoom
        zoom += 1
    x = y = 0
    for k in range(zoom):
        right = 1 & (number_ // 2)
        down = 1 & (number_ ^ right)
        if not down:
            if right:
                x, y = (1 << k) - 1 - x, (1 << k) - 1 - y
            x, y = y, x
        x, y = x + (right << k), y + (down << k)
        number_ //= 4
    return zoom, x, y


@dataclass(frozen=True)
class Archive:
    """A PMTiles archive read whole."""

    min_zoom: int
    max_zoom: int
    bounds: tuple
    metadata: dict
    raw: dict

    def tile(self, zoom, x, y):
        return layers_of(gzip.decompress(self.raw[zoom, x, y]))

    def features(self, layer, zoom):
        """(x, y, feature) of all tiles of a zoom."""
        for z, x, y in sorted(self.raw):
            if z == zoom:
                for feature in self.tile(z, x, y).get(layer, []):
                    yield x, y, feature


def archive_of(raw):
    assert raw[:8] == b"PMTiles\x03"
    root, root_n, told, told_n, leaf, _, data, data_n, tiles, entries, contents = struct.unpack(
        "<11Q", raw[8:96]
    )
    clustered, inner, outer, kind, low, high = raw[96:102]
    assert (clustered, inner, outer, kind) == (1, 2, 2, 1)
    assert data + data_n == len(raw)
    bounds = tuple(v / 1e7 for v in struct.unpack("<4i", raw[102:118]))
    found, rows = {}, 0
    waiting = [(root, root_n)]
    while waiting:
        at, size = waiting.pop()
        values = numbers(gzip.decompress(raw[at : at + size]))
        n = values[0]
        number_ = np.cumsum(values[1 : 1 + n]).tolist()
        runs, lengths, offsets = (values[1 + k * n : 1 + (k + 1) * n] for k in (1, 2, 3))
        end = 0
        for i in range(n):
            offset = offsets[i] - 1 if offsets[i] else end
            end = offset + lengths[i]
            if runs[i] == 0:
                waiting.append((leaf + offset, lengths[i]))
                continue
            rows += 1
            for k in range(runs[i]):
                found[place_of(number_[i] + k)] = raw[data + offset : data + end]
    assert (len(found), rows, len(set(found.values()))) == (tiles, entries, contents)
    metadata = json.loads(gzip.decompress(raw[told : told + told_n]))
    return Archive(low, high, bounds, metadata, found)
