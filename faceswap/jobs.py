"""Which pictures a batch of swaps makes: of folders, globs and lists; imports no JAX."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..core.errors import InputError
from ..core.find_photos import find_photos
from ..editing.output_names import is_many, output_name, outputs_in
from .tables import read_table, resolve_beside, split_references

__all__ = ["Job", "is_batch", "jobs_of_targets", "read_jobs"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """One picture to make."""

    target: Path
    references: tuple[Path, ...]  # none: the request's map of faces
    output: Path


def is_batch(target: str | None, listing: Path | None) -> bool:
    """Return whether a swap makes many pictures, however many its folder or list holds.

    Args:
        target: a file, a folder or a glob; None if a list names the targets.
        listing: a CSV file, as for `read_jobs`.
    """
    return listing is not None or target is None or is_many(target)


def jobs_of_targets(
    targets: Sequence[str | Path], references: Sequence[Path], folder: Path
) -> list[Job]:
    """Return a job for each photo that files, folders and globs name, of the same name in a folder.

    Raises:
        InputError: a folder or a glob holds no picture, or the outputs' folder is a target's.
    """
    paths = find_photos(targets)
    return [
        Job(target=path, references=tuple(references), output=output)
        for path, output in zip(paths, outputs_in(folder, paths), strict=True)
    ]


def read_jobs(path: Path, folder: Path) -> list[Job]:
    """Read a CSV list with the columns target and reference, and perhaps output.

    Several references of one person are separated by ``;``, and quoted where that separates the
    columns. Photos may lie beside the list;
    outputs are names in the folder, by default ``TARGET_REFERENCE`` with the target's suffix (PNG
    for formats that are only read).

    Raises:
        InputError: the file has other columns, an empty field, or an output outside the folder.
    """
    need = f"{path} needs the columns target,reference and perhaps output"
    rows = read_table(path, {"target", "reference"}, need)
    jobs = [_job_of_row(path, row, folder, line) for line, row in rows.items()]
    if not jobs:
        raise InputError(f"{path} lists nothing; {need}")
    return jobs


def _job_of_row(path: Path, row: Mapping[str, str], folder: Path, line: int) -> Job:
    references = split_references(path, row["reference"])
    if not row["target"] or not references:
        raise InputError(f"{path}, line {line}: no target or no reference")
    target = resolve_beside(path, row["target"])
    name = row.get("output") or output_name(target, addition=f"_{references[0].stem}")
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise InputError(
            f"{path}, line {line}: output {name} is not in {folder}; give a name in it"
        )
    return Job(target=target, references=references, output=folder / name)
