/* The page's application: its data, its events, what all panels share. */
geosite.app = (function () {
  "use strict";

  /** One application a page: `app.on("ranking", f)`, `app.emit("ranking", value)`. */
  function app(map, bases) {
    const heard = {};
    const made = { map, bases, data: JSON.parse(document.getElementById("gs-data").textContent) };
    const opened = new Map();

    made.on = (event, f) => {
      (heard[event] = heard[event] || []).push(f);
      return () => (heard[event] = heard[event].filter((g) => g !== f));
    };
    made.emit = (event, value) => {
      for (const f of heard[event] || []) f(value);
    };

    /** Text of a block beside the data; read when first asked for. */
    made.blob = (name) => {
      const held = document.getElementById("gs-blob-" + name);
      return held ? held.textContent : "";
    };
    /** A block that is JSON, parsed once. */
    made.json = (name) => {
      if (!opened.has(name)) opened.set(name, JSON.parse(made.blob(name) || "null"));
      return opened.get(name);
    };
    /** Some bytes of a block that is base64. Only these are decoded: an archive has megabytes, and a view needs a few tiles of it. */
    made.bytes = (name, offset = 0, length = Infinity) => {
      const key = "text of " + name;
      if (!opened.has(key)) opened.set(key, made.blob(name));
      // Four characters are three bytes.
      const from = Math.floor(offset / 3), text = opened.get(key).slice(4 * from, 4 * Math.ceil((offset + length) / 3));
      const found = atob(text), skipped = offset - 3 * from;
      const bytes = new Uint8Array(Math.max(0, Math.min(found.length - skipped, length)));
      for (let k = 0; k < bytes.length; k++) bytes[k] = found.charCodeAt(skipped + k);
      return bytes;
    };

    /** Say something to who listens to the page. */
    made.say = (words) => {
      const line = document.getElementById("gs-status");
      line.textContent = "";
      // An assistive technology hears a change only.
      setTimeout(() => (line.textContent = words), 30);
    };

    // From the bottom up: the quiet base, fills of the land, pictures, lines of rules, deposits,
    // sites, what lies within them.
    const levels = { base: 310, land: 330, pictures: 350, lines: 410, points: 430, sites: 450, above: 460 };
    for (const [name, level] of Object.entries(levels)) {
      const pane = map.getPane("gs-" + name) || map.createPane("gs-" + name);
      pane.style.zIndex = level;
      // One listener for the whole map asks each layer what lies under the pointer.
      if (name !== "sites") pane.style.pointerEvents = "none";
    }
    return made;
  }

  return app;
})();
