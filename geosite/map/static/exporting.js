geosite.exporting = function () {};
