geosite.tools = function () {};
