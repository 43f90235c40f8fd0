geosite.weights = function () {};
