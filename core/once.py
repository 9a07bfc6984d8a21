"""Making a costly thing once, also where several threads ask for it at the same time."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from threading import RLock
from typing import Any, TypeVar, cast

__all__ = ["once"]

_Make = TypeVar("_Make", bound=Callable[..., Any])


def once(make: _Make) -> _Make:
    """Return a function that makes a thing on the first call, and gives that one thereafter.

    Unlike by `functools.cache` alone, which holds no lock, of threads that call it while the thing
    is being made one makes it and the rest wait. A call that fails is made anew.

    Args:
        make: what is made, one for each arguments; these must be hashable.
    """
    lock, made = RLock(), cache(make)

    @wraps(make)
    def call(*args: Any, **kwargs: Any) -> Any:
        with lock:
            return made(*args, **kwargs)

    call.cache_clear = made.cache_clear  # type: ignore[attr-defined]
    return cast(_Make, call)
