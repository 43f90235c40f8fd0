"""What a WFS says in XML: its types, their fields, how much it gives, why it refuses.

Python's expat bounds how far entities may grow, and no document type is let in at all, so that
none can be declared.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn
from xml.sax.saxutils import quoteattr

from geosite.model.lock import Box
from geosite.sources.client import Body, RefusedError
from geosite.sources.dataset import one_line

_MEMBERS = ("featureMember", "featureMembers", "member")
_REFUSALS = ("ExceptionReport", "ServiceExceptionReport")
_GEOMETRY = re.compile(
    r"(Geometr\w*|Point|Curve|Surface|LineString|Polygon|Solid|Multi\w+|GeometricPrimitive)"
    r"(Array)?PropertyType$"
)
_NUMBERS = {
    "integer": ("int", "integer", "long", "short", "byte", "nonNegativeInteger",
                "positiveInteger", "unsignedInt", "unsignedLong", "unsignedShort"),
    "number": ("double", "float", "decimal"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FeatureType:
    """A type: its name, the CRSs it comes in (the default first), where it is in WGS 84."""

    name: str
    crs: tuple[str, ...]
    extent: Box | None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a service says that it can: `limit` features an answer, and whether it pages."""

    version: str
    types: tuple[FeatureType, ...]
    pages: bool
    limit: int | None


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a type: ``text``, ``integer``, ``number`` or ``geometry``."""

    name: str
    kind: str


@dataclass(slots=True)
class Scanned:
    """An answer looked through: its root, the root's attributes, and how many features."""

    root: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    members: int = 0
    _path: list[str] = field(default_factory=list)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Count a feature where one begins."""
        name = _local(tag)
        if not self._path:
            self.root, self.attributes = name, dict(attributes)
        self.members += len(self._path) == 2 and self._path[1] in _MEMBERS
        self._path.append(name)

    def end(self, _tag: str) -> None:
        """Leave an element."""
        self._path.pop()

    def doctype(self, *_: Any) -> NoReturn:
        """Let no document type in."""
        raise _DoctypeError

    def close(self) -> Scanned:
        """What was found."""
        return self

    @property
    def counted(self) -> int | None:
        """How many features there are in all, if the answer says."""
        said = self.attributes.get("numberMatched", self.attributes.get("numberOfFeatures", ""))
        return int(said) if said.isascii() and said.isdigit() else None


class _DoctypeError(ValueError):
    pass


class _Builder(ET.TreeBuilder):
    def doctype(self, *_: Any) -> NoReturn:
        """Let no document type in."""
        raise _DoctypeError


def scanned(body: Body) -> Scanned:
    """An answer with features, well formed to its end.

    Raises
    ------
    RefusedError
        If it is something else: a refusal, a web page, half an answer.
    """
    found: Scanned = _parsed(body, Scanned())
    if found.root in _REFUSALS:
        _refuse(body, _parsed(body, _Builder()))
    if found.root != "FeatureCollection":
        raise RefusedError(body.url, f"answered <{found.root}>, expected features as GML")
    return found


def document(body: Body, root: str) -> ET.Element:
    """A small answer, as a tree.

    Raises
    ------
    RefusedError
        If it is something else than expected.
    """
    found: ET.Element = _parsed(body, _Builder())
    if _local(found.tag) in _REFUSALS:
        _refuse(body, found)
    if root.casefold() not in _local(found.tag).casefold():
        raise RefusedError(body.url, f"answered <{_local(found.tag)}>, expected {root}")
    return found


def _parsed(body: Body, target: Any) -> Any:
    parser = ET.XMLParser(target=target)  # noqa: S314 -- see above
    try:
        parser.feed(body.content.lstrip())
        return parser.close()
    except _DoctypeError:
        words = f"answered a document type ({_glimpse(body)}), expected plain XML"
        raise RefusedError(body.url, words, status=body.status) from None
    except (ET.ParseError, ValueError, LookupError) as error:
        words = f"answered {_glimpse(body)}, which is not whole XML ({one_line(error)})"
        raise RefusedError(body.url, words, again=True, status=body.status) from None


def _refuse(body: Body, root: ET.Element) -> NoReturn:
    said = [
        f"{_code(element)}{one_line(element.text or '')}"
        for element in root.iter()
        if _local(element.tag) in ("Exception", "ServiceException", "ExceptionText")
    ]
    words = "; ".join(text for text in said if text.strip("- ")) or "an exception without words"
    # A server that names the parameter would say the same again.
    lasting = any("locator" in element.attrib for element in root.iter())
    raise RefusedError(body.url, f"said: {words[:400]}", again=not lasting, status=body.status)


def _code(element: ET.Element) -> str:
    code = element.get("exceptionCode") or element.get("code")
    return f"{code} - " if code else ""


def capabilities(body: Body) -> Capabilities:
    """What the service offers.

    Raises
    ------
    RefusedError
        If the answer is no capabilities document of a WFS.
    """
    root = document(body, "WFS_Capabilities")
    types = [e for e in root.iter() if _local(e.tag) == "FeatureType"]
    said = {
        constraint.get("name", ""): text.upper()
        for constraint in root.iter()
        if _local(constraint.tag) == "Constraint" and (text := _value(constraint))
    }
    limit = said.get("CountDefault", said.get("DefaultMaxFeatures", ""))
    return Capabilities(
        version=root.get("version", ""),
        types=tuple(_feature_type(e) for e in types),
        pages=said.get("ImplementsResultPaging") == "TRUE",
        limit=int(limit) if limit.isascii() and limit.isdigit() and int(limit) else None,
    )


def _feature_type(element: ET.Element) -> FeatureType:
    names = [_text(e) for e in element if _local(e.tag) == "Name"]
    crs = [
        _text(e) for e in element
        if _local(e.tag) in ("SRS", "DefaultSRS", "OtherSRS", "DefaultCRS", "OtherCRS")
    ]  # fmt: skip
    return FeatureType(next(iter(names), ""), tuple(filter(None, crs)), _extent(element))


def _extent(element: ET.Element) -> Box | None:
    for box in element:
        name = _local(box.tag)
        if name == "LatLongBoundingBox":
            numbers = [box.get(key, "") for key in ("minx", "miny", "maxx", "maxy")]
        elif name == "WGS84BoundingBox":
            corners = {_local(corner.tag): _text(corner).split() for corner in box}
            numbers = [*corners.get("LowerCorner", []), *corners.get("UpperCorner", [])]
        else:
            continue
        try:
            west, south, east, north = map(float, numbers)
        except ValueError:
            return None
        # Some servers write metres here, or nothing that is a box.
        fits = -180 <= west < east <= 180 and -90 <= south < north <= 90
        return (west, south, east, north) if fits else None
    return None


def fields(body: Body, name: str) -> tuple[Field, ...]:
    """Fields of a type by its schema; none if the schema keeps them elsewhere.

    Raises
    ------
    RefusedError
        If the answer is no schema.
    """
    root = document(body, "schema")
    bare = name.rpartition(":")[2]
    kinds = {e.get("name"): e for e in root if _local(e.tag) == "complexType"}
    heads = [e for e in root if _local(e.tag) == "element" and e.get("name") == bare]
    # The type stands by itself, or inside the element.
    kind = next((kinds.get(_bare_type(e), e) for e in heads), root[:0])
    found = [e for e in _below(kind) if _local(e.tag) == "element" and e.get("name")]
    return tuple(Field(e.get("name", ""), _kind(e)) for e in found)


def _below(elements: Iterable[ET.Element]) -> Iterator[ET.Element]:
    for element in elements:
        yield from element.iter()


def _kind(element: ET.Element) -> str:
    bases = [e.get("base", "") for e in element.iter() if _local(e.tag) == "restriction"]
    said = element.get("type") or next(iter(bases), "")
    if _GEOMETRY.search(said):
        return "geometry"
    bare = said.rpartition(":")[2]
    return next((kind for kind, names in _NUMBERS.items() if bare in names), "text")


def schema(name: str, found: tuple[Field, ...]) -> bytes:
    """The same type as a schema of texts, for GDAL.

    Without one it guesses types a page at a time, and 00123 becomes a number; with the
    server's own it reads a word in a numeric field as 0, and may go and fetch others.
    """
    bare = name.rpartition(":")[2]
    kinds = {"geometry": "gml:GeometryPropertyType"}
    elements = "".join(
        f'<xsd:element name={quoteattr(one.name)} minOccurs="0" '
        f'type="{kinds.get(one.kind, "xsd:string")}"/>'
        for one in found
    )
    return (
        '<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:t" '
        'xmlns:gml="http://www.opengis.net/gml" targetNamespace="urn:t">'
        f'<xsd:element name={quoteattr(bare)} type="t:T" substitutionGroup="gml:_Feature"/>'
        '<xsd:complexType name="T"><xsd:complexContent>'
        f'<xsd:extension base="gml:AbstractFeatureType"><xsd:sequence>{elements}'
        "</xsd:sequence></xsd:extension></xsd:complexContent></xsd:complexType></xsd:schema>"
    ).encode()


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _text(element: ET.Element) -> str:
    return (element.text or "").strip()


def _value(constraint: ET.Element) -> str:
    return next((t for e in constraint.iter() if e is not constraint and (t := _text(e))), "")


def _bare_type(element: ET.Element) -> str:
    return element.get("type", "").rpartition(":")[2]


def _glimpse(body: Body) -> str:
    text = one_line(body.content[:1000].decode("utf-8", "replace")) if body.content else "nothing"
    page = "a web page " if "<html" in text.lower() else ""
    return f"{page}{''.join(c if c.isprintable() else '.' for c in text[:120])!r}"
