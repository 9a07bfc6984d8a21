"""Many swaps in one call: folders, globs and lists, with a row for every picture."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ..core.errors import InputError, UvfaceError
from ..core.files import InputFiles
from ..core.io.images import read_photo
from ..core.io.photos import PhotoLike, photo_path
from ..core.io.signing import ContentSigner, read_credentials
from ..core.whole_files import write_bytes_atomic
from ..editing.finder import FaceFinder, FoundReference
from ..editing.outputs import NEEDS_SIDECARS, MadePicture, Outputs, failed_record, kept_record
from ..editing.result import EditResult
from .jobs import Job
from .masks import masks_in
from .photos import swap_photo
from .request import SwapOptions, SwapRequest, describe
from .shares import FEATURES

__all__ = ["SwapItem", "swap_many", "write_rows"]

_COLUMNS = ("target", "reference", "output", "status", "faces", "error", "warnings")
_NUMBERS = ("size", "yaw", "reference_size", "reference_yaw", "seam_step", "own_step")
_SKIN = ("seen", "mirrored", "filled", "left", "covered", "kept")
_FEATURES = tuple(f"{name}_left" for name in FEATURES)


@dataclasses.dataclass(frozen=True, kw_only=True)
class SwapItem(MadePicture):
    """What became of one job; the photo is its target."""

    references: tuple[Path, ...]


def swap_many(
    jobs: Sequence[Job],
    *,
    finder: FaceFinder,
    request: SwapRequest,
    options: SwapOptions,
    masks: Path | None = None,
    metadata: bool = True,
    sidecar: bool = True,
    signer: ContentSigner | None = None,
    skip_existing: bool = False,
) -> Iterator[SwapItem]:
    """Make the pictures of a list of jobs.

    Args:
        jobs: what is put on what.
        finder: finds faces; each reference is read and reconstructed once.
        request: which faces; its references are replaced by each job's.
        options: how faces are put in.
        masks: folder of masks, named as the targets' stems; each target needs one.
        metadata: as `EditResult.save`.
        sidecar: as `EditResult.save`.
        signer: as `EditResult.save`.
        skip_existing: keep complete pictures that an earlier run of the same software made of
            the same inputs and options, as their sidecars tell; so not without sidecars.

    Yields:
        One item per job, in order; one that fails, also since another job writes its output or
        reads it, does not end the batch.

    Raises:
        InputError: pictures are to be kept, and no sidecars to be written.
    """
    if skip_existing and not (metadata and sidecar):
        raise InputError(f"skip_existing without sidecars; {NEEDS_SIDECARS}")
    beside = None if masks is None else masks_in(masks)
    requests = [_own_request(job, request, beside) for job in jobs]
    pairs = list(zip(jobs, requests, strict=True))
    inputs = InputFiles(photo_path(one) for job, own in pairs for one in _inputs(job, own))
    outputs = Outputs(inputs, has_sidecars=metadata and sidecar)
    for job, own in pairs:
        try:
            outputs.claim(job.output, job.target)
            if masks is not None and own.mask is None:
                need = f"add {job.target.stem}.png"
                raise InputError(f"{masks} holds no mask of {job.target.name}; {need}")
        except InputError as error:
            yield _failed(job, own, str(error))
            continue
        kept = None
        if skip_existing and (signer is None or _is_signed(job.output)):
            settings = partial(describe, job.target, own, options, finder)
            read = _inputs(job, own)
            kept = kept_record(job.output, job.target, inputs=read, settings=settings)
        if kept is not None:
            yield _item(job, kept, is_old=True)
            continue
        save = partial(EditResult.save, metadata=metadata, sidecar=sidecar, signer=signer)
        yield _one(job, own, finder, options, save)


def _own_request(job: Job, request: SwapRequest, masks: Mapping[str, Path] | None) -> SwapRequest:
    """Return the request with what is the job's own, of masks by the targets' stems."""
    own = dataclasses.replace(request, references=job.references) if job.references else request
    return own if masks is None else dataclasses.replace(own, mask=masks.get(job.target.stem))


def _inputs(job: Job, request: SwapRequest) -> list[PhotoLike]:
    """Return what a picture is made from, in the order of its sidecar."""
    mapped = [photo for given in request.mapping.values() for photo in given]
    given = [*(request.references or mapped), *request.likes, request.mask]
    photos = [one for one in given if one is not None and not isinstance(one, FoundReference)]
    return [job.target, *photos]


def _one(
    job: Job,
    request: SwapRequest,
    finder: FaceFinder,
    options: SwapOptions,
    save: Callable[[EditResult, Path], None],
) -> SwapItem:
    try:
        result = swap_photo(read_photo(job.target), request, finder, options=options)
        save(result, job.output)
        return _item(job, result.record(job.output))
    except (UvfaceError, OSError) as error:
        return _failed(job, request, str(error))


def _failed(job: Job, request: SwapRequest, message: str) -> SwapItem:
    """Return an item that names what was to be taken; of a map, for whichever face."""
    item = _item(job, failed_record(job.output, job.target, message), error=message)
    mapped = tuple(path for one in request.sources if (path := photo_path(one)) is not None)
    return dataclasses.replace(item, references=job.references or mapped)


def _item(
    job: Job, record: dict[str, Any], *, error: str | None = None, is_old: bool = False
) -> SwapItem:
    return SwapItem(
        photo=job.target,
        output=job.output,
        references=job.references,
        record=record,
        error=error,
        is_old=is_old,
    )


def _is_signed(picture: Path) -> bool:
    try:
        return read_credentials(picture) is not None
    except (OSError, UvfaceError):
        return False


def write_rows(path: Path, items: Sequence[SwapItem]) -> None:
    """Write a row for every item, failures included, as CSV or JSON by the path's suffix.

    Raises:
        InputError: another suffix, or the file cannot be written.
    """
    if path.suffix.lower() == ".json":
        rows = [{"status": item.status, **item.record} for item in items]
        write_bytes_atomic(path, (json.dumps(rows, indent=2) + "\n").encode())
        return
    if path.suffix.lower() != ".csv":
        raise InputError(f"{path} ends in neither .csv nor .json; name the report so")
    text = io.StringIO()
    writer = csv.DictWriter(text, [*_COLUMNS, *_NUMBERS, *_SKIN, *_FEATURES], lineterminator="\n")
    writer.writeheader()
    writer.writerows(_row(item) for item in items)
    # A file's name need not be UTF-8: its bytes are written as they are.
    write_bytes_atomic(path, text.getvalue().encode("utf-8", "surrogateescape"))


def _references(item: SwapItem) -> list[str]:
    """Return the names of a row's references; of a map, those of its faces in order."""
    faces = item.record.get("faces", [])
    mapped = [name for face in faces for name in face.get("reference", ())]
    return [*map(str, item.references)] or [*dict.fromkeys(mapped)]


def _row(item: SwapItem) -> dict[str, Any]:
    """Return a row of the table; its numbers are those of the first face."""
    faces = item.record.get("faces", [])
    first = faces[0] if faces else {}
    return {
        "target": str(item.photo),
        "reference": ";".join(_references(item)),
        "output": str(item.output),
        "status": item.status,
        "faces": len(faces) if item.error is None else 0,
        "error": item.error or "",
        "warnings": "; ".join(item.warnings),
        **{name: first.get(name, "") for name in _NUMBERS},
        **{name: first.get("skin", {}).get(name, "") for name in _SKIN},
        **{f"{name}_left": first.get("features_left", {}).get(name, "") for name in FEATURES},
    }
