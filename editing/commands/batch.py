"""What commands that make many pictures share: what they refuse, and what they print."""

from __future__ import annotations

import json
import os
from pathlib import Path

import typer

from ...core.commands.options import complain, warn
from ..outputs import NEEDS_SIDECARS, MadePicture

__all__ = ["tell_picture", "wrong_folder", "wrong_skipping"]


def wrong_folder(output: Path) -> str | None:
    """Return what is wrong with the folder of a batch, or None."""
    return (
        f"output {output} is a file; of a batch it is a folder" if os.path.isfile(output) else None
    )


def wrong_skipping(
    skip: bool, *, batch: str, is_batch: bool, metadata: bool, sidecar: bool
) -> str | None:
    """Return what is wrong with ``--skip-existing``, or None.

    Args:
        skip: it is given.
        batch: what makes a batch, in words.
        is_batch: there is one.
        metadata: the pictures say what they are.
        sidecar: their sidecars are written.
    """
    if skip and not is_batch:
        return f"--skip-existing is for batches: {batch}"
    if skip and not (metadata and sidecar):
        option = "--no-sidecar" if metadata else "--no-metadata"
        return f"--skip-existing and {option}; {NEEDS_SIDECARS}"
    return None


def tell_picture(made: MadePicture, *, quiet: bool, as_json: bool) -> None:
    """Print what became of a photo of a batch: a line or a JSON object, and errors on stderr."""
    if made.error is not None:
        named = str(made.photo) in made.error
        complain(made.error if named else f"{made.photo}: {made.error}")
    warn(f"{made.output.name}: {line}" for line in made.warnings)
    if as_json:
        typer.echo(json.dumps({"status": made.status, **made.record}))
    elif not quiet and made.error is None:
        typer.echo(f"{made.photo} -> {made.output}{' (kept)' * made.is_old}")
