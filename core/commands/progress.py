"""A progress bar with count and time left, on a terminal; nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

__all__ = ["Thing", "track"]

Thing = TypeVar("Thing")


def track(things: Iterable[Thing], *, total: int, title: str, quiet: bool) -> Iterator[Thing]:
    """Pass things on; on a terminal with two or more of them, draw a bar on stderr meanwhile."""
    if quiet or total < 2 or not _is_terminal(sys.stderr):
        yield from things
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # Lines of results pass above the bar, unless they go to a file or another program.
    with Progress(
        *columns, console=Console(stderr=True), redirect_stdout=_is_terminal(sys.stdout)
    ) as bar:
        yield from bar.track(things, total=total)


def _is_terminal(stream: Any) -> bool:
    return stream is not None and bool(stream.isatty())  # None: closed before the start
