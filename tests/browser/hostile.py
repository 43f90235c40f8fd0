"""Text that strangers put into attributes, and a run in which every text is such text."""

from __future__ import annotations

import dataclasses
from itertools import cycle

import pandas as pd
from shapely.geometry import LineString, Point

from geosite.footprints import TENURES
from geosite.report.content import (
    ContextLabel,
    DecisionLabel,
    LayerLabel,
    LocalLabel,
    PathwayLabel,
    PermitLabel,
    WeightingLabel,
)
from tests.browser.toycontent import at, block, frame, toy_content

PAYLOADS = (
    "<img src=x onerror=window.__hit=1>",
    "</script><script>window.__hit=1</script>",
    "`${window.__hit=1}`",
    "'\";window.__hit=1;//",
    "--><!--<script>window.__hit=1</script>",
    "{{ 7*7 }}{% raise %}{# x #}}}{{",
    "\x00\u2028\u2029\u202e\ud800 \U0001f5fa\ufe0f",
    "</aside></textarea><svg onload=window.__hit=1>",
    "](javascript:window.__hit=1) | <b>x</b>\n# y",
    "=cmd|' /C calc'!A0",
    "__proto__",
    "&lt;img src=x onerror=window.__hit=1&gt;",
    "x" * 10_000,
)


TEXTS = (
    "parcel", "parcel_ownership_conflict", "disposal", "land_origin", "mineral_estate",
    "mineral_status", "claims", "deposits", "host_or_byproduct", "deposit_type", "deposit_status",
    "deposit_size", "deposit_grade", "record_quality", "cited_report", "pathways",
    "pathways_not_open", "readiness_rests_on", "supply_unknown", "permits", "permits_possible",
    "rules_unknown", "rules_possible", "rules_share_pct", "footprint_fits", "footprint_tenure",
)  # fmt: skip
"""Columns of sites that the toy run has not, and a card shows."""


def hostile_content():
    """The toy run with a payload in every text of every table and label."""
    content = toy_content()
    words = cycle(PAYLOADS)
    keep = {"agency": ("BLM", "USFS")}

    def poisoned(frame, *, rules=None):
        frame = frame.copy()
        for column in frame.columns:
            if column == frame.geometry.name or frame[column].dtype.kind in "biuf":
                continue
            if rules and column == "rule":
                frame[column] = [rules[v] for v in frame[column]]
                continue
            values = [next(words) for _ in range(len(frame))]
            if column in keep:
                values[: len(keep[column])] = keep[column]
            frame[column] = pd.Series(values, frame.index, dtype=object)
        return frame

    def label(x, **fixed):
        texts = {
            f.name: next(words)
            for f in dataclasses.fields(x)
            if isinstance(getattr(x, f.name), str)
        }
        return dataclasses.replace(x, **{**texts, **fixed})

    sites = poisoned(content.sites.assign(**dict.fromkeys(TEXTS, "")))
    renamed = {r.id: f"{PAYLOADS[i]} {r.id}" for i, r in enumerate(content.rules)}
    return dataclasses.replace(
        content,
        **{k: " ".join(PAYLOADS[:8]) for k in ("title", "aoi_name", "as_of", "marking", "project")},
        criteria=tuple(label(c, id=c.id, measure=c.measure) for c in content.criteria),
        rules=tuple(
            label(
                r,
                id=renamed[r.id],
                tier=r.tier,
                exceptions=PAYLOADS[:3],
                local=(label(LocalLabel("", "", "", "", "")),),
                decision=label(DecisionLabel("", "", "", "")),
            )
            for r in content.rules
        ),
        permits=tuple(
            label(PermitLabel("", "", "", "federal", "", ""), id=p, clocks=PAYLOADS[:2])
            for p in sites["permits"]
        ),
        pathways=tuple(
            label(PathwayLabel("", "", (1.0, 2.0, 3.0), "", "", "", ""), id=p)
            for p in sites["pathways"]
        ),
        weightings=(WeightingLabel(PAYLOADS[0], {"evidence": 1.0}, PAYLOADS[1]),),
        reviews={
            "rows": [
                dict.fromkeys(_REVIEW, PAYLOADS[k]) | {"site_after": sites["site_id"].iloc[k]}
                for k in range(len(PAYLOADS))
            ],
            "run": PAYLOADS[0],
            "sites_before": 1,
            "sites_after": 2,
            "moved": 1,
            "vanished": PAYLOADS,
            "appeared": PAYLOADS,
            "since": PAYLOADS,
        },
        dossier={sites["site_id"].iloc[k]: words for k, words in enumerate(PAYLOADS)},
        context={name: poisoned(known) for name, known in _around().items()},
        context_labels={
            name: ContextLabel(label(LayerLabel("", "", "", "", "", "", "")), {"kv": PAYLOADS[0]})
            for name in _around()
        },
        context_notes=PAYLOADS,
        footprints=poisoned(_footprints(sites)),
        layers=tuple(label(x) for x in content.layers),
        authorities=tuple(label(a) for a in content.authorities),
        sites=sites,
        parcels=poisoned(content.parcels),
        exclusions=poisoned(content.exclusions, rules=renamed),
        deposits=poisoned(content.deposits),
        warnings=PAYLOADS,
        unknown_rules=PAYLOADS,
    )


_REVIEW = (
    "decision_no", "decision", "finding", "rule", "place", "reason", "role", "date", "case",
    "moved", "effect", "together_with", "site_before", "status_before", "status_after",
)  # fmt: skip


def _around():
    """A base and infrastructure around the toy run."""
    n = len(PAYLOADS)
    points = [Point(*at(3 + 4 * k, 20)) for k in range(n)]
    line = [LineString([at(2, 24 + k), at(58, 24 + k)]) for k in range(n)]
    blank = [""] * n
    return {
        "states": frame({"name": blank}, line),
        "states_named": frame({"name": blank}, points),
        "roads": frame({"name": blank}, line),
        "towns": frame({"name": blank, "population": [1e5] * n}, points),
        "substations": frame({"name": blank, "owner": blank, "kv": [230.0] * n}, points),
    }


def _footprints(sites):
    n = len(sites)
    columns = {"site_id": sites["site_id"], "part": [""] * n, "title": [""] * n}
    acres = dict.fromkeys(("acres", *(f"acres_{t}" for t in TENURES)), [10.0] * n)
    return frame({**columns, **acres}, [block(3 * k + 2, 6, 3 * k + 4, 8) for k in range(n)])
