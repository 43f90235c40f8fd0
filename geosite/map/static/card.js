/* The card of a site: a panel over the map that follows the selection and the weights. */
geosite.card = function (app, box) {
  "use strict";
  const { el, fill } = geosite.dom;
  const { sites } = app.data;
  // A reader who opens a section wants it open at the next site as well.
  const open = new Map([["Land", true], ["Minerals", true], ["Rules that touch it", true], ["What reviewers decided", true]]);
  const PAGE = /^\.\.\/[\w.%-]+\/[\w-]+\.html$/;
  const RUN = /\/\d{8}T\d{6}Z-[0-9a-f]{8}(-\d+)?$/;
  let opener = null;

  const heading = el("h2", { id: "gs-card-title", tabindex: "-1" });
  const place = el("p", { class: "gs-sub" });
  const standing = el("div", { class: "gs-standing" });
  const bars = el("div", {});
  const body = el("div", {});
  const before = el("button", { type: "button", class: "gs-button", onclick: () => step(-1) });
  const after = el("button", { type: "button", class: "gs-button", onclick: () => step(1) });
  const shut = el("button", { type: "button", class: "gs-button gs-card-close", "aria-label": "Close the card of the site", onclick: () => close() }, "×");
  fill(box, el("div", { class: "gs-card-bar" }, before, after, shut), heading, place, standing, bars, body);
  box.setAttribute("aria-labelledby", "gs-card-title");
  box.removeAttribute("aria-label");

  const title = (i) => sites.name[i] || "unnamed";
  const at = () => app.state.selected;

  // ── opening and closing ────────────────────────────────────────────────────────────────
  app.on("select", ({ index, from }) => {
    if (index < 0) return hide();
    const fresh = box.hidden;
    if (fresh) opener = document.activeElement;
    box.hidden = false;
    draw(index);
    box.scrollTop = 0;
    if (from === "table" || from === "find" || from === "keyboard") heading.focus({ preventScroll: true });
    app.say(`${title(index)}: ${rankWords(index)}, score ${scoreWords(app.state.ranking.score[index])}`);
  });
  app.on("ranking", () => {
    if (at() >= 0 && !box.hidden) follow(at());
  });
  app.on("visible", () => {
    if (at() >= 0 && !box.hidden) steps(at());
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || box.hidden || event.defaultPrevented) return;
    // A field that is written in, or a list that is open, has its own use for the key.
    if (!box.contains(event.target) && event.target.closest?.("input, select, textarea, [role=dialog]")) return;
    close();
  });

  function close() {
    app.select(-1, "card");
  }

  function hide() {
    if (box.hidden) return;
    const inside = box.contains(document.activeElement) || document.activeElement === document.body;
    box.hidden = true;
    if (!inside) return;
    const there = opener && opener.isConnected && opener !== document.body && opener.getClientRects().length;
    const target = there ? opener : document.querySelector("#gs-tabs [aria-selected=true]");
    if (target) target.focus({ preventScroll: true });
    opener = null;
  }

  /** The next shown site in the order of ranks, in either direction; -1 if there is none. */
  function neighbour(way) {
    const { order } = app.state.ranking;
    for (let k = order.indexOf(at()) + way; k >= 0 && k < order.length; k += way) {
      if (app.state.visible[order[k]]) return order[k];
    }
    return -1;
  }

  function step(way) {
    const next = neighbour(way);
    if (next >= 0) app.select(next, "card");
  }

  function steps() {
    for (const [button, way, words] of [[before, -1, "Better"], [after, 1, "Next"]]) {
      const next = neighbour(way);
      const rank = next < 0 ? 0 : app.state.ranking.rank[next];
      // It stays a button that can hold the focus at the end of the list.
      button.setAttribute("aria-disabled", String(next < 0));
      fill(button, way < 0 ? "‹ " : "", next < 0 ? words : rank ? `Rank ${rank}` : "Unranked", way > 0 ? " ›" : "");
      // What is read out begins with what is seen.
      button.setAttribute("aria-label", next < 0 ? `${words}: no further site` : `${rank ? `Rank ${rank}` : "Unranked"}: ${title(next)}`);
    }
  }

  // ── what follows the weights ───────────────────────────────────────────────────────────
  const scoreWords = (score) => (Number.isNaN(score) ? "unknown" : score.toFixed(3));

  function rankWords(i) {
    const now = app.state.ranking.rank[i], ranked = app.state.ranking.rank.reduce((n, r) => n + (r > 0), 0);
    return now ? `rank ${now} of ${ranked}` : "no rank";
  }

  /** "12 → 7, up 5" */
  function change(i) {
    const was = app.first.rank[i], now = app.state.ranking.rank[i];
    if (app.isStated()) return "";
    if (!was || !now) return `in the run: ${was ? `rank ${was}` : "no rank"}`;
    const moved = was === now ? "same rank as in the run" : `${was} → ${now}, ${now < was ? "up" : "down"} ${Math.abs(was - now)}`;
    return `${moved}; score ${scoreWords(app.first.score[i])} → ${scoreWords(app.state.ranking.score[i])}`;
  }

  function follow(i) {
    const cards = app.json("cards");
    const moved = change(i);
    fill(standing,
      el("p", { class: "gs-standing-now" },
        el("span", { class: "gs-swatch", "--c": app.colour(app.state.ranking.rank[i]), "aria-hidden": "true" }),
        el("span", {}, `Rank ${app.state.ranking.rank[i] || "–"}`),
        el("span", {}, `Score ${scoreWords(app.state.ranking.score[i])}`),
        el("span", {}, `Tier ${sites.tier[i] || "–"}${app.isStated() ? "" : " in the run"}`)),
      moved ? el("p", { class: "gs-moved" }, moved) : null,
      geosite.facts.list(intervals(cards, i)));
    fill(bars, geosite.bars(app, i), app.isStated() && cards.rule ? el("p", { class: "gs-small" }, cards.rule) : null);
    steps();
  }

  /** Where the run puts the site once all is known, and under other weights. */
  function intervals(cards, i) {
    const whose = app.isStated() ? "" : ", as in the run";
    const span = (low, high) => (low === high ? `${low}` : `${low}–${high}`);
    const best = sites.rank_best[i], worst = sites.rank_worst[i];
    const low = cards.low[i], high = cards.high[i];
    const scores = low === null || high === null ? "" : `score ${span(low.toFixed(2), high.toFixed(2))}`;
    const ranks = best === null || worst === null ? "" : `rank ${span(best, worst)}`;
    const share = cards.known[i];
    const rows = [
      [`Once all is known${whose}`, [ranks, scores].filter(Boolean).join(", ")],
      [`Under other weights${whose}`, otherWeights(cards, i, span)],
      ["Measured", share === null ? "" : `${share} % of the run's weights`],
    ];
    return rows.filter(([, words]) => words);
  }

  function otherWeights(cards, i, span) {
    const said = cards.weighting.length ? cards.texts[cards.weighting[i]] : "";
    if (said) return said;
    const low = sites.rank_p05[i], high = sites.rank_p95[i];
    return low === null || high === null ? "" : `rank ${span(low, high)} in nine of ten weightings`;
  }

  // ── what the run found ─────────────────────────────────────────────────────────────────
  function draw(i) {
    const cards = app.json("cards");
    for (const part of body.querySelectorAll(".gs-section")) open.set(part.dataset.name, part.open);
    heading.textContent = title(i);
    fill(place, [sites.site_id[i], sites.agency[i], sites.county[i], sites.state[i]].filter(Boolean).join(" · "));
    follow(i);
    const { rows, list } = geosite.facts, law = geosite.law;
    const touched = law.touched(cards, i), needed = law.needed(cards, i);
    const parts = [
      section("Land", list(rows(app, cards, "Land", i))),
      section("Minerals", list(rows(app, cards, "Minerals", i))),
      section("Measures", list(rows(app, cards, "Measures", i))),
      section("Rules that touch it", law.touching(cards, i), touched),
      section("Permits and time", [...law.permits(cards, i), list(rows(app, cards, "Permits and time", i))], needed),
      section("What reviewers decided", cards.reviews[i] ? list(cards.reviews[i]) : null),
      section("What is not known", [list(rows(app, cards, "What is not known", i)), ...law.silent(cards, i)]),
    ];
    fill(body, where(i), ...parts, dossier(cards, i));
  }

  /** A section that can be folded; left out where it is empty. */
  function section(name, content, count) {
    const held = [content].flat().filter((n) => n && (n.tagName !== "DL" || n.childElementCount));
    if (!held.length) return null;
    return el("details", { class: "gs-section", "data-name": name, open: open.get(name) }, el("summary", {}, count === undefined ? name : `${name} (${count})`), ...held);
  }

  /** Coordinates to copy, and a button to go there. */
  function where(i) {
    const [lat, lon] = [sites.lat[i], sites.lon[i]];
    const decimal = `${lat.toFixed(5)}, ${lon.toFixed(5)}`, angular = `${degrees(lat, "NS")} ${degrees(lon, "EW")}`;
    return el("div", { class: "gs-where" },
      el("p", {}, el("span", { class: "gs-small" }, "A point inside, WGS 84"), el("span", { class: "gs-coordinates" }, decimal), " ", geosite.copying.button(app, "Copy", () => decimal, "Copy the coordinates in decimal degrees")),
      el("p", {}, el("span", { class: "gs-coordinates" }, angular), " ", geosite.copying.button(app, "Copy", () => angular, "Copy the coordinates in degrees, minutes and seconds")),
      el("p", {}, el("button", { type: "button", class: "gs-button", onclick: () => zoom(i) }, "Zoom to the site")));
  }

  /** Degrees, minutes and seconds to a tenth of a second: about three metres. */
  function degrees(value, ends) {
    const tenths = Math.round(Math.abs(value) * 36000);
    const seconds = ((tenths % 600) / 10).toFixed(1).padStart(4, "0");
    return `${Math.floor(tenths / 36000)}°${String(Math.floor(tenths / 600) % 60).padStart(2, "0")}′${seconds}″${ends[value < 0 ? 1 : 0]}`;
  }

  function zoom(i) {
    const bounds = L.latLngBounds([[sites.lat[i], sites.lon[i]]]);
    for (const polygon of (sites.shapes && sites.shapes[i]) || []) {
      // A ring is steps of 1e-5 degrees: longitude, latitude, then differences.
      let [x, y] = [0, 0];
      const ring = polygon[0] || [];
      for (let k = 0; k < ring.length; k += 2) bounds.extend([(y += ring[k + 1]) * 1e-5, (x += ring[k]) * 1e-5]);
    }
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const covered = box.offsetWidth < app.map.getSize().x / 2 ? box.offsetWidth + 20 : 20;
    app.map.fitBounds(bounds, { animate: !still, maxZoom: 13, paddingTopLeft: [20, 20], paddingBottomRight: [covered, 20] });
  }

  /** A link to the site's pages in the dossier beside the run, or how to make one. */
  function dossier(cards, i) {
    const page = cards.dossier[i];
    if (page && PAGE.test(page) && hasNeighbours()) {
      return el("div", { class: "gs-dossier" }, el("h3", {}, "Dossier"), el("p", {},
        el("a", { href: page, target: "_blank", rel: "noopener" }, "Open the dossier of this site"),
        el("span", { class: "gs-small" }, "Exact overlaps, names and distances; in the folder beside the run, so it opens only where this map lies in its run.")));
    }
    const command = `geosite review ${run()} --site ${quoted(sites.site_id[i])}`;
    return el("div", { class: "gs-dossier" }, el("h3", {}, "Dossier"),
      el("p", { class: "gs-small" }, "Exact overlaps, names and distances are in a dossier. None of this site was beside the run when the map was written; to write one:"),
      el("p", {}, el("code", {}, command), " ", geosite.copying.button(app, "Copy", () => command, "Copy the command that writes the dossier")));
  }

  /** Whether folders beside the run can be reached: not from a notebook, nor from our own server, which serves the run alone. */
  function hasNeighbours() {
    return location.protocol === "file:" || (/^https?:$/.test(location.protocol) && !["localhost", "127.0.0.1", "[::1]"].includes(location.hostname));
  }

  /** Folder of the run where the map still lies in it, else a word to be replaced. */
  function run() {
    if (location.protocol !== "file:") return "RUN";
    let folder;
    try {
      folder = decodeURIComponent(location.pathname.replace(/\/[^/]*$/, ""));
    } catch {
      return "RUN";
    }
    return RUN.test(folder) ? quoted(folder) : "RUN";
  }

  /** A word for a shell: nothing in it is run. */
  function quoted(text) {
    return /^[\w./:-]+$/.test(text) && !text.startsWith("-") ? text : `'${text.replaceAll("'", "'\\''")}'`;
  }
};
