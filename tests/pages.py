"""What a map holds, read out of its page."""

from __future__ import annotations

import json
import re

from geosite.map import render_map


def page_of(content, **options):
    """The page of a content, as text."""
    return render_map(content, **options).get_root().render()


def data_of(page):
    """The data block of a page."""
    return json.loads(re.search(r'id="gs-data">(.*?)</script>', page, re.DOTALL)[1])


def blob_of(page, name):
    """Text of a block beside the data."""
    return re.search(rf'id="gs-blob-{name}">(.*?)</script>', page, re.DOTALL)[1]
