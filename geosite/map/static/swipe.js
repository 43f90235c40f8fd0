geosite.swipe = function () {};
