/* What a reader types as a place: decimal degrees, degrees with minutes and seconds, outlines of corners. */
geosite.coordinates = (function () {
  "use strict";
  const HALF = { n: ["lat", 1], s: ["lat", -1], e: ["lon", 1], w: ["lon", -1] };

  // Everything that stands for a sign, a mark of degrees or a hemisphere, in one spelling.
  function tidied(text) {
    return text
      .normalize("NFKC")
      .toLowerCase()
      .replace(/[\u2212\u2010-\u2015]/g, "-")
      .replace(/\b(north|south|east|west)\b/g, (w) => w[0])
      .replace(/\b(latitude|longitude|lat|lon|lng|long)\b\.?\s*[:=]?/g, " ")
      .replace(/deg(rees?)?\b|[°º˚'’′"”″]/g, " ")
      .trim();
  }

  // One number of up to three parts; minutes and seconds below 60, only the last with decimals.
  function degrees(parts) {
    if (!parts.length || parts.length > 3) return null;
    const values = parts.map(Number);
    const whole = parts.slice(0, -1).every((p) => /^[+-]?\d+$/.test(p));
    if (!whole || values.slice(1).some((v) => v < 0 || v >= 60) || parts.slice(1).some((p) => /^[+-]/.test(p))) return null;
    const size = Math.abs(values[0]) + (values[1] || 0) / 60 + (values[2] || 0) / 3600;
    return parts[0].startsWith("-") ? -size : size;
  }

  function groups(text) {
    const tokens = text.match(/[+-]?(?:\d+\.?\d*|\.\d+)|[nsew]|[,;/]|\S/g) || [];
    if (tokens.some((t) => !/^(?:[+-]?(?:\d+\.?\d*|\.\d+)|[nsew]|[,;/])$/.test(t))) return null;
    const letters = tokens.filter((t) => HALF[t]);
    if (letters.length === 2) {
      const bare = tokens.filter((t) => !/^[,;/]$/.test(t));
      const first = HALF[bare[0]] !== undefined;
      const found = [];
      let parts = [];
      for (const t of first ? bare.slice().reverse() : bare) {
        if (!HALF[t]) parts.push(t);
        else {
          found.push([first ? parts.reverse() : parts, t]);
          parts = [];
        }
      }
      return parts.length ? null : first ? found.reverse() : found;
    }
    if (letters.length) return null;
    const cut = tokens.findIndex((t) => /^[,;/]$/.test(t));
    const numbers = tokens.filter((t) => !/^[,;/]$/.test(t));
    if (tokens.length - numbers.length > 1) return null;
    const half = cut > 0 ? cut : numbers.length / 2;
    if (!Number.isInteger(half) || half < 1 || half >= numbers.length) return null;
    return [[numbers.slice(0, half), ""], [numbers.slice(half), ""]];
  }

  /**
   * The ways in which words can be read as a place, the likeliest first: [{lat, lon, how}]; none if they are no
   * coordinate. `view` ([[south, west], [north, east]]) tells what is likely where the order or a sign is not said.
   */
  function read(text, view) {
    const found = groups(tidied(text));
    if (!found) return [];
    const [one, two] = found.map(([parts]) => degrees(parts));
    if (one === null || two === null) return [];
    const [h1, h2] = found.map(([, letter]) => HALF[letter]);
    if (h1) {
      if (h1[0] === h2[0]) return [];
      const at = { [h1[0]]: h1[1] * Math.abs(one), [h2[0]]: h2[1] * Math.abs(two) };
      return fits(at.lat, at.lon) ? [{ ...at, how: "by the letters N, S, E, W" }] : [];
    }
    const ways = [];
    const add = (lat, lon, how) => {
      if (fits(lat, lon)) ways.push({ lat, lon, how });
    };
    const first = Math.abs(one) > 90;
    if (!first) add(one, two, "latitude first");
    add(two, one, first ? `longitude first, as ${one} can be no latitude` : "longitude first");
    const inside = (w) => view && w.lat >= view[0][0] && w.lat <= view[1][0] && w.lon >= view[0][1] && w.lon <= view[1][1];
    // Western longitudes are often written without their sign.
    for (const w of ways.slice())
      if (w.lon > 0 && !inside(w)) add(w.lat, -w.lon, `${w.how}, west as the map is, though no minus was given`);
    const here = ways.filter(inside);
    // The other order is offered only where the first cannot be meant.
    return here.length ? here : ways.slice(0, 1);
  }

  const fits = (lat, lon) => Math.abs(lat) <= 90 && Math.abs(lon) <= 180;

  /** A ring from corners, one a line, or from GeoJSON: {ring, faults}. */
  function outline(text, view) {
    const words = text.trim();
    if (words.startsWith("{")) return fromJson(words);
    const ring = [];
    const faults = [];
    words.split(/\r?\n/).forEach((line, i) => {
      if (!line.trim()) return;
      const [at] = read(line, view);
      if (at) ring.push([at.lon, at.lat]);
      else faults.push(`line ${i + 1}: "${line.trim().slice(0, 60)}" is no coordinate; write it as 39.5, -117.1`);
    });
    return judged(ring, faults);
  }

  function fromJson(text) {
    let said;
    try {
      said = JSON.parse(text);
    } catch (error) {
      return { ring: [], faults: [`not GeoJSON: ${error.message}`] };
    }
    while (said && (said.type === "FeatureCollection" || said.type === "Feature"))
      said = said.type === "Feature" ? said.geometry : (said.features || []).length === 1 ? said.features[0] : null;
    const rings = said && said.type === "Polygon" && Array.isArray(said.coordinates) ? said.coordinates : [];
    if (rings.length !== 1) return { ring: [], faults: ["GeoJSON of one Polygon without holes is expected"] };
    const ring = Array.isArray(rings[0]) ? rings[0].map((p) => (Array.isArray(p) ? [p[0], p[1]] : [NaN, NaN])) : [];
    const wrong = ring.filter(([lon, lat]) => !Number.isFinite(lon) || !Number.isFinite(lat) || !fits(lat, lon)).length;
    return judged(ring, wrong ? [`${wrong} corners are not [longitude, latitude] in degrees (WGS84)`] : []);
  }

  function judged(ring, faults) {
    const same = (a, b) => a[0] === b[0] && a[1] === b[1];
    const open = ring.filter((p, i) => !i || !same(p, ring[i - 1]));
    if (open.length > 1 && same(open[0], open.at(-1))) open.pop();
    if (!faults.length && open.length < 3) faults = [`an outline has at least 3 corners; ${open.length} found`];
    if (!faults.length && geosite.inside.crossesItself(open)) faults = ["the outline crosses itself; give its corners in their order around it"];
    return { ring: open, faults };
  }

  return { read, outline };
})();
