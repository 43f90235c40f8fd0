geosite.tiles = {};
