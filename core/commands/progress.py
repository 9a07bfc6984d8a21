"""A progress bar with count and time left, on a terminal; nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["Thing", "count_up", "track"]

Thing = TypeVar("Thing")


def track(things: Iterable[Thing], *, total: int, title: str, quiet: bool) -> Iterator[Thing]:
    """Pass things on; on a terminal with two or more of them, draw a bar on stderr meanwhile."""
    if not _is_shown(total, quiet):
        yield from things
        return
    with _bar(title) as bar:
        yield from bar.track(things, total=total)


@contextmanager
def count_up(total: int, *, title: str, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Give a function that is told how many are done, and draws a bar as `track` does."""
    if not _is_shown(total, quiet):
        yield lambda done: None
        return
    with _bar(title) as bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.update(task, completed=done)


def _is_shown(total: int, quiet: bool) -> bool:
    return not quiet and total >= 2 and _is_terminal(sys.stderr)


def _bar(title: str) -> Progress:
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
    return Progress(
        *columns, console=Console(stderr=True), redirect_stdout=_is_terminal(sys.stdout)
    )


def _is_terminal(stream: Any) -> bool:
    return stream is not None and bool(stream.isatty())  # None: closed before the start
