"""Compiled programs that a process of many tests lets go of."""

import gc

from uvface.core.traced import _Programs


def kept_programs():
    """Return the compiled programs of each kept function."""
    return [one for one in gc.get_objects() if type(one) is _Programs]


def forget_programs():
    """Let go of the compiled programs of all kept functions, which load them again on need."""
    for programs in kept_programs():
        programs.clear()
