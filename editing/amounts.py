"""Amounts by name, as ``--reshape smile=0.5,nose_width=-0.3`` gives them; some with a colour."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..core.arguments import as_number, name_list
from ..core.errors import InputError
from .recolor import parse_color

__all__ = [
    "Amounts",
    "ColoredAmount",
    "ColoredAmounts",
    "parse_amounts",
    "parse_colored_amounts",
]

# Name -> amount, or text: "smile=0.5,eyes_size=-0.2", once or several times.
Amounts = Mapping[str, float] | str | Iterable[str]
_PART = re.compile(r"(?:\([^)]*\)?|[^(,])+")  # up to a comma outside brackets: rgb(200,30,60)
# Name -> amount, colour, or both; or text: "lipstick=0.8:crimson,blush", once or several times.
ColoredAmounts = Mapping[str, float | str | Sequence[float | str | None]] | str | Iterable[str]


class ColoredAmount(NamedTuple):
    """How much of something, and in which colour; None is one that suits."""

    amount: float
    color: str | None = None


def parse_amounts(
    given: Amounts, known: Collection[str], *, verb: str, low: int
) -> dict[str, float]:
    """Return name -> amount, in the order given.

    Args:
        given: ``{"smile": 0.5}``, or text.
        known: the names that there are.
        verb: what is done with what has the names, for errors: ``reshape``.
        low: the least amount; the largest is 1.

    Raises:
        InputError: an unknown name, an amount that is no such number, or a name twice.
    """
    example = f"{next(iter(known))}=0.5"
    pairs = given.items() if isinstance(given, Mapping) else _pairs(given, verb, low, example)
    return _checked(pairs, known, verb, low)


def parse_colored_amounts(
    given: ColoredAmounts, known: Collection[str], *, verb: str
) -> dict[str, ColoredAmount]:
    """Return name -> amount from 0 to 1 and colour, in the order given.

    Args:
        given: ``{"lipstick": (0.8, "crimson"), "blush": 0.4, "brows": "#402010"}``, or text:
            ``"lipstick=0.8:crimson,blush=0.4,brows:#402010"``. What has no amount, or None, has 1.
        known: the names that there are.
        verb: what is done with what has the names, for errors: ``make up``.

    Raises:
        InputError: an unknown name, an amount that is no such number, a colour that is none, or a
            name twice.
    """
    if isinstance(given, Mapping):
        wanted = [(name, *_amount_and_color(name, value)) for name, value in given.items()]
    else:
        wanted = [_named(part, verb, f"{next(iter(known))}=0.5:crimson") for part in _parts(given)]
    amounts = _checked([(name, amount) for name, amount, _ in wanted], known, verb, 0)
    for _, _, color in wanted:
        if color is not None:
            parse_color(color)
    return {name: ColoredAmount(amounts[name], color) for name, _, color in wanted}


def _checked(
    pairs: Iterable[tuple[Any, Any]], known: Collection[str], verb: str, low: int
) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, amount in pairs:
        if name not in known:
            raise InputError(f"cannot {verb} {name!r}; choose from {', '.join(known)}")
        if name in found:
            raise InputError(f"{name} is given twice; give one amount")
        found[name] = float(as_number(name, amount, low, 1))
    return found


def _parts(given: Any) -> list[str]:
    texts = name_list(_PART.findall(given) if isinstance(given, str) else given, "amounts")
    return [part for text in texts for part in _PART.findall(text)]


def _pairs(given: Any, verb: str, low: int, example: str) -> list[tuple[str, float]]:
    pairs = []
    for part in _parts(given):
        name, _, amount = part.partition("=")
        try:
            pairs.append((name.strip(), float(amount)))
        except ValueError:
            need = f"need NAME=AMOUNT with a number from {low} to 1, such as {example}"
            raise InputError(f"cannot read {part!r} of what to {verb}; {need}") from None
    return pairs


def _named(part: str, verb: str, example: str) -> tuple[str, float, str | None]:
    """Read ``NAME``, ``NAME=AMOUNT``, ``NAME:COLOUR`` or ``NAME=AMOUNT:COLOUR``."""
    told, colon, color = part.partition(":")
    name, equals, amount = told.partition("=")
    try:
        number = float(amount) if equals else 1.0
    except ValueError:
        need = f"need NAME, NAME=AMOUNT or NAME=AMOUNT:COLOUR, such as {example}"
        raise InputError(f"cannot read {part!r} of what to {verb}; {need}") from None
    return name.strip(), number, color.strip() if colon else None


def _amount_and_color(name: Any, value: Any) -> tuple[Any, Any]:
    """Read an amount, a colour, or a pair of them."""
    if isinstance(value, str):
        return 1.0, value
    if isinstance(value, list | tuple):
        if len(value) != 2:
            raise InputError(f"{name} {value!r}; need an amount, a colour, or both as a pair")
        amount, color = value
        return 1.0 if amount is None else amount, color
    return value, None
