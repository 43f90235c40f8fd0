geosite.find = function () {};
