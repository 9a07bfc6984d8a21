"""How far work is: a bar with count and time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

import typer

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["Thing", "count_up", "tell_of_compiling", "track"]

Thing = TypeVar("Thing")

# A line of a log is followed by the next after so much of the work, or after so long.
_SHARE = 0.1
_SECONDS = 30.0
_COMPILED = "/jax/compilation_cache/cache_misses"  # what JAX calls a program that it had to compile


def track(things: Iterable[Thing], *, total: int, title: str, quiet: bool) -> Iterator[Thing]:
    """Pass things on; on a terminal with two or more of them, draw a bar on stderr meanwhile.

    For commands that print a line of results for each thing: in a log these tell how far it is.
    """
    if quiet or total < 2 or not _is_terminal(sys.stderr):
        yield from things
        return
    with _bar(title) as bar:
        yield from bar.track(things, total=total)


@contextmanager
def count_up(total: int, *, title: str, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Give a function that is told how many are done, and shows it on stderr.

    For commands that print nothing meanwhile: a bar as `track` draws it, or in a log a line for
    each tenth of the work, and every half minute.
    """
    if quiet or total < 2:
        yield lambda done: None
        return
    if not _is_terminal(sys.stderr):
        yield _Lines(title, total)
        return
    with _bar(title) as bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.update(task, completed=done)


class _Lines:
    """Prints how far it is, not too often."""

    def __init__(self, title: str, total: int) -> None:
        self._title, self._total = title, total
        self._start = self._told = monotonic()
        self._shown = 0  # things done at the last line

    def __call__(self, done: int) -> None:
        now = monotonic()
        if done <= self._shown or not self._is_due(done, now):
            return
        self._told, self._shown = now, done
        left = timedelta(seconds=round((now - self._start) * (self._total - done) / done))
        share = f"{100 * done / self._total:.0f} %"
        typer.echo(f"{self._title}: {done} of {self._total} ({share}), {left} left", err=True)

    def _is_due(self, done: int, now: float) -> bool:
        return done - self._shown >= _SHARE * self._total or now - self._told >= _SECONDS


def tell_of_compiling(*, quiet: bool) -> None:
    """Say on a terminal, once, that JAX compiles: it makes a first run many times as long."""
    if quiet or not _is_terminal(sys.stderr):
        return
    from jax import monitoring

    told: list[str] = []

    def listen(event: str, **_: str | int) -> None:
        if event == _COMPILED and not told:
            told.append(event)
            typer.echo(
                "preparing: a first run compiles; later ones take it from the cache", err=True
            )

    monitoring.register_event_listener(listen)


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
