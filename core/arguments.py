"""Arguments as callers give them: one name or several, numbers within limits, on or off.

A wrong kind of value ends in an `InputError` that says what is needed, whoever passed it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal, get_args

from .errors import InputError

__all__ = [
    "OnOff",
    "as_choice",
    "as_number",
    "as_path",
    "as_switch",
    "name_list",
    "path_list",
    "plain_number",
]

OnOff = bool | Literal["on", "off"]


def plain_number(given: Any) -> Any:
    """Return a whole number, as of NumPy, as one of Python, which JSON can hold; all else as it is.

    A bool is no number.
    """
    is_number = isinstance(given, Integral) and not isinstance(given, bool)
    return int(given) if is_number else given


def name_list(given: Any, what: str) -> tuple[str, ...]:
    """Return names that a comma-separated text or several texts hold, in order.

    Args:
        given: ``"lips,eyes"``, or ``["lips", "eyes"]``; ``"none"`` alone names none.
        what: what is named, in the plural, for the message.

    Raises:
        InputError: it is neither.
    """
    names = _several(given.split(",") if isinstance(given, str) else given)
    if not all(isinstance(name, str) for name in names):
        raise InputError(f"{what} {_shown(given)}; need names, as a list or separated by commas")
    found = tuple(name.strip() for name in names if name.strip())
    return () if found == ("none",) else found


def path_list(given: Any, what: str) -> list[str | Path]:
    """Return one path or several as several.

    Args:
        given: a path, or several.
        what: what the paths name, for the message.

    Raises:
        InputError: it is neither, as an array or a picture.
    """
    paths = _several(given)
    for path in paths:
        as_path(path, what)
    return paths


def as_path(given: Any, what: str) -> Path:
    """Return a path as one of `pathlib`.

    Args:
        given: a path, as a text or not.
        what: what the path names, for the message.

    Raises:
        InputError: it is none, as an array or a picture.
    """
    if not isinstance(given, str | os.PathLike):
        raise InputError(f"got a value of type {type(given).__name__}; need {what}")
    return Path(given)


def _several(given: Any) -> list[Any]:
    is_one = isinstance(given, str | os.PathLike) or not isinstance(given, Iterable)
    return [given] if is_one else [*given]


def as_number(
    name: str,
    value: Any,
    low: float | int = float("-inf"),
    high: float | int = float("inf"),
    *,
    is_whole: bool = False,
) -> Any:
    """Return a number as Python's own, which JSON takes; NumPy and JAX have others.

    Args:
        name: what it is, for the message.
        value: a number, or an array of no axes.
        low: the least that will do.
        high: the most.
        is_whole: whether only a whole number will do.

    Raises:
        InputError: it is none, or beyond the limits.
    """
    number: Any = value.item() if getattr(value, "ndim", None) == 0 else value
    kind = Integral if is_whole else Real
    is_number = isinstance(number, kind) and not isinstance(number, bool)
    if not (is_number and low <= number <= high):
        limits = f", {low:g} to {high:g}" if high < float("inf") else f", {low:g} or more"
        limits *= low > float("-inf")
        raise InputError(f"{name} {_shown(value)}; need a {'whole ' * is_whole}number{limits}")
    return number


def as_choice(name: str, value: Any, choices: Any) -> Any:
    """Return one of some words.

    Args:
        name: what it is, for the message.
        value: the word.
        choices: a `Literal` of all of them.

    Raises:
        InputError: it is none of them.
    """
    words = get_args(choices)
    if not isinstance(value, str) or value not in words:
        raise InputError(f"{name} {_shown(value)}; choose from {', '.join(words)}")
    return value


def as_switch(name: str, value: Any) -> bool:
    """Return whether something is on.

    Args:
        name: what it is, for the message.
        value: ``"on"`` or ``"off"``, as in the command line, or a bool.

    Raises:
        InputError: it is neither; a text as ``"no"`` would count as true.
    """
    given = value.item() if getattr(value, "ndim", None) == 0 else value
    if isinstance(given, bool):
        return given
    if isinstance(given, str) and given in ("on", "off"):
        return given == "on"
    raise InputError(f"{name} {_shown(value)}; need 'on' or 'off', or True or False")


def _shown(value: Any) -> str:
    """Return a value for a message of one line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"of type {type(value).__name__}"
