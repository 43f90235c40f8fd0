"""What axe finds wrong with a page for those who hear it or use it by keys."""

from __future__ import annotations

from geosite import assets

AXE = assets.HERE / "node_modules" / "axe-core" / "axe.min.js"


def findings(tab, *within):
    """Serious and critical findings of axe, in the whole page or within some of its elements."""
    if not tab.evaluate("typeof axe === 'object'"):
        tab.add_script_tag(path=AXE)
    asked = {"include": [[part] for part in within]} if within else None
    found = tab.evaluate(
        "asked => axe.run(asked || document, { resultTypes: ['violations'] })", asked
    )
    return [
        (v["impact"], v["id"], [" ".join(map(str, n["target"])) for n in v["nodes"]][:5])
        for v in found["violations"]
        if v["impact"] in ("serious", "critical")
    ]
