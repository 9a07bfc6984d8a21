"""What typer says of wrong usage, in one plain line: a log is searched line by line."""

from __future__ import annotations

from typing import Any

import typer

from .options import complain

__all__ = ["UsageError", "complain_of_usage"]

UsageError: type[Exception] = typer.BadParameter.__bases__[0]  # typer gives it no name of its own


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
