"""Making a costly thing once, also where several threads ask for it at the same time."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, update_wrapper
from threading import RLock
from typing import Any, Generic, ParamSpec, TypeVar

__all__ = ["once"]

_Given = ParamSpec("_Given")
_Thing = TypeVar("_Thing")


class once(Generic[_Given, _Thing]):
    """Make a thing on the first call, and give that one thereafter.

    Unlike by `functools.cache` alone, which holds no lock, of threads that call it while the thing
    is being made one makes it and the rest wait. A call that fails is made anew.
    """

    def __init__(self, make: Callable[_Given, _Thing]) -> None:
        """Take what makes the thing, one for each arguments; these must be hashable."""
        self._lock = RLock()
        self._made: Any = cache(make)
        update_wrapper(self, make)

    def __call__(self, *args: _Given.args, **kwargs: _Given.kwargs) -> _Thing:
        """Return the thing."""
        with self._lock:
            thing: _Thing = self._made(*args, **kwargs)
        return thing

    def cache_clear(self) -> None:
        """Forget what was made."""
        self._made.cache_clear()
