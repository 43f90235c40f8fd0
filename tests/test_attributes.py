"""What features say in a field, and what is told when they do not."""

import numpy as np
import pytest
import shapely

from geosite.attributes import amounts, attribute, numbers
from geosite.catalog import Layer
from geosite.errors import CatalogError, LayerDataError
from tests.test_inputs import features
from tests.worlds import entry

TOWNS = Layer.model_validate({"id": "x/towns", **entry("infrastructure/towns")})


def saying(**fields):
    count = len(next(iter(fields.values())))
    return features([shapely.Point(k, 0) for k in range(count)]).assign(**fields)


def test_a_field_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(CatalogError, match=r"no field 'kv'; it has a, b; .* another in the rule"):
        attribute(saying(a=[1], b=[2]), "kv", TOWNS, "the rule")
    with pytest.raises(CatalogError, match="it has none"):
        attribute(features([shapely.Point(0, 0)]), "kv", TOWNS, "the criterion")


def test_amounts_are_whole_and_nothing_counts_nothing():
    assert amounts(saying(n=["3", None, "4.6"]), "n", TOWNS).tolist() == [3, 0, 5]
    with pytest.raises(LayerDataError, match="holds 'many', expected numbers"):
        amounts(saying(n=["3", "many"]), "n", TOWNS)


def test_a_number_that_cannot_be_read_is_not_known():
    found = numbers(saying(kv=["345", "NOT AVAILABLE", None, "inf"]), "kv", TOWNS)
    np.testing.assert_array_equal(found, [345, np.nan, np.nan, np.nan])
    assert np.isnan(numbers(saying(kv=[None, None]), "kv", TOWNS)).all()


def test_a_field_without_a_single_number_is_the_wrong_field():
    with pytest.raises(LayerDataError, match="field owner holds 'Toy Power', expected numbers"):
        numbers(saying(owner=["Toy Power", None]), "owner", TOWNS)
