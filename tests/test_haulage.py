"""The cheapest ways by road and rail."""

import heapq
import itertools

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS

from geosite.catalog import open_freight
from geosite.crs import geodesic
from geosite.haulage import MILE, RAIL, ROAD, STRAIGHT, Haulage
from geosite.network import lines_graph

ALBERS = CRS.from_epsg(5070)
FREIGHT = open_freight()
TRUCK, TRAIN = FREIGHT.truck.value / MILE, FREIGHT.rail.value / MILE
DETOUR, TRANSFER = FREIGHT.detour.value, FREIGHT.transfer.value


def world(mines, plants, road=(), rail=(), **more):
    roads, rails = (
        lines_graph(np.array([shapely.LineString(x) for x in lines], dtype=object), ALBERS, **more)
        for lines in (road, rail)
    )
    places = [np.array(xy, float).reshape(-1, 2) for xy in (mines, plants)]
    return Haulage(*places, roads, rails, FREIGHT, ALBERS)


def metres(a, b):
    return float(geodesic(np.array([a], float), np.array([b], float), ALBERS)[0][0])


ROAD_LINE = [(0, 0), (300_000, 0)]


def test_without_a_network_the_way_is_a_truck_in_a_straight_line():
    found = world([(0, 0)], [(50_000, 0)]).hauls()
    far = metres((0, 0), (50_000, 0))
    assert found.is_straight.all()
    assert found.usd[0, 0] == pytest.approx(TRUCK * DETOUR * far)
    assert found.off_m[0, 0] == pytest.approx(far)
    assert found.transfers.sum() == found.road_m.sum() == found.rail_m.sum() == 0


def test_a_road_is_shorter_than_the_detour_that_is_taken_for_none():
    found = world([(0, 0)], [(300_000, 0)], road=[ROAD_LINE]).hauls()
    far = metres(*ROAD_LINE)
    assert not found.is_straight.any()
    assert found.road_m[0, 0] == pytest.approx(far, rel=1e-4)
    assert found.usd[0, 0] == pytest.approx(TRUCK * far, rel=1e-4)


def test_a_far_way_goes_by_rail_and_pays_for_loading_and_unloading():
    haulage = world([(0, 8000)], [(300_000, 8000)], rail=[ROAD_LINE])
    found = haulage.hauls()
    assert found.transfers[0, 0] == 2
    off = metres((0, 8000), (0, 0)) + metres((300_000, 8000), (300_000, 0))
    usd = TRAIN * found.rail_m[0, 0] + TRUCK * DETOUR * found.off_m[0, 0] + 2 * TRANSFER
    assert found.usd[0, 0] == pytest.approx(usd)
    assert found.off_m[0, 0] == pytest.approx(off, rel=0.2)
    way = haulage.route(0, 0)
    assert [kind for kind, _ in way] == [STRAIGHT, RAIL, STRAIGHT]
    assert way[0][1][0].tolist() == [300_000, 8000]
    assert way[-1][1][-1].tolist() == [0, 8000]
    for (_, one), (_, other) in itertools.pairwise(way):
        assert np.allclose(one[-1], other[0], atol=1)


def test_a_spur_needs_no_truck():
    found = world([(0, 500)], [(300_000, 500)], rail=[ROAD_LINE]).hauls()
    assert found.transfers[0, 0] == 0
    assert found.usd[0, 0] == pytest.approx(TRAIN * (found.rail_m + found.off_m)[0, 0])


@pytest.mark.parametrize("x", [0, 1000, 2500, 3700])
def test_a_site_beside_the_track_needs_no_truck_wherever_the_nodes_are(x):
    found = world([(x, 500)], [(300_000 - x, 500)], rail=[ROAD_LINE]).hauls()
    assert found.transfers[0, 0] == 0
    far = metres((x, 500), (300_000 - x, 500))
    assert found.usd[0, 0] == pytest.approx(TRAIN * far, rel=0.03)
    beyond = world([(x, 1100)], [(300_000 - x, 1100)], rail=[ROAD_LINE]).hauls()
    assert beyond.transfers[0, 0] == 2


def test_road_and_rail_hand_over_where_they_are_near():
    road, rail = [(0, 0), (60_000, 0)], [(60_000, 3000), (400_000, 3000)]
    found = world([(0, 0)], [(400_000, 3000)], road=[road], rail=[rail]).hauls()
    assert found.transfers[0, 0] == 1
    assert found.road_m[0, 0] == pytest.approx(60_000, rel=0.03)
    assert found.rail_m[0, 0] == pytest.approx(340_000, rel=0.03)
    far = [(60_000, 30_000), (400_000, 30_000)]
    apart = world([(0, 0)], [(400_000, 30_000)], road=[road], rail=[far]).hauls()
    assert apart.road_m[0, 0] == 0
    assert apart.transfers[0, 0] == 1


def test_a_mine_at_its_plant_costs_nothing():
    found = world([(5, 5)], [(5, 5)], road=[ROAD_LINE]).hauls()
    assert found.usd[0, 0] == 0
    assert found.is_straight[0, 0]


def test_pieces_that_are_not_joined_and_islands_are_reached_in_a_straight_line():
    road = [[(0, 0), (50_000, 0)], [(500_000, 0), (550_000, 0)]]
    found = world([(0, 0)], [(550_000, 0), (50_000, 0)], road=road).hauls()
    assert found.is_straight.tolist() == [[True, False]]
    far = metres((0, 0), (550_000, 0))
    assert found.usd[0, 0] == pytest.approx(TRUCK * DETOUR * far)


def test_nobody_has_ways():
    assert world([], [(0, 0)], road=[ROAD_LINE]).hauls().usd.shape == (0, 1)
    assert world([(0, 0)], [], road=[ROAD_LINE]).hauls().usd.shape == (1, 0)


PLACE = st.tuples(st.integers(0, 40), st.integers(0, 40))
PLACES = st.lists(PLACE, min_size=1, max_size=4)
LINES = st.lists(st.tuples(PLACE, PLACE).filter(lambda ab: ab[0] != ab[1]), max_size=8)


def tens(places):
    return [(10_000.0 * x, 10_000.0 * y) for x, y in places]


def drawn(lines):
    return [tens(line) for line in lines]


def slow_edges(haulage, mines, plants):
    """Every edge there is as (from, to, cost), by looking at each condition."""
    road, rail = haulage._lines
    for name, lines, rate in (("road", road, TRUCK), ("rail", rail, TRAIN)):
        for a, b, m in zip(lines.tail, lines.head, lines.length_m, strict=True):
            yield (name, a), (name, b), rate * m
            yield (name, b), (name, a), rate * m
    for i, xy in enumerate(rail.nodes):
        apart = np.hypot(*(road.nodes - xy).T)
        if len(apart) and apart.min() <= 5000:
            usd = TRUCK * DETOUR * metres(xy, road.nodes[apart.argmin()]) + TRANSFER
            yield ("rail", i), ("road", apart.argmin()), usd
            yield ("road", apart.argmin()), ("rail", i), usd
    for name, lines in (("road", road), ("rail", rail)):
        for k, xy in enumerate(plants):
            yield from ((("plant", k), node, usd) for node, usd in slow_links(xy, name, lines))
        for k, xy in enumerate(mines):
            yield from ((node, ("mine", k), usd) for node, usd in slow_links(xy, name, lines))


def slow_links(xy, name, lines):
    for tail, head, a, b, far in zip(
        lines.tail, lines.head, lines.first, lines.last, lines.length_m, strict=True
    ):
        track = None if b < 0 or name == "road" else shapely.LineString(lines.corners[a : b + 1])
        if track and track.distance(shapely.Point(xy)) <= 1000:
            off, share = (
                track.distance(shapely.Point(xy)),
                track.project(shapely.Point(xy), normalized=True),
            )
            yield (name, tail), TRAIN * (off + share * far)
            yield (name, head), TRAIN * (off + (1 - share) * far)
    for node in np.argsort(np.hypot(*(lines.nodes - xy).T), kind="stable")[:3]:
        m = metres(xy, lines.nodes[node])
        spur = name == "rail" and m <= 1000
        transfer = TRANSFER if name == "rail" else 0
        yield (name, node), TRAIN * m if spur else TRUCK * DETOUR * m + transfer


def slow_costs(haulage, mines, plants):
    """The oldest way to search them."""
    edges = {}
    for a, b, usd in slow_edges(haulage, mines, plants):
        edges.setdefault(a, []).append((b, usd))
    found = np.full((len(mines), len(plants)), np.inf)
    for p in range(len(plants)):
        best, queue = {}, [(0.0, ("plant", p))]
        while queue:
            usd, at = heapq.heappop(queue)
            if at not in best:
                best[at] = usd
                for b, more in edges.get(at, []):
                    heapq.heappush(queue, (usd + more, b))
        for m in range(len(mines)):
            flat = TRUCK * DETOUR * metres(mines[m], plants[p])
            found[m, p] = min(best.get(("mine", m), np.inf), flat)
    return found


@settings(max_examples=40, deadline=None)
@given(PLACES, PLACES, LINES, LINES)
def test_costs_are_those_of_a_slow_search_and_the_sum_of_their_parts(mines, plants, road, rail):
    # No two nodes of a network equally far: a quarter of a cell aside.
    mines, plants = ([(x + 1234.5, y + 678.9) for x, y in tens(p)] for p in (mines, plants))
    haulage = world(mines, plants, road=drawn(road), rail=drawn(rail), step_m=1e7)
    found = haulage.hauls()
    ties = any(
        len(set(np.round(np.sort(np.hypot(*(lines.nodes - xy).T))[:4], 3)))
        < min(4, len(lines.nodes))
        for lines in haulage._lines
        for xy in (*mines, *plants)
    )
    if not ties:
        assert found.usd == pytest.approx(slow_costs(haulage, mines, plants), abs=1e-5)
    sum_ = TRUCK * found.road_m + TRAIN * found.rail_m + TRANSFER * found.transfers
    spurs = 2 * TRUCK * DETOUR * 1000
    assert (found.usd <= sum_ + TRUCK * DETOUR * found.off_m + 1e-5).all()
    assert (found.usd >= sum_ + TRUCK * DETOUR * found.off_m - spurs).all()


@settings(max_examples=25, deadline=None)
@given(PLACES, PLACES, LINES, LINES, PLACE)
def test_a_site_more_changes_no_other_way(mines, plants, road, rail, more):
    lines = {"road": drawn(road), "rail": drawn(rail)}
    before = world(tens(mines), tens(plants), **lines).hauls().usd
    wider = world([*tens(mines), *tens([more])], tens(plants), **lines).hauls().usd
    assert wider[:-1].tolist() == before.tolist()
    wider = world(tens(mines), [*tens(plants), *tens([more])], **lines).hauls().usd
    assert wider[:, :-1].tolist() == before.tolist()


def test_routes_lead_along_the_corners_of_the_road_either_way():
    road = [[(0, 0), (50_000, 40_000), (100_000, 0)]]
    for mine, plant in (((0, 0), (100_000, 0)), ((100_000, 0), (0, 0))):
        haulage = world([mine], [plant], road=road)
        haulage.hauls()
        way = [xy for kind, part in haulage.route(0, 0) if kind == ROAD for xy in part.tolist()]
        assert way[0] == list(plant)
        assert way[-1] == list(mine)
        assert any(np.allclose(xy, (50_000, 40_000), atol=1) for xy in way)
