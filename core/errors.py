"""Exceptions of uvface: catch `UvfaceError` to catch all of them.

The tree::

    UvfaceError
     |- InputError(ValueError)   unusable file, array or option
     |- NoFaceError              the photo was read, no face is in it
     |- AssetError               weights, layout or model pack missing or damaged

A message says what we got, what we need and what to do about it, in one line.
"""

__all__ = ["AssetError", "InputError", "NoFaceError", "UvfaceError"]


class UvfaceError(Exception):
    """Base of every error that uvface raises on purpose."""


class InputError(UvfaceError, ValueError):
    """A file, an array or an option that cannot be used."""


class NoFaceError(UvfaceError):
    """The photo was read, but no face was found in it."""


class AssetError(UvfaceError):
    """Weights, a UV layout or a model pack is missing, damaged or of another kind."""
