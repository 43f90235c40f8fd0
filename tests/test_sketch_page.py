"""A small map is the same every time, and obeys no word of a dataset."""

from geosite.report import write_sketch
from geosite.report.sketch import Line, Mark, Sketch

EVIL = "</script><script>alert(1)</script>{{ 7 * 7 }}"


def sketch(words):
    mark = Mark((-117.123456, 40.5), "#9f2a63", 8.0, (words,))
    line = Line(((-117.0, 40.0), (-116.0, 41.0)), "#1f5f99", (words,), dashed=True)
    return Sketch(words, words, words, (("#9f2a63", words),), (mark,), (line,))


def test_words_are_data_and_places_are_latitude_first(tmp_path):
    page = tmp_path / "map.html"
    write_sketch(sketch(EVIL), page)
    text = page.read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert "49" not in text.split("gs-words")[1].split("<pre>")[0]
    assert "[40.5,-117.12346]" in text
    assert "6 6" in text


def test_the_same_sketch_is_the_same_page(tmp_path):
    for name in ("a", "b"):
        write_sketch(sketch("words"), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
