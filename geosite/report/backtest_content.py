"""What a back-test found, in the shape that numbers, pictures and a page can be made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from geosite.model.rule import Rule
    from geosite.validation import Standing

LIKELIHOOD, PLAIN = "likelihood", "plain_sum"
"""The evidence surface, and the plain sum of kernels that it has to beat."""
WITHIN_STATE, ALL_LAND = "within_state", "all_land"
"""What a site is ranked against: the AOI's land of its own state, or all land of the AOI."""
SHARES = (0.01, 0.05, 0.10, 0.20)
"""Shares of the land of which it is said how many sites they hold."""
NAMESAKE = 5.0
"""A record of a site's own name is taken for the site so many times the leak distance away.
Judgement, on the snapshot: of 914 western deposits 52 have one that names a common commodity at
5 to 25 km, and at 25 to 50 km no more than other mines of a common name would give."""
NOT_A_TEST = (
    "not a test: it reads infrastructure that was built for mines, and the site's own record"
)
TITLES = {
    LIKELIHOOD: "Evidence surface",
    PLAIN: "Plain sum of kernels",
    WITHIN_STATE: "land of the site's own state",
    ALL_LAND: "all land of the AOI",
}
"""How they are called."""


@dataclass(frozen=True, slots=True)
class Backtest:
    """What a back-test found.

    Attributes
    ----------
    about : str
        What was to be found.
    sites : DataFrame
        ``name, place, state, longitude, latitude, likelihood, uncertainty, likelihood_pct``;
        from a file of known sites also ``status, offered, excluded_by, cannot_tell,
        suitability``, of deposits held out ``fold``.
    standings : mapping of surface to mapping of scope to Standing
        Of the sites on land of the AOI.
    removed : mapping of layer to records taken out of the evidence
        Summed over the folds.
    surface : mapping
        How the evidence surface was made; see `likelihoods.report`.
    rules
        Rules that were asked.
    missing, notes
        What was not to be had, and what the plan says of itself.
    """

    title: str
    scenario: str
    aoi: str
    as_of: str
    notice: str
    marking: str
    synthetic: bool
    about: str
    leak_m: float
    seed: int
    sites: pd.DataFrame
    standings: Mapping[str, Mapping[str, Standing]]
    removed: Mapping[str, int]
    surface: Mapping[str, Any]
    rules: Sequence[Rule]
    missing: Sequence[str]
    notes: Sequence[str]

    @property
    def counted(self) -> dict[str, int]:
        """Number of sites by where they lie."""
        place = self.sites["place"]
        return {p: int((place == p).sum()) for p in ("in", "off land", "outside")}
