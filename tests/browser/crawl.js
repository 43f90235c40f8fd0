// Uses every control below `root` once, as a restless reader would; gives what was used.
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
