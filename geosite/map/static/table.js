/* The ranked table of sites: only the rows that are seen are in the page, however many there are. */
geosite.table = function (app, box) {
  "use strict";
  const { el, put, fill } = geosite.dom;
  const { sites } = app.data;
  const { columns, rows: ordered, change } = geosite.ordering(app);
  const SPARE = 4; // rows beyond what is seen
  const PRINTED = 100;
  const root = document.documentElement;
  const sort = { id: "rank", isDown: false };
  let rows = new Int32Array(0); // sites, as they stand in the table
  const at = new Int32Array(sites.n).fill(-1); // where each stands
  let active = -1; // the site whose row the keyboard is on
  let isStale = true, isPrinting = false;

  /* ── the frame ── */
  const heads = columns.map((column, k) => {
    const button = el("button", { type: "button", "aria-label": column.said ? `${column.said}: sort` : null, title: column.said, onclick: () => sortBy(column.id) }, column.title);
    return el("div", { role: "columnheader", class: `gs-c gs-c-${column.id}`, "aria-colindex": k + 1, "aria-sort": "none" }, button);
  });
  const body = el("div", { role: "rowgroup", class: "gs-rows" });
  const head = el("div", { role: "row", class: "gs-row gs-heads", "aria-rowindex": "1" }, heads);
  const grid = el("div", { role: "grid", class: app.columns && app.columns.length ? "gs-grid gs-has-more" : "gs-grid", "aria-label": "Sites by rank", "aria-colcount": columns.length }, el("div", { role: "rowgroup", class: "gs-head" }, head), body);
  const none = el("p", { class: "gs-none", hidden: true }, sites.n ? "No site passes the filter." : "This run found no site. The panel About says what became of the land that was offered.");
  const wide = el("button", { type: "button", class: "gs-widen", "aria-pressed": "false", onclick: () => widen(!isWide()) }, "Wide table");
  const printed = el("p", { class: "gs-printed" });
  put(fill(box), el("div", { class: "gs-table-bar" }, wide), grid, none, printed);

  const isWide = () => root.classList.contains("gs-wide");
  const height = () => (isWide() ? 28 : 42);

  function widen(on) {
    root.classList.toggle("gs-wide", on);
    wide.setAttribute("aria-pressed", String(on));
    fill(wide, on ? "Narrow table" : "Wide table");
    app.map.invalidateSize({ animate: false });
    refresh();
    if (active >= 0) reveal(active);
  }

  function sortBy(id) {
    const column = columns.find((c) => c.id === id);
    sort.isDown = sort.id === id ? !sort.isDown : Boolean(column.down);
    sort.id = id;
    grid.scrollTop = 0;
    refresh();
    app.say(`Sorted by ${column.said || column.title}, ${sort.isDown ? "from large to small" : "from small to large"}`);
  }

  /* ── rows ── */
  const made = new Map(); // site → row
  const spare = [];

  function row() {
    if (spare.length) return spare.pop();
    const cells = columns.map((column, k) => {
      const words = document.createTextNode("");
      const cell = el("div", { role: column.id === "name" ? "rowheader" : "gridcell", class: `gs-c gs-c-${column.id}`, "aria-colindex": k + 1 });
      if (column.id === "score") put(cell, el("span", { class: "gs-bar-of" }));
      put(cell, el("span", {}, words));
      const under = column.under ? document.createTextNode("") : null;
      if (under) put(cell, el("small", { class: "gs-place" }, under));
      return { cell, words, under };
    });
    const element = el("div", { role: "row", class: "gs-row", tabindex: "-1" }, cells.map((c) => c.cell));
    return { element, cells, site: -1, top: -1, height: -1 };
  }

  const write = (node, words) => {
    if (node.data !== words) node.data = words;
  };
  const mark = (element, name, value) => {
    if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  };

  function say(shown, site, position) {
    const { element, cells } = shown;
    const isOther = shown.site !== site;
    if (isOther) element.dataset.site = String(site);
    shown.site = site;
    columns.forEach((column, k) => {
      if (!isOther && !column.live) return;
      write(cells[k].words, column.text(site));
      if (cells[k].under) write(cells[k].under, column.under(site));
      if (column.id === "score") {
        const score = app.state.ranking.score[site];
        cells[k].cell.style.setProperty("--share", Number.isNaN(score) ? "0%" : (100 * Math.min(1, Math.max(0, score))).toFixed(1) + "%");
      }
      if (column.id === "rank") cells[k].cell.style.setProperty("--c", app.colour(app.state.ranking.rank[site]));
      if (column.id === "change") {
        const by = change(site);
        cells[k].cell.classList.toggle("gs-up", by > 0);
        cells[k].cell.classList.toggle("gs-down", by < 0);
        if (by) mark(cells[k].cell, "aria-label", by > 0 ? `up ${by}` : `down ${-by}`);
        else cells[k].cell.removeAttribute("aria-label");
      }
    });
    const tall = height();
    if (shown.top !== position || shown.height !== tall) {
      shown.top = position;
      shown.height = tall;
      element.style.transform = `translateY(${position * tall}px)`;
      mark(element, "aria-rowindex", String(position + 2));
    }
    mark(element, "aria-selected", String(site === app.state.selected));
    mark(element, "tabindex", site === active ? "0" : "-1");
  }

  function render() {
    if (isStale && !isSeen() && !isPrinting) return;
    if (isStale) collect();
    const tall = height();
    let first = Math.max(0, Math.floor(grid.scrollTop / tall) - SPARE);
    let last = Math.min(rows.length, Math.ceil((grid.scrollTop + grid.clientHeight) / tall) + SPARE);
    if (isPrinting) [first, last] = [0, Math.min(PRINTED, rows.length)];
    const wanted = [];
    for (let k = first; k < last; k++) wanted.push(k);
    // The row that holds the focus stays, though it is out of sight: with it the place would go.
    const held = active >= 0 ? at[active] : -1;
    if (held >= 0 && (held < first || held >= last) && !isPrinting) wanted.push(held);
    const keep = new Set(wanted.map((k) => rows[k]));
    for (const [site, shown] of made) {
      if (keep.has(site)) continue;
      made.delete(site);
      spare.push(shown);
    }
    const standing = [];
    for (const k of wanted.sort((a, b) => a - b)) {
      const site = rows[k], shown = made.get(site) || row();
      made.set(site, shown);
      say(shown, site, k);
      standing.push(shown.element);
    }
    for (const shown of spare) shown.element.remove();
    arrange(standing);
  }

  // Rows stand in the page in their order, as they are read and printed. One that holds the
  // focus would lose it if it were moved, so others are moved round it.
  function arrange(standing) {
    let next = body.firstChild;
    for (const element of standing) {
      if (element === document.activeElement) {
        while (next && next !== element) {
          const after = next.nextSibling;
          body.appendChild(next);
          next = after;
        }
      }
      if (element === next) next = next.nextSibling;
      else body.insertBefore(element, next);
    }
  }

  // Sites in the order of the table; done when it is seen, and once for all that changed.
  function collect() {
    isStale = false;
    rows = ordered(sort.id, sort.isDown);
    at.fill(-1);
    rows.forEach((site, k) => (at[site] = k));
    if (active < 0 || at[active] < 0) active = rows.length ? rows[0] : -1;
    body.style.height = rows.length * height() + "px";
    mark(grid, "aria-rowcount", String(rows.length + 1));
    none.hidden = rows.length > 0;
    columns.forEach((column, k) => mark(heads[k], "aria-sort", column.id !== sort.id ? "none" : sort.isDown ? "descending" : "ascending"));
  }

  const isSeen = () => grid.offsetParent !== null;
  function refresh() {
    isStale = true;
    render();
  }

  /* ── moving through it ── */
  function reveal(site) {
    const k = at[site], tall = height(), top = head.offsetHeight;
    if (k < 0) return;
    if (k * tall < grid.scrollTop) grid.scrollTop = k * tall;
    else if ((k + 1) * tall + top > grid.scrollTop + grid.clientHeight) grid.scrollTop = (k + 1) * tall + top - grid.clientHeight;
  }

  function go(position) {
    if (!rows.length) return;
    const k = Math.max(0, Math.min(rows.length - 1, position));
    active = rows[k];
    reveal(active);
    render();
    made.get(active).element.focus({ preventScroll: true });
    app.light(active, "table");
  }

  body.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const page = Math.max(1, Math.floor((grid.clientHeight - head.offsetHeight) / height()) - 1);
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity }[event.key];
    if (step !== undefined) go(at[active] + step);
    else if (event.key === "Enter" || event.key === " ") app.select(active, "table");
    else return;
    event.preventDefault();
  });

  const siteOf = (event) => {
    const found = event.target.closest && event.target.closest("[data-site]");
    return found ? Number(found.dataset.site) : -1;
  };
  body.addEventListener("click", (event) => {
    const site = siteOf(event);
    if (site < 0) return;
    active = site;
    made.get(site).element.focus({ preventScroll: true });
    app.select(site, "table");
  });
  body.addEventListener("focusin", (event) => {
    const site = siteOf(event);
    if (site < 0 || site === active) return;
    active = site;
    render();
  });
  body.addEventListener("pointerover", (event) => {
    app.light(siteOf(event), "table");
    // What a cell has no room for is read on pointing at it.
    const cell = event.target.closest(".gs-c");
    if (!cell) return;
    if (cell.scrollWidth > cell.clientWidth) cell.title = Array.from(cell.children, (part) => part.textContent).filter(Boolean).join(", ");
    else cell.removeAttribute("title");
  });
  body.addEventListener("pointerleave", () => app.light(-1, "table"));
  grid.addEventListener("scroll", render, { passive: true });
  new ResizeObserver(render).observe(grid);

  // The card gives the focus back to the element that opened it; its row may be elsewhere now.
  function back(site) {
    opened = -1;
    const isElsewhere = !body.contains(document.activeElement) && !document.activeElement.closest("#gs-tabs");
    if (isElsewhere || !isSeen() || at[site] < 0) return;
    go(at[site]);
    app.light(-1, "table");
  }

  /* ── following ── */
  app.on("ranking", refresh);
  app.on("visible", () => {
    grid.scrollTop = 0;
    refresh();
  });
  let opened = -1; // the site whose row opened the card
  app.on("select", ({ index, from }) => {
    if (index < 0 && opened >= 0) back(opened);
    if (index >= 0 || from === "table") opened = from === "table" ? index : -1;
    if (index >= 0) {
      active = index;
      if (isStale && isSeen()) collect();
      if (from !== "table") reveal(index);
    }
    render();
  });
  app.on("light", ({ index }) => {
    for (const [site, shown] of made) shown.element.classList.toggle("gs-lit", site === index);
  });
  app.on("tab", () => {
    render();
    if (isSeen() && app.state.selected >= 0) {
      reveal(app.state.selected);
      render();
    }
  });

  window.addEventListener("beforeprint", () => {
    isPrinting = true;
    render();
    const left = rows.length - PRINTED;
    fill(printed, left > 0 ? `The first ${PRINTED} of ${rows.length.toLocaleString("en-US")} sites.` : "");
  });
  window.addEventListener("afterprint", () => {
    isPrinting = false;
    render();
  });
};
