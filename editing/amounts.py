"""Amounts by name, as ``--reshape smile=0.5,nose_width=-0.3`` gives them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ..core.arguments import as_number, name_list
from ..core.errors import InputError

__all__ = ["Amounts", "parse_amounts"]

# Name -> amount, or text: "smile=0.5,eyes_size=-0.2", once or several times.
Amounts = Mapping[str, float] | str | Iterable[str]


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
    found: dict[str, float] = {}
    for name, amount in pairs:
        if name not in known:
            raise InputError(f"cannot {verb} {name!r}; choose from {', '.join(known)}")
        if name in found:
            raise InputError(f"{name} is given twice; give one amount")
        found[name] = float(as_number(name, amount, low, 1))
    return found


def _pairs(given: Any, verb: str, low: int, example: str) -> list[tuple[str, float]]:
    pairs = []
    for part in (part for text in name_list(given, "amounts") for part in text.split(",")):
        name, _, amount = part.partition("=")
        try:
            pairs.append((name.strip(), float(amount)))
        except ValueError:
            need = f"need NAME=AMOUNT with a number from {low} to 1, such as {example}"
            raise InputError(f"cannot read {part!r} of what to {verb}; {need}") from None
    return pairs
