"""How far the country depends on imports of a commodity, and on one supplier of them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from geosite.model.base import Spec, Text

Standing = Literal["confirmed", "to be confirmed"]


class ImportReliance(Spec):
    """Net imports as a share of what the country uses in a year."""

    percent: Annotated[str, Field(pattern=r"^[<>]?(100|[0-9]{1,2})$")]
    """As it is published: ``85``, or a bound where the figure is withheld: ``>50``."""
    form: Text
    """Which line of the source it is: a metal, a concentrate, all forms."""
    year: Annotated[int, Field(ge=1900, le=2100)]
    source: Text
    evidence: Standing = "to be confirmed"

    @property
    def low(self) -> float:
        """The least that it may be, 0–1."""
        return 0.0 if self.percent[0] == "<" else int(self.percent.lstrip("<>")) / 100

    @property
    def high(self) -> float:
        """The most that it may be, 0–1."""
        return 1.0 if self.percent[0] == ">" else int(self.percent.lstrip("<>")) / 100


class MainSupplier(Spec):
    """The country that the largest share of the imports comes from."""

    country: Text
    percent: Annotated[int, Field(ge=0, le=100)] | None = None
    """Its share of the imports over `years`; None: a source names the country and no share."""
    form: Text
    """Which line of the source it is: a metal, a concentrate, all forms."""
    years: Annotated[str, Field(pattern=r"^(19|20)[0-9]{2}–(19|20)[0-9]{2}$")]
    source: Text
    evidence: Standing = "to be confirmed"


def supply_impact(
    reliance: ImportReliance | None, supplier: MainSupplier | None
) -> tuple[float, float] | None:
    r"""Supply impact of a commodity, at least and at most, 0–1; None: no reliance was read.

    Notes
    -----
    :math:`R \cdot \frac{1 + c}{2}`, where R is the net import reliance and c the main supplier's
    share of the imports: the mean of what the country would go without if all imports stopped,
    R, and if its main supplier alone did, R·c. Judgement: both are extremes, nobody knows which
    is nearer, and stocks, scrap and other suppliers that step in are not counted. A share that
    is not known may be anything from 0 to 1; a reliance that is withheld goes from bound to bound.

    Examples
    --------
    >>> figure = ImportReliance(percent="80", form="all", year=2024, source="a test")
    >>> supply_impact(figure, None)
    (0.4, 0.8)
    """
    if reliance is None:
        return None
    share = supplier.percent if supplier else None
    least, most = (0.0, 1.0) if share is None else (share / 100, share / 100)
    return reliance.low * (1 + least) / 2, reliance.high * (1 + most) / 2
