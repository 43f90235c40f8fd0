/* A picture of the view: the map as it is shown, with title, legend, weights and notice. */
geosite.picture = async function (app) {
  "use strict";
  const SCALE = 2;
  const PAD = 16;
  const { data } = app;
  const target = app.map.getContainer();
  const width = target.clientWidth;
  const height = target.clientHeight;
  const FONT = 'system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

  const BLANK = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";

  /** The map itself. Controls are hidden and not left out: what stays keeps its place. */
  async function mapOnly() {
    target.classList.add("gs-picturing");
    try {
      return await htmlToImage.toCanvas(target, {
        width, height, pixelRatio: SCALE, skipFonts: true, imagePlaceholder: BLANK, backgroundColor: "#f4f3ef",
        // The panel beside the map must not push it out of its picture.
        style: { left: "0", top: "0", margin: "0", position: "static", width: width + "px", height: height + "px" },
      });
    } finally {
      target.classList.remove("gs-picturing");
    }
  }
  const map = await mapOnly();

  const pen = document.createElement("canvas").getContext("2d");
  const font = (size, weight) => `${weight || 400} ${size}px ${FONT}`;

  /** Words as lines no wider than asked. */
  function wrapped(words, size, weight, most) {
    pen.font = font(size, weight);
    const lines = [];
    let line = "";
    for (let word of String(words).split(/[ \n]+/)) {
      // A word without end is cut where the line ends.
      while (pen.measureText(word).width > most && word.length > 1) {
        let cut = word.length;
        while (cut > 1 && pen.measureText(word.slice(0, cut)).width > most) cut = Math.floor(cut * 0.8) || 1;
        if (line) lines.push(line);
        line = "";
        lines.push(word.slice(0, cut));
        word = word.slice(cut);
      }
      const longer = line ? line + " " + word : word;
      if (pen.measureText(longer).width <= most) line = longer;
      else {
        lines.push(line);
        line = word;
      }
    }
    if (line) lines.push(line);
    return lines;
  }

  // What is drawn above and below the map: each part knows its height and how it is drawn.
  const wide = width - 2 * PAD;
  function words(text, size, weight, ink, ground) {
    const lines = text ? wrapped(text, size, weight, wide) : [];
    const step = Math.round(size * 1.4);
    return {
      height: lines.length ? lines.length * step + (ground ? 8 : 2) : 0,
      draw: (c, y) => {
        if (ground && lines.length) {
          c.fillStyle = ground;
          c.fillRect(0, y, width, lines.length * step + 6);
        }
        c.font = font(size, weight);
        c.fillStyle = ink || "#222";
        lines.forEach((line, k) => c.fillText(line, PAD, y + (ground ? 3 : 0) + step * k + size));
      },
    };
  }

  /** Signs with their words, in as many lines as they need. */
  function legend(title, entries) {
    const size = 12, step = 19;
    pen.font = font(size, 600);
    let x = PAD + pen.measureText(title).width + 12, y = 0;
    pen.font = font(size);
    const placed = entries.map(([sign, colour, text, part]) => {
      // A heading within the line has no sign; colours that run into each other have no words.
      const indent = sign ? 24 : 0;
      const long = indent + Math.min(pen.measureText(text).width, wide / 2) + (sign && !text ? -6 : 12);
      if (x + long > width - PAD) [x, y] = [PAD, y + step];
      const at = { sign, colour, text, part, indent, x, y };
      x += long;
      return at;
    });
    return {
      height: y + step,
      draw: (c, top) => {
        c.font = font(size, 600);
        c.fillStyle = "#222";
        c.fillText(title, PAD, top + 13);
        c.font = font(size);
        for (const at of placed) {
          if (at.sign) sign(c, at.sign, at.colour, at.x, top + at.y + 3, at.part);
          c.fillStyle = "#222";
          c.fillText(at.text, at.x + at.indent, top + at.y + 13, wide / 2);
        }
      },
    };
  }

  function sign(c, kind, colour, x, y, part) {
    c.save();
    c.fillStyle = c.strokeStyle = colour;
    c.lineWidth = 2;
    if (kind === "line" || kind === "dash") {
      if (kind === "dash") c.setLineDash([4, 3]);
      c.beginPath();
      c.moveTo(x, y + 6);
      c.lineTo(x + 18, y + 6);
      c.stroke();
    } else if (kind === "dot") {
      c.beginPath();
      c.arc(x + 9, y + 6, 5, 0, 2 * Math.PI);
      c.fill();
    } else {
      if (kind === "hatch") {
        c.beginPath();
        c.rect(x, y, 18, 12);
        c.clip();
        for (let k = -12; k < 18; k += 5) {
          c.beginPath();
          c.moveTo(x + k, y + 12);
          c.lineTo(x + k + 12, y);
          c.stroke();
        }
      } else {
        // What is pale on the map is as pale here.
        c.globalAlpha = part === undefined ? 1 : Math.max(part, 0.12);
        c.fillRect(x, y, 18, 12);
        c.globalAlpha = 1;
      }
      c.strokeStyle = "rgba(0,0,0,.35)";
      c.lineWidth = 1;
      c.strokeRect(x + 0.5, y + 0.5, 17, 11);
    }
    c.restore();
  }

  function ranks() {
    const n = data.sites.n;
    const found = [];
    const count = (v) => v.toLocaleString("en-US");
    let first = 1;
    for (const [last, colour] of data.palette.ranks) {
      if (first > n) break;
      const end = last ? Math.min(last, n) : n;
      found.push(["dot", colour, end > first ? `${count(first)}–${count(end)}` : count(first)]);
      first = end + 1;
    }
    return found;
  }

  /** Legends of the layers that are shown, a line a heading of the tree. */
  function layers() {
    const heads = new Map();
    for (const entry of data.layers) {
      if (!app.layers.shown.has(entry.id) || !entry.legend || entry.kind === "sites") continue;
      const head = entry.group[0] || "";
      if (!heads.has(head)) heads.set(head, []);
      heads.get(head).push(...signs(entry));
    }
    return Array.from(heads, ([head, entries]) => legend(head, entries));
  }

  function signs({ title, legend: { kind, rows, ends }, style }) {
    const part = style.opacity;
    if (kind === "ramp") {
      const colours = rows.map(([, colour], k) => ["fill", colour, k === rows.length - 1 ? ends[1] : ""]);
      return [["", "", `${title}: ${ends[0]}`], ...colours];
    }
    if (rows.length === 1) return [[rows[0][0], rows[0][1], title, part]];
    return [["", "", title + ":"], ...rows.map((row) => [...row, part])];
  }

  const isStated = app.isStated();
  const above = [
    words(data.title, 19, 650),
    words([data.aoi, data.marking].filter(Boolean).join(" · "), 12, 400, "#55524c"),
    isStated ? null : words("Re-weighted by the reader: not the run’s ranking.", 13, 700, "#4d3300", "#fff3d6"),
  ].filter(Boolean);
  const { weights, rule } = app.state;
  const each = data.criteria.map((c, k) => `${c.title} ${geosite.shares.percent(weights[k])}`).join(", ");
  const ranked = `Ranked by ${geosite.combining.title(rule).toLowerCase()}` + (geosite.combining.isWeighted(rule) ? `: ${each}.` : " (weights have no part).");
  const below = [...(app.layers.shown.has("sites") ? [legend("Rank", ranks())] : []), ...layers(), words(ranked, 12), words(data.notice, 11, 400, "#55524c")];

  const total = (parts) => parts.reduce((sum, p) => sum + p.height, 0) + PAD;
  const canvas = document.createElement("canvas");
  const top = total(above);
  canvas.width = width * SCALE;
  canvas.height = (top + height + total(below)) * SCALE;
  const c = canvas.getContext("2d");
  c.scale(SCALE, SCALE);
  c.fillStyle = "#fff";
  c.fillRect(0, 0, canvas.width, canvas.height);
  let y = PAD / 2;
  for (const part of above) {
    part.draw(c, y);
    y += part.height;
  }
  c.drawImage(map, 0, top, width, height);
  c.strokeStyle = "#cfccc5";
  c.strokeRect(0.5, top + 0.5, width - 1, height - 1);
  y = top + height + PAD / 2;
  for (const part of below) {
    part.draw(c, y);
    y += part.height;
  }
  const made = await new Promise((done) => canvas.toBlob(done, "image/png"));
  if (!made) throw new Error("the picture is too large for this browser");
  return made;
};
