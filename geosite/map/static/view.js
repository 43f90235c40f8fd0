/* A view as text and back: what a hash says, and everything that is wrong with it. */
geosite.view = (function () {
  "use strict";
  const LONGEST = 20000;
  const WHOLE = 1000;
  const DEEPEST = 24;
  const NAMES = { w: "weights", r: "rule", s: "site", m: "place", l: "layers", q: "search", f: "filters", t: "panel" };

  /** Text for an address; slashes stay readable. */
  function coded(text) {
    return encodeURIComponent(String(text).toWellFormed ? String(text).toWellFormed() : String(text)).replaceAll("%2F", "/");
  }

  /** `w=evidence:300,rail:700&r=minimum&s=ID&m=39.5,-116.8,7&l=…&q=…&f=state:…&t=weights`, without what is not said. */
  function written(view) {
    const parts = [];
    if (view.weights) parts.push("w=" + view.weights.map(([id, w]) => coded(id) + ":" + w).join(","));
    if (view.rule) parts.push("r=" + coded(view.rule));
    if (view.site !== null && view.site !== undefined) parts.push("s=" + coded(view.site));
    if (view.place) {
      const [lat, lon, zoom] = view.place;
      parts.push("m=" + [lat.toFixed(4), lon.toFixed(4), +zoom.toFixed(2)].join(","));
    }
    if (view.layers) parts.push("l=" + view.layers.map(coded).join(","));
    const { text, ...filters } = view.filter || {};
    if (text) parts.push("q=" + coded(text));
    const pairs = Object.entries(filters).map(([name, value]) => coded(name) + ":" + coded(value));
    if (pairs.length) parts.push("f=" + pairs.join(","));
    if (view.tab) parts.push("t=" + coded(view.tab));
    return parts.join("&");
  }

  /** The view that a hash says, with `faults` in words; nothing of it may be used if there is one. */
  function read(text, known) {
    const faults = [];
    const view = { weights: null, rule: null, site: -1, place: null, layers: null, filter: {}, tab: "", faults };
    if (text.length > LONGEST) {
      faults.push(`it has ${text.length} characters, more than ${LONGEST}`);
      return view;
    }
    const said = new Map();
    for (const part of text.split("&")) {
      if (!part) continue;
      const at = part.indexOf("=");
      const key = at < 0 ? part : part.slice(0, at);
      if (!Object.hasOwn(NAMES, key)) faults.push(`“${short(key)}” is no part of a view`);
      else if (said.has(key)) faults.push(`the ${NAMES[key]} is said twice`);
      else said.set(key, part.slice(at + 1));
    }
    const readers = { w: weights, r: rule, s: site, m: place, l: layers, q: search, f: filters, t: tab };
    for (const [key, value] of said) {
      try {
        readers[key](value, view, known, faults);
      } catch {
        faults.push(`the ${NAMES[key]} cannot be decoded`);
      }
    }
    return view;
  }

  /** Strangers' words within a message. */
  const short = (words) => (words.length > 40 ? words.slice(0, 39) + "…" : words);

  function weights(value, view, { criteria }, faults) {
    const found = new Map();
    for (const pair of value.split(",")) {
      const at = pair.lastIndexOf(":");
      const id = decodeURIComponent(at < 0 ? pair : pair.slice(0, at));
      const number = at < 0 ? "" : pair.slice(at + 1);
      if (!criteria.includes(id)) {
        faults.push(`this run has no criterion “${short(id)}”, so the link is of another run (here are ${criteria.join(", ")})`);
        return;
      }
      if (found.has(id)) faults.push(`the weight of ${id} is said twice`);
      if (!/^\d{1,4}$/.test(number) || Number(number) > WHOLE) {
        faults.push(`the weight of ${id} is “${short(number)}”, expected a whole number from 0 to ${WHOLE}`);
        return;
      }
      found.set(id, Number(number));
    }
    const missing = criteria.filter((id) => !found.has(id));
    if (missing.length) {
      faults.push(`it has no weight for ${missing.join(", ")}, so it may be of another run`);
      return;
    }
    const sum = Array.from(found.values()).reduce((a, b) => a + b, 0);
    if (sum !== WHOLE) faults.push(`its weights sum to ${sum}, expected ${WHOLE}`);
    view.weights = criteria.map((id) => found.get(id));
  }

  function rule(value, view, { rules }, faults) {
    const kind = decodeURIComponent(value);
    view.rule = rules.indexOf(kind);
    if (view.rule < 0) faults.push(`there is no rule “${short(kind)}” here (there are ${rules.join(", ")})`);
  }

  function site(value, view, { sites }, faults) {
    const id = decodeURIComponent(value);
    view.site = sites.indexOf(id);
    if (view.site < 0) faults.push(`this page has no site “${short(id)}”`);
  }

  function place(value, view, _known, faults) {
    const parts = value.split(",");
    const isPlain = parts.length === 3 && parts.every((p) => /^-?\d{1,3}(\.\d{1,8})?$/.test(p));
    const [lat, lon, zoom] = parts.map(Number);
    if (!isPlain || Math.abs(lat) > 90 || Math.abs(lon) > 360 || zoom < 0 || zoom > DEEPEST) {
      faults.push(`its place is “${short(value)}”, expected latitude,longitude,zoom`);
      return;
    }
    view.place = [lat, lon, zoom];
  }

  function layers(value, view, known, faults) {
    const ids = value ? value.split(",").map(decodeURIComponent) : [];
    const strange = ids.filter((id) => !known.layers.has(id));
    if (strange.length) faults.push(`this page has no layer ${strange.slice(0, 3).map((id) => `“${short(id)}”`).join(", ")}`);
    view.layers = ids;
  }

  function search(value, view, _known, faults) {
    const words = decodeURIComponent(value);
    if (words.length > 200) faults.push("what it searches for is longer than 200 characters");
    view.filter = { ...view.filter, text: words };
  }

  function filters(value, view, known, faults) {
    for (const pair of value.split(",")) {
      const [name, words] = [pair.split(":", 1)[0], pair.slice(pair.indexOf(":") + 1)].map(decodeURIComponent);
      if (!pair.includes(":") || !known.filters.includes(name)) {
        faults.push(`there is no filter “${short(name)}”`);
        return;
      }
      if (words.length > 200) faults.push(`its filter ${name} is longer than 200 characters`);
      view.filter = { ...view.filter, [name]: words };
    }
  }

  function tab(value, view, { tabs }, faults) {
    view.tab = decodeURIComponent(value);
    if (!tabs.includes(view.tab)) faults.push(`there is no panel “${short(view.tab)}”`);
  }

  return { written, read };
})();
