geosite.table = function () {};
