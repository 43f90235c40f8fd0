geosite.layers = function () {};
