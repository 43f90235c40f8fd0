"""Mineral commodities: the names that records use, the lists they are on, what they depend on."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from geosite.model.base import Identifier, Spec, Text
from geosite.model.supply import ImportReliance, MainSupplier

MineralList = Literal["critical2022", "critical2025", "eo14241", "nedc"]


class Commodity(Spec):
    """A mineral commodity and the names that records use for it."""

    id: Identifier
    title: Text
    names: tuple[Text, ...]
    """Names and MRDS codes, compared whole and without regard to case."""
    possible_names: tuple[Text, ...] = ()
    """Names that may mean it, and of which a record does not say whether they do: no evidence."""
    lists: tuple[MineralList, ...] = ()
    members: tuple[Identifier, ...] = ()
    """Of a group: the commodities that it stands for."""
    disposal: Literal["locatable", "leasable", "both", "unknown"] = "unknown"
    """Under which mineral law it is acquired on open public domain."""
    hosts: tuple[Identifier, ...] = ()
    """Commodities whose ore it is won from."""
    by_product: Literal["always", "in part"] | None = None
    """Whether it is won from its hosts alone. Where it is, the hosts' records are evidence of it,
    of less weight."""
    host_note: Text | None = None
    """From what, and where it is won: a smelter or a refinery."""
    import_reliance: ImportReliance | None = None
    """None: no figure was read in a source; it is unknown, not zero."""
    main_supplier: MainSupplier | None = None
    """None: no supplier was read in a source."""
    citation: Text

    @model_validator(mode="after")
    def _hosts_with_a_note(self) -> Self:
        if bool(self.hosts) != bool(self.by_product) or bool(self.hosts) != bool(self.host_note):
            msg = "hosts, by_product and host_note belong together: give all or none"
            raise ValueError(msg)
        return self


class Commodities(Spec):
    """The commodity table, and groups that stand for several of them."""

    commodities: tuple[Commodity, ...]
    qualifiers: tuple[Text, ...] = ()
    """Words that stand after the comma in a name and are no commodity: ``General``, ``Free``."""
    none_of_these: tuple[Text, ...] = ()
    """Names that begin or end like a commodity and are none: ``Silver, Refinery``."""

    @model_validator(mode="after")
    def _refers_to_what_is_there(self) -> Self:
        known = {c.id for c in self.commodities}
        found = [
            f"commodity {c.id}: {key}: there is no commodity {name!r}"
            for c in self.commodities
            for key, names in (("members", c.members), ("hosts", c.hosts))
            for name in names
            if name not in known
        ]
        if found:
            raise ValueError("; ".join(found))
        return self
