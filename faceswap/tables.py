"""Files that name photos: CSV tables, and paths that may be relative to the file."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection
from itertools import zip_longest
from pathlib import Path

from ..core.errors import InputError
from ..core.files import read_bytes

__all__ = ["read_table", "read_text", "resolve_beside", "split_references"]


def read_table(path: Path, columns: Collection[str], need: str) -> dict[int, dict[str, str]]:
    """Read a CSV file: line number -> column -> text, without the spaces around it.

    Columns are separated by ``,``, or by ``;`` (as spreadsheets write it where a comma stands in
    numbers) if the header is. Empty lines do not count.

    Args:
        path: the file, UTF-8, with line ends of any system.
        columns: those that it must have.
        need: what the file should hold, for messages.

    Raises:
        InputError: it is no CSV table, lacks a column, or a row has more fields than columns.
    """
    text = io.StringIO(read_text(path, need), newline=None).read()
    body = text.lstrip()
    header, skipped = body.partition("\n")[0], text[: len(text) - len(body)].count("\n")
    delimiter = ";" if ";" in header and "," not in header else ","
    reader = csv.reader(io.StringIO(body), delimiter=delimiter, skipinitialspace=True)
    try:
        found = _without_last([name.strip() for name in next(reader, [])])
        numbered = [(skipped + reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise InputError(f"{path} is no CSV table ({error}); {need}") from error
    if not set(columns) <= set(found) or "" in found or len(set(found)) < len(found):
        raise InputError(f"{path} has the columns {', '.join(found) or 'none'}; {need}")
    rows = {line: [field.strip() for field in row] for line, row in numbered}
    for line, row in rows.items():
        if any(row[len(found) :]):
            raise InputError(
                f"{path}, line {line}: more fields than columns; several references are one "
                'field, as in "a.jpg;b.jpg"'
            )
    return {
        line: dict(zip_longest(found, row[: len(found)], fillvalue=""))
        for line, row in rows.items()
        if any(row)
    }


def _without_last(names: list[str]) -> list[str]:
    """Return the names of columns without those behind the last that has one."""
    while names and not names[-1]:
        names = names[:-1]
    return names


def read_text(path: Path, need: str) -> str:
    """Return what a file of UTF-8 text holds.

    Args:
        path: the file.
        need: what it should hold, for messages.

    Raises:
        InputError: it cannot be read, or is no such text.
    """
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text; {need}") from error


def split_references(file: Path, text: str) -> tuple[Path, ...]:
    """Return the photos of one person that a field of a table names, separated by ``;``.

    Args:
        file: the table; photos may lie beside it.
        text: the field.
    """
    names = [name.strip() for name in text.split(";") if name.strip()]
    return tuple(resolve_beside(file, name) for name in names)


def resolve_beside(file: Path, name: str) -> Path:
    """Return a path that a file names: as it is, or else relative to the file's folder."""
    path = Path(name)
    beside = file.parent / path
    return beside if not path.is_absolute() and not path.exists() and beside.exists() else path
