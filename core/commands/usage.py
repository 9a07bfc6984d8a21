"""What typer says of wrong usage, in one plain line: a log is searched line by line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from .options import complain

__all__ = ["UsageError", "complain_of_usage", "refuse_empty_names"]

UsageError: type[Exception] = typer.BadParameter.__bases__[0]  # typer gives it no name of its own


_EMPTY = "(an empty name)"


def refuse_empty_names(command: Any, words: Sequence[str]) -> None:
    """Refuse an empty name of a file or a folder, which would stand for the current folder.

    Args:
        command: typer's; None where there is none of the name.
        words: what follows it.

    Raises:
        UsageError: there is one.
    """
    if command is None:
        return
    marked = [_EMPTY if not word else word + _EMPTY * _is_cut(word) for word in words]
    if marked == [*words]:
        return
    context = command.make_context(f"uvface {command.name}", marked, resilient_parsing=True)
    for param in command.params:
        value = context.params.get(param.name)
        names = value if isinstance(value, list | tuple) else [value]
        is_path = param.param_type_name == "argument" or any(isinstance(x, Path) for x in names)
        if is_path and _EMPTY in map(str, names):
            text = "an empty name of a file or folder; is a variable not set?"
            raise typer.BadParameter(text, ctx=context, param=param)


def _is_cut(word: str) -> bool:
    """Return whether nothing follows the sign in ``--output=``."""
    return word.startswith("--") and word.endswith("=")


def complain_of_usage(error: Any) -> None:
    """Print what is wrong with the words of a command, and where its help is.

    Args:
        error: a `UsageError`. One that is only there to show the help says nothing.
    """
    if type(error).__name__ == "NoArgsIsHelpError":  # typer has shown the help by now
        return
    complain(_message(error))
    if error.ctx is not None:
        typer.echo(f"Try '{error.ctx.command_path} --help' for help.", err=True)


def _message(error: Any) -> str:
    """Return typer's text, with what was got and the limits where pydantic leaves them out."""
    text = error.format_message().removeprefix("Invalid value: ")
    text = " ".join(text.replace(": Value error, ", ": ", 1).split())
    cause = error.__cause__
    if not hasattr(cause, "errors"):
        return str(text)
    got = str(cause.errors()[0].get("input", ""))
    if f"'{got}'" in text:
        return str(text)
    low, high = (getattr(error.param, end, None) for end in ("min", "max"))
    if low is None:
        return f"{text}; got {got}"
    return f"{text}; got {got}, need {low} " + ("or more" if high is None else f"to {high}")
