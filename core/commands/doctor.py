"""``uvface doctor``."""

from __future__ import annotations

import dataclasses
import json

import typer

from .options import Json

__all__ = ["doctor"]


def doctor(as_json: Json = False) -> None:
    """Say whether everything is here that reconstruct, swap and edit need."""
    from ..doctor import doctor as run

    checks = run()
    for check in checks:
        if as_json:
            typer.echo(json.dumps(dataclasses.asdict(check)))
            continue
        mark = "ok " if check.is_well else "BAD" if check.is_needed else "(-)"
        typer.echo(f"{mark} {check.name:17s} {check.found}")
        if not check.is_well:
            typer.echo(f"    {'':17s} -> {check.advice}")
    if any(check.is_needed and not check.is_well for check in checks):
        raise typer.Exit(1)
