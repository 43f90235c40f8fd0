"""Text that strangers put into attributes, and a run in which every text is such text."""

from __future__ import annotations

import dataclasses
from itertools import cycle

import pandas as pd

from tests.browser.toycontent import toy_content

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

    renamed = {r.id: f"{PAYLOADS[i]} {r.id}" for i, r in enumerate(content.rules)}
    return dataclasses.replace(
        content,
        **{k: " ".join(PAYLOADS[:8]) for k in ("title", "aoi_name", "as_of", "marking", "project")},
        criteria=tuple(label(c, id=c.id, measure=c.measure) for c in content.criteria),
        rules=tuple(label(r, id=renamed[r.id], tier=r.tier) for r in content.rules),
        layers=tuple(label(x) for x in content.layers),
        authorities=tuple(label(a) for a in content.authorities),
        sites=poisoned(content.sites),
        parcels=poisoned(content.parcels),
        exclusions=poisoned(content.exclusions, rules=renamed),
        deposits=poisoned(content.deposits),
        warnings=PAYLOADS,
        unknown_rules=PAYLOADS,
    )
