"""Amounts by name: read from text and mappings, wrong ones refused."""

import inspect

import numpy as np
import pytest

from uvface.core.errors import InputError
from uvface.editing.amounts import ColoredAmount, parse_amounts, parse_colored_amounts

KNOWN = {"verb": "reshape", "low": -1, "known": ("smile", "nose_width")}


def test_amounts_are_read_from_a_mapping_and_from_text():
    goal = {"smile": 0.5, "nose_width": -0.25}
    for given in (goal, "smile=0.5,nose_width=-.25", ["smile = .5", "nose_width=-0.25"]):
        assert parse_amounts(given, **KNOWN) == goal
    assert parse_amounts({"smile": np.float32(0.5)}, **KNOWN) == {"smile": 0.5}
    assert parse_amounts((), **KNOWN) == {}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("smile", "NAME=AMOUNT"),
        ("smile=much", "NAME=AMOUNT"),
        ("smirk=1", "smirk.*choose from smile"),
        ("smile=1.5", "-1 to 1"),
        ("smile=nan", "-1 to 1"),
        ({"smile": "0.5"}, "smile"),
        ({1: 0.5}, "choose from"),
        (["smile=.1", "smile=.2"], "twice"),
        (0.5, "amounts"),
        ([0.5], "amounts"),
    ],
)
def test_unusable_amounts_say_what_is_needed(given, told):
    with pytest.raises(InputError, match=told):
        inspect.unwrap(parse_amounts)(given, **KNOWN)  # without the tests' type checker


def test_the_least_amount_is_the_caller_s():
    with pytest.raises(InputError, match="need a number, 0 to 1"):
        parse_amounts("smile=-0.5", **(KNOWN | {"low": 0}))


def test_what_has_no_amount_has_all_and_what_has_no_colour_has_none():
    read = parse_colored_amounts(["rouge:#a01830", "kohl=.5: navy"], ("rouge", "kohl"), verb="try")
    assert read == {"rouge": ColoredAmount(1.0, "#a01830"), "kohl": ColoredAmount(0.5, "navy")}
    assert parse_colored_amounts("kohl", ("rouge", "kohl"), verb="try") == {"kohl": (1.0, None)}
    with pytest.raises(InputError, match="cannot read 'kohl=' of what to try"):
        parse_colored_amounts("kohl=", ("rouge", "kohl"), verb="try")


def test_commas_within_a_colour_s_brackets_part_nothing():
    """Before, ``rouge=0.5:rgb(200,30,60)`` asked for 30."""
    goal = {
        "rouge": ColoredAmount(0.5, "rgb(200,30,60)"),
        "kohl": ColoredAmount(1.0, "hsl(0,9%,9%)"),
    }
    for given in (
        "rouge=0.5:rgb(200,30,60),kohl:hsl(0,9%,9%)",
        ["rouge=0.5:rgb(200,30,60)", "kohl:hsl(0,9%,9%)"],
        ["rouge=0.5:rgb(200,30,60), kohl:hsl(0,9%,9%)"],
        {"rouge": (0.5, "rgb(200,30,60)"), "kohl": (None, "hsl(0,9%,9%)")},
    ):
        assert parse_colored_amounts(given, ("rouge", "kohl"), verb="try") == goal
    with pytest.raises(InputError, match="is not a colour"):
        parse_colored_amounts("rouge:rgb(200,30,60", ("rouge", "kohl"), verb="try")
