"""How every endpoint of the catalogue is: there, moved, changed, or dead."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from geosite.errors import GeositeError
from geosite.model.source import ManualSource, ServiceSource
from geosite.sources.asking import Ask, Finding, Health
from geosite.sources.client import Client, RefusedError
from geosite.sources.dataset import one_line
from geosite.sources.services import service

if TYPE_CHECKING:
    from geosite.model.layer import Layer


@dataclass(frozen=True, slots=True)
class Probed:
    """How one source of a layer is; ``manual`` where a person has to get the file.

    Parameters
    ----------
    count : int, optional
        Features of the whole layer, if the server says.
    attested : int, optional
        Features of the whole layer by the catalogue.
    """

    layer: str
    kind: str
    role: str
    url: str
    health: Health | Literal["manual"]
    words: str
    count: int | None = None
    attested: int | None = None

    @property
    def well(self) -> bool:
        """Whether nothing needs to be done about it."""
        return self.health in ("ok", "manual")


def probed(
    layers: Iterable[Layer],
    client: Client,
    *,
    jobs: int = 8,
    told: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[Probed, ...]:
    """How each source of some layers is, in the order of the catalogue; nothing is downloaded.

    Parameters
    ----------
    jobs : int
        Sources asked at a time; the client limits how many of one host.
    told : callable
        Is told how many of how many sources have answered.
    """
    asked = [(layer, source) for layer in layers for source in layer.sources]
    found: dict[int, Probed] = {}
    with ThreadPoolExecutor(jobs) as pool:
        running = {}
        for k, (layer, source) in enumerate(asked):
            if isinstance(source, ServiceSource):
                running[pool.submit(_one, layer, source, client)] = k
            elif isinstance(source, ManualSource):
                words = one_line(source.instructions)
                found[k] = Probed(
                    layer.id, "manual", source.role, source.url or "", "manual", words
                )
        try:
            for done, future in enumerate(as_completed(running), 1):
                found[running[future]] = future.result()
                told(done, len(running))
        except BaseException:
            client.end()
            pool.shutdown(cancel_futures=True)
            raise
    return tuple(found[k] for k in sorted(found))


def _one(layer: Layer, source: ServiceSource, client: Client) -> Probed:
    try:
        finding = service(source.kind).probed(Ask(layer, source), client)
    except RefusedError as error:
        finding = Finding("dead", error.words)
    except GeositeError as error:
        finding = Finding("schema changed", one_line(error))
    return Probed(
        layer.id, source.kind, source.role, source.url,
        finding.health, one_line(finding.words), finding.count, source.count,
    )  # fmt: skip
