"""The cheapest ways from mines to plants by road, rail and both, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from geosite.crs import geodesic
from geosite.network import ends_beside
from geosite.trees import sums_from_root

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyproj import CRS

    from geosite.model.freight import Freight
    from geosite.network import Lines

MILE = 1609.344
_LINKS = 3
"""Nodes of each network that a site is joined to."""
_NO_COST = 1e-9
"""So that an edge without length is one, and no gap in a sparse matrix [USD per short ton]."""
_SAME_M = 1.0
ROAD, RAIL, STRAIGHT, _CHANGES = 0, 1, 2, 3
"""Kinds of a piece of a way: on a road, on a railway, over land without either."""


@dataclass(frozen=True, slots=True)
class Hauls:
    """The cheapest way from each mine to each plant, each (mines, plants).

    Attributes
    ----------
    usd : cost [USD per short ton]
    road_m, rail_m : length on roads and on railways of the layers, spurs onto a track with it [m]
    off_m : straight lines to and between them, as they are [m]
    transfers : how often the freight changes between truck and train
    is_straight : bool
        No part of the way is on a network: a truck on a road that no layer has.
    """

    usd: NDArray[np.float64]
    road_m: NDArray[np.float64]
    rail_m: NDArray[np.float64]
    off_m: NDArray[np.float64]
    transfers: NDArray[np.int64]
    is_straight: NDArray[np.bool_]


class Haulage:
    """A network of roads and railways with the mines and plants that it joins.

    Notes
    -----
    With d a geodesic length, a mile on a road costs the truck rate and a mile on a railway the
    rail rate. Where road and rail come near, freight may change: truck rate × detour × d, and the
    transfer. A site reaches the three nearest nodes of each network by truck × detour × d, and a
    railway by a transfer more, or by a spur at the rail rate if d is within the siding; a track
    that passes so near is joined there by a spur, and followed to its nodes. Without any network
    the whole way is truck × detour × d, which no way may exceed; it is then said to
    be straight. Ways lead through no other site, so that a site more changes no other's way.
    """

    def __init__(
        self,
        mines: NDArray[np.float64],
        plants: NDArray[np.float64],
        road: Lines,
        rail: Lines,
        freight: Freight,
        crs: CRS,
    ) -> None:
        """Join everything; nothing is searched yet.

        Parameters
        ----------
        mines, plants : (n, 2)
            Places in the CRS [m].
        """
        self.mines, self.plants, self.crs, self.freight = mines, plants, crs, freight
        self._lines = (road, rail)
        self._truck = freight.truck.value / MILE
        self._train = freight.rail.value / MILE
        roads, rails = len(road.nodes), len(rail.nodes)
        self._base = (0, roads)
        self._first_plant = roads + rails
        self._first_mine = self._first_plant + len(plants)
        self._places = np.concatenate([road.nodes, rail.nodes, plants, mines])
        self._edges = _cheapest(
            [*self._on_lines(), *self._terminals(), *self._links(plants, mines)],
            len(self._places),
        )
        self._before: dict[int, NDArray[np.int32]] = {}

    def hauls(self) -> Hauls:
        """The cheapest way from each mine to each plant."""
        shape = (len(self.mines), len(self.plants))
        usd, transfers = np.full(shape, np.inf), np.zeros(shape, np.int64)
        metres = np.zeros((3, *shape))
        n = len(self._places)
        e = self._edges
        graph = csr_array((e.usd, (e.tail, e.head)), shape=(n, n))
        begins = np.searchsorted(e.tail, np.arange(n + 1)), e.head.astype(np.int64)
        amount = np.column_stack([e.length_m, e.transfers]).astype(float)
        column = np.column_stack([e.kind, np.full(len(e.kind), _CHANGES)]).astype(np.int64)
        mine = self._first_mine + np.arange(len(self.mines))
        for p in range(len(self.plants)):
            start = self._first_plant + p
            cost, before = dijkstra(graph, indices=start, return_predecessors=True)
            self._before[p] = before
            usd[:, p] = cost[mine]
            sums = sums_from_root(before, mine, begins, amount, column, _CHANGES + 1)
            metres[:, :, p] = sums[:, :_CHANGES].T
            transfers[:, p] = np.rint(sums[:, _CHANGES])
        direct = self._direct()
        flat = self._truck * self.freight.detour.value * direct
        straight = ~(usd < flat)
        off = np.where(straight, direct, metres[STRAIGHT])
        road, rail = (np.where(straight, 0.0, metres[k]) for k in (ROAD, RAIL))
        return Hauls(
            np.where(straight, flat, usd),
            road,
            rail,
            off,
            np.where(straight, 0, transfers),
            straight,
        )

    def route(self, mine: int, plant: int) -> list[tuple[int, NDArray[np.float64]]]:
        """A way over the network, from the plant on: pieces with their kind and corners.

        `hauls` must have been asked; a way that is straight is not on the network.
        """
        before = self._before[plant]
        at, n = self._first_mine + mine, len(self._places)
        nodes = [at]
        while before[at] >= 0:
            at = int(before[at])
            nodes.append(at)
        nodes.reverse()
        codes = self._edges.tail * n + self._edges.head
        tail, head = np.array(nodes[:-1], np.int64), np.array(nodes[1:], np.int64)
        pieces: list[tuple[int, NDArray[np.float64]]] = []
        for edge in np.searchsorted(codes, tail * n + head).tolist():
            kind, corners = int(self._edges.kind[edge]), self._drawn(edge)
            if pieces and pieces[-1][0] == kind:
                corners = np.concatenate([pieces.pop()[1], corners[1:]])
            pieces.append((kind, corners))
        return pieces

    def _drawn(self, edge: int) -> NDArray[np.float64]:
        e = self._edges
        ends = self._places[[e.tail[edge], e.head[edge]]]
        if e.first[edge] < 0:
            return ends
        kind = int(e.kind[edge])
        way = self._lines[kind].corners[e.first[edge] : e.last[edge] + 1]
        return way if np.allclose(way[0], ends[0], atol=0.1) else way[::-1]

    def _direct(self) -> NDArray[np.float64]:
        m, p = len(self.mines), len(self.plants)
        if not m or not p:
            return np.zeros((m, p))
        a, b = np.repeat(self.mines, p, axis=0), np.tile(self.plants, (m, 1))
        # Two outlines of one place have not just the same point.
        apart = np.where(np.hypot(*(a - b).T) < _SAME_M, 0.0, geodesic(a, b, self.crs)[0])
        return apart.reshape(m, p)

    def _on_lines(self) -> list[_Edges]:
        found = []
        for kind, rate in ((ROAD, self._truck), (RAIL, self._train)):
            lines, base = self._lines[kind], self._base[kind]
            one = _Edges(
                lines.tail + base, lines.head + base, rate * lines.length_m, lines.length_m,
                np.full(len(lines.tail), kind), np.zeros(len(lines.tail)), lines.first, lines.last,
            )  # fmt: skip
            found += [one, one.turned()]
        return found

    def _terminals(self) -> list[_Edges]:
        road, rail = self._lines
        if not len(road.nodes) or not len(rail.nodes):
            return []
        apart, near = cKDTree(road.nodes).query(rail.nodes)
        able = np.flatnonzero(apart <= self.freight.terminal.value)
        metres, _ = geodesic(rail.nodes[able], road.nodes[near[able]], self.crs)
        usd = self._off_road(metres) + self.freight.transfer.value
        change = _straight(able + self._base[RAIL], near[able], usd, metres, np.ones(len(able)))
        return [change, change.turned()]

    def _links(self, plants: NDArray[Any], mines: NDArray[Any]) -> list[_Edges]:
        # From plants onto the network, from the network to mines: searched from the plants.
        found = []
        for kind in (ROAD, RAIL):
            for places, first, outward in (
                (plants, self._first_plant, True),
                (mines, self._first_mine, False),
            ):
                if not len(places) or not len(self._lines[kind].nodes):
                    continue
                link = self._link(places, first, kind)
                found.append(link if outward else link.turned())
                if kind == RAIL:
                    spurs = self._spurs(places, first)
                    found.append(spurs if outward else spurs.turned())
        return found

    def _link(self, places: NDArray[Any], first: int, kind: int) -> _Edges:
        nodes = self._lines[kind].nodes
        count = min(_LINKS, len(nodes))
        near = cKDTree(nodes).query(places, k=count)[1].reshape(len(places), count)
        owner = np.repeat(np.arange(len(places)), count)
        metres, _ = geodesic(places[owner], nodes[near.ravel()], self.crs)
        usd, changes = self._off_road(metres), np.zeros(len(metres))
        if kind == RAIL:
            spur = metres <= self.freight.siding.value
            usd = np.where(spur, self._train * metres, usd + self.freight.transfer.value)
            changes = np.where(spur, 0.0, 1.0)
        return _straight(owner + first, near.ravel() + self._base[kind], usd, metres, changes)

    def _spurs(self, places: NDArray[Any], first: int) -> _Edges:
        # From a site beside a track onto it, and along it to both ends of that piece.
        place, node, metres = ends_beside(self._lines[RAIL], places, self.freight.siding.value)
        none = np.full(len(place), -1)
        return _Edges(
            place + first, node + self._base[RAIL], self._train * metres, metres,
            np.full(len(place), RAIL), np.zeros(len(place)), none, none,
        )  # fmt: skip

    def _off_road(self, metres: NDArray[Any]) -> NDArray[np.float64]:
        return np.asarray(self._truck * self.freight.detour.value * metres, float)


@dataclass(frozen=True, slots=True)
class _Edges:
    tail: NDArray[Any]
    head: NDArray[Any]
    usd: NDArray[Any]
    length_m: NDArray[Any]
    kind: NDArray[Any]
    transfers: NDArray[Any]
    first: NDArray[Any]
    last: NDArray[Any]

    def turned(self) -> _Edges:
        """The same edges the other way round."""
        return _Edges(
            self.head, self.tail, self.usd, self.length_m, self.kind, self.transfers, self.first,
            self.last,
        )  # fmt: skip


def _straight(
    tail: NDArray[Any], head: NDArray[Any], usd: NDArray[Any], metres: NDArray[Any],
    transfers: NDArray[Any],
) -> _Edges:  # fmt: skip
    none = np.full(len(tail), -1)
    return _Edges(tail, head, usd, metres, np.full(len(tail), STRAIGHT), transfers, none, none)


def _cheapest(parts: list[_Edges], n: int) -> _Edges:
    # A sparse matrix would add up what is there twice.
    names = _Edges.__slots__
    columns = {k: np.concatenate([getattr(e, k) for e in parts]) if parts else np.empty(0, int)
               for k in names}  # fmt: skip
    columns["usd"] = columns["usd"] + _NO_COST
    code = columns["tail"].astype(np.int64) * n + columns["head"]
    order = np.lexsort((columns["usd"], code))
    once = order[np.concatenate([[True], np.diff(code[order]) > 0])] if len(order) else order
    return _Edges(**{k: v[once] for k, v in columns.items()})
