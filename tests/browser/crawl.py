"""Every control of a page used once, as a restless reader would."""

from __future__ import annotations

TABS = ("gs-tab-sites", "gs-tab-weights", "gs-tab-layers", "gs-tab-about")
READY = "html[data-geosite=ready]"
_USE = """
(root) => {
  // What opens a dialog of the browser or prints is tried on its own.
  const leave = /print|full ?screen/i;
  const seen = (e) => e.checkVisibility && e.checkVisibility() && !e.disabled;
  const all = () => Array.from(document.querySelectorAll(root + " :is(button, input, select, summary, [role=button], [role=columnheader] button)"));
  const used = [];
  const done = new Set();
  for (let round = 0; round < 3; round++) {
    for (const e of all()) {
      if (done.has(e) || !seen(e)) continue;
      done.add(e);
      const name = (e.getAttribute("aria-label") || e.labels?.[0]?.textContent || e.textContent || e.title || "").trim();
      if (leave.test(name)) continue;
      used.push([e.tagName + (e.type ? ":" + e.type : ""), name.slice(0, 60)]);
      const fire = (kind) => e.dispatchEvent(new Event(kind, { bubbles: true }));
      if (e.tagName === "SELECT") { e.selectedIndex = e.options.length - 1; fire("input"); fire("change"); }
      else if (e.type === "range") { e.value = e.max; fire("input"); fire("change"); e.value = e.min; fire("input"); fire("change"); }
      else if (e.type === "number") { e.value = "12.3"; fire("input"); fire("change"); }
      else if (["text", "search"].includes(e.type)) { e.value = "a"; fire("input"); fire("change"); e.value = ""; fire("input"); fire("change"); }
      else e.click();
    }
  }
  return used;
}
"""


def opened(tab, address):
    """The page, ready."""
    tab.goto(address)
    tab.wait_for_selector(READY, state="attached")
    return tab


def crawl(tab):
    """Use every control of every panel; gives (kind, name) of what was used."""
    used = []
    for panel in TABS:
        tab.evaluate("id => geosite.current.openTab(id)", panel)
        used += tab.evaluate(_USE, f"#{panel}")
    tab.evaluate("geosite.current.select(0, 'table')")
    tab.wait_for_timeout(100)
    used += tab.evaluate(_USE, "#gs-card")
    used += tab.evaluate(_USE, ".folium-map")
    tab.wait_for_timeout(300)
    return used
