from pathlib import Path
from typing import Literal

import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.arguments import as_choice, as_number, as_path, as_switch, name_list, path_list
from uvface.core.errors import InputError


def test_names_are_a_list_or_a_text():
    assert name_list("lips", "regions") == name_list(["lips"], "regions") == ("lips",)
    assert name_list(" lips, eyes,", "regions") == name_list(("lips", "eyes"), "regions")
    assert name_list("none", "regions") == name_list([" none"], "regions") == ()
    assert name_list([], "regions") == name_list("", "regions") == ()


@pytest.mark.parametrize("given", [5, None, [5], ["lips", None], np.zeros(3)])
def test_what_is_no_name_is_refused(given):
    with pytest.raises(InputError, match=r"regions .* need names, as a list"):
        name_list(given, "regions")


def test_paths_are_one_or_several():
    assert path_list("a.png", "files") == ["a.png"] and path_list(Path("a"), "files") == [Path("a")]
    assert path_list((name for name in "ab"), "files") == ["a", "b"]


@pytest.mark.parametrize("given", [5, None, ["a.png", 5], np.zeros((4, 4, 3))])
def test_what_is_no_path_is_refused(given):
    with pytest.raises(InputError, match=r"got a value of type \w+; need files"):
        path_list(given, "files")


def test_a_path_is_a_text_or_one_of_pathlib():
    assert as_path("a.png", "a file") == as_path(Path("a.png"), "a file") == Path("a.png")
    for given in (5, None, ["a.png"]):
        with pytest.raises(InputError, match=r"got a value of type \w+; need a file"):
            as_path(given, "a file")


def test_numbers_within_limits_pass():
    for value in (0, 1.0, 0.25, 10**400):
        assert as_number("strength", value, 0) is value
    assert as_number("count", np.int32(3), 1, is_whole=True) == 3


@pytest.mark.parametrize("kind", [np.float32, np.array, jnp.float32, jnp.asarray])
def test_numbers_of_arrays_become_python_s_own(kind):
    found = as_number("strength", kind(0.5), 0, 1)
    assert type(found) is float and found == 0.5
    whole = as_number("size", kind(3).astype(int), 0, 9, is_whole=True)
    assert type(whole) is int and whole == 3


@pytest.mark.parametrize(
    "value",
    [
        *("0.5", None, True, [0.5], float("nan"), -0.1, 1.1, 10**400),
        *(np.array(True), np.array("0.5"), np.array([0.5]), np.array(np.nan), jnp.float32(2)),
    ],
)
def test_other_numbers_are_refused(value):
    with pytest.raises(InputError, match="need a number, 0 to 1"):
        as_number("strength", value, 0, 1)
    with pytest.raises(InputError, match="need a whole number, 1 or more"):
        as_number("count", 1.5, 1, is_whole=True)


def test_a_number_without_limits_may_be_any():
    assert as_number("seed", -(10**40), is_whole=True) == -(10**40)
    with pytest.raises(InputError, match=r"seed 'x'; need a whole number$"):
        as_number("seed", "x", is_whole=True)


def test_a_switch_is_a_word_of_the_command_line_or_a_bool():
    """Any text counts as true to Python, "off" too."""
    assert all(as_switch("occlusion", value) is True for value in ("on", True, np.True_))
    assert all(as_switch("occlusion", value) is False for value in ("off", False, np.False_))


@pytest.mark.parametrize("value", ["no", "", 0, 1, None, ["off"]])
def test_other_switches_are_refused(value):
    with pytest.raises(InputError, match=r"occlusion .*; need 'on' or 'off', or True or False"):
        as_switch("occlusion", value)


def test_one_of_some_words_is_chosen():
    assert as_choice("light", "on", Literal["on", "off"]) == "on"


@pytest.mark.parametrize("given", ["of", "", None, 5, ["on"], np.array(["on", "off"])])
def test_what_is_none_of_the_words_is_refused(given):
    with pytest.raises(InputError, match=r"^light .*; choose from on, off$"):
        as_choice("light", given, Literal["on", "off"])
