// Koop on a free port of loopback, which it prints. Two providers over the files of the folder
// it is started in:
// /file-geojson reads them anew for every request; /held keeps them and hands on single pages,
// as a database would, so that a client may be measured and not the server. A collection whose
// metadata says `silent` has pages that do not say that there is more.
const { readFileSync } = require('fs');
const path = require('path');
const Koop = require('@koopjs/koop-core');
const files = require('@koopjs/provider-file-geojson');

const folder = process.cwd();

class Held {
  #collections = new Map();

  #collection(name) {
    if (!this.#collections.has(name)) {
      const read = JSON.parse(readFileSync(path.join(folder, `${name}.geojson`)));
      this.#collections.set(name, read);
    }
    return this.#collections.get(name);
  }

  async getData(request) {
    const { features, ...rest } = this.#collection(request.params.id);
    const { resultOffset, resultRecordCount, geometry, objectIds, where } = request.query;
    const metadata = { geometryType: features[0].geometry.type, ...rest.metadata };
    if (geometry || objectIds || request.body.objectIds || (where && where !== '1=1')) {
      return { ...rest, metadata, features };
    }
    if (request.query.returnCountOnly === 'true') {
      return { ...rest, metadata, features: [], count: features.length };
    }
    // The files are in order of their object ids.
    const first = Number(resultOffset || 0);
    const last = first + Math.min(Number(resultRecordCount) || Infinity, metadata.maxRecordCount);
    return {
      ...rest,
      metadata: { ...metadata, exceededTransferLimit: !metadata.silent && last < features.length },
      features: features.slice(first, last),
      filtersApplied: { offset: true, resultRecordCount: true, orderByFields: true },
    };
  }
}

const koop = new Koop({ logLevel: 'error' });
koop.register(files, { dataDir: '.' }); // of where it is started: the folder itself
koop.register({ type: 'provider', name: 'held', version: '1.0.0', Model: Held });
const server = koop.server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
