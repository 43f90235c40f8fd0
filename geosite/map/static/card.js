geosite.card = function () {};
