import inspect

import pytest

from geosite import errors

FAMILY = [
    found
    for _, found in inspect.getmembers(errors, inspect.isclass)
    if found is not errors.GeositeError
]


@pytest.mark.parametrize("error", FAMILY)
def test_every_error_is_ours_and_also_a_built_in(error):
    assert issubclass(error, errors.GeositeError)
    assert issubclass(error, ValueError | OSError | MemoryError)
    assert error.__doc__


@pytest.mark.parametrize("error", FAMILY)
def test_the_message_is_printed_as_it_was_given(error):
    assert str(error("what · where")) == "what · where"


def test_every_fault_is_listed_under_the_title():
    assert errors.faults("two things are wrong:", ["this", "that"]) == (
        "two things are wrong:\n  this\n  that"
    )
