/* Archives of vector tiles: opened from the page or beside it, asked what lies at a place. */
geosite.tiles = (function () {
  "use strict";
  const SIDE = 512; // pixels of a tile; zoom z of a tile is zoom z + 1 of the map
  const KEPT = 96; // decoded tiles of an archive
  const { vectors } = geosite;

  /** Bytes of the page as a source of PMTiles. */
  function embedded(app, name) {
    return {
      getKey: () => "gs-" + name,
      getBytes: async (offset, length) => ({ data: app.bytes("tiles-" + name, offset, length).buffer }),
    };
  }

  /** A file beside the page; asked for in ranges, so it must be served. */
  function beside(app, name) {
    const { file } = app.data.archives[name];
    if (!file || !/^https?:$/.test(location.protocol)) return null;
    const url = new URL(file, document.baseURI);
    return url.origin === location.origin ? new pmtiles.FetchSource(url.href) : null;
  }

  async function begun(app, name) {
    const served = beside(app, name);
    if (served) {
      try {
        const held = new pmtiles.PMTiles(served);
        return { held, header: await held.getHeader() };
      } catch {
        app.say("The finer tiles beside the page could not be read; those in the page are drawn.");
      }
    }
    const held = new pmtiles.PMTiles(embedded(app, name));
    return { held, header: await held.getHeader() };
  }

  /** The archive of a name: `await archive.tile(z, x, y)`, `archive.peek(z, x, y)`; null if there is none. */
  function open(app, name) {
    const opened = (app.archives = app.archives || new Map());
    if (!opened.has(name)) opened.set(name, Object.hasOwn(app.data.archives || {}, name) ? archive(app, name) : null);
    return opened.get(name);
  }

  function archive(app, name) {
    const tiles = new Map(); // "z/x/y" → decoded tile, or the promise of it; the latest used last
    const made = { name, min: 0, max: app.data.archives[name].max_zoom };
    let starting = null, told = null;
    made.ready = () =>
      (starting = starting || begun(app, name).then((found) => {
        made.min = found.header.minZoom;
        made.max = found.header.maxZoom;
        return found.held;
      }));

    /** Attributes that tiles do not carry: layer → attribute → value a row. */
    made.beside = () => (told = told || made.ready().then((held) => held.getMetadata()).then((found) => (found && found.beside) || {}));

    function keep(key, value) {
      tiles.delete(key);
      tiles.set(key, value);
      if (tiles.size > KEPT) tiles.delete(tiles.keys().next().value);
    }

    made.tile = async (z, x, y) => {
      const held = await made.ready();
      const key = `${z}/${x}/${y}`;
      const there = tiles.get(key);
      if (there) {
        keep(key, there);
        return there;
      }
      const waiting = held.getZxy(z, x, y).then((found) => (found ? vectors.decoded(found.data) : new Map()));
      keep(key, waiting);
      try {
        const tile = await waiting;
        if (tiles.get(key) === waiting) tiles.set(key, tile);
        return tile;
      } catch (fault) {
        tiles.delete(key);
        throw fault;
      }
    };

    /** The tile that shows a place of the map best: itself, or the finest one above it. */
    made.covering = async (z, x, y) => {
      await made.ready();
      const up = Math.max(0, z - made.max);
      const at = { z: z - up, x: x >> up, y: y >> up, scale: 2 ** up };
      at.left = x - at.x * at.scale;
      at.top = y - at.y * at.scale;
      at.tile = at.z < made.min ? new Map() : await made.tile(at.z, at.x, at.y);
      return at;
    };
    return made;
  }

  /** Place of a coordinate in tiles of a zoom, within the world. */
  function placed(latlng, z) {
    const at = L.CRS.EPSG3857.latLngToPoint(L.latLng(latlng).wrap(), z + 1);
    return { x: at.x / SIDE, y: at.y / SIDE };
  }

  async function told(archive, layer, made, i) {
    const props = Object.assign(Object.create(null), made.props(i));
    const rows = (await archive.beside())[layer] || {};
    const id = made.ids[i];
    for (const [name, values] of Object.entries(rows)) if (id >= 0 && values[id] !== null && values[id] !== undefined) props[name] = values[id];
    return props;
  }

  function byArchive(app, entries) {
    const asked = entries.filter((e) => e.kind === "tiles" && open(app, e.source));
    return asked.map((entry) => ({ entry, archive: open(app, entry.source) }));
  }

  /** Features of entries at a place: [{entry, id, kind, props, words}], in the order of the entries. */
  async function at(app, latlng, entries) {
    const z = Math.max(0, Math.round(app.map.getZoom()) - 1), place = placed(latlng, z);
    const found = [];
    for (const { entry, archive } of byArchive(app, entries)) {
      if ((entry.style.from_zoom || 0) > z + 1) continue;
      const x = Math.floor(place.x), y = Math.floor(place.y);
      const over = await archive.covering(z, x, y);
      const made = over.tile.get(entry.layer);
      if (!made) continue;
      const steps = made.extent / over.scale, px = (over.left + place.x - x) * steps, py = (over.top + place.y - y) * steps;
      const reach = (Math.max(entry.style.radius || 0, (entry.style.width || 1) / 2) + 4) * (steps / SIDE);
      const seen = new Set();
      for (const i of made.matching(entry.match)) {
        if (seen.has(made.ids[i]) || !vectors.isAt(made, i, px, py, reach)) continue;
        seen.add(made.ids[i]);
        const props = await told(archive, entry.layer, made, i);
        found.push({ entry, id: made.ids[i], kind: made.kinds[i], props, words: props.words || "" });
      }
    }
    return found;
  }

  /** Features of entries that reach into an outline, a ring of [longitude, latitude]. */
  async function within(app, ring, entries) {
    const lons = ring.map((p) => p[0]), lats = ring.map((p) => p[1]);
    const corners = [[Math.max(...lats), Math.min(...lons)], [Math.min(...lats), Math.max(...lons)]];
    const found = [];
    for (const { entry, archive } of byArchive(app, entries)) {
      await archive.ready();
      // The finest zoom at which few tiles have the outline.
      let z = archive.max, a, b;
      for (; z >= archive.min; z--) {
        [a, b] = corners.map((corner) => placed(corner, z));
        if ((Math.floor(b.x) - Math.floor(a.x) + 1) * (Math.floor(b.y) - Math.floor(a.y) + 1) <= 9) break;
      }
      z = Math.max(z, archive.min);
      const places = ring.map(([lon, lat]) => placed([lat, lon], z)), seen = new Set();
      for (let x = Math.floor(a.x); x <= Math.floor(b.x); x++) {
        for (let y = Math.floor(a.y); y <= Math.floor(b.y); y++) {
          const made = (await archive.tile(z, x, y)).get(entry.layer);
          if (!made) continue;
          const outline = places.flatMap((p) => [(p.x - x) * made.extent, (p.y - y) * made.extent]);
          for (const i of made.matching(entry.match)) {
            if (seen.has(made.ids[i]) || !vectors.isWithin(made, i, outline)) continue;
            seen.add(made.ids[i]);
            const props = await told(archive, entry.layer, made, i);
            found.push({ entry, id: made.ids[i], kind: made.kinds[i], props, words: props.words || "" });
          }
        }
      }
    }
    return found;
  }

  /** A Leaflet layer that draws an entry; entries of one pane share a canvas a tile. */
  function layer(app, entry) {
    return open(app, entry.source) ? geosite.painting.layer(app, entry, open(app, entry.source)) : null;
  }

  return { open, layer, at, within };
})();
