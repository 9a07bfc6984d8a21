"""Many edits in one call: ``uvface edit`` of a folder or a glob."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from ..core.errors import InputError, UvfaceError
from ..core.files import InputFiles
from ..core.io.images import read_photo
from ..core.io.photos import photo_path
from .finder import FaceFinder
from .outputs import NEEDS_SIDECARS, MadePicture, Outputs, failed_record, kept_record
from .photos import edit_photo, read_others
from .request import EditRequest, describe_edit

__all__ = ["edit_many"]


def edit_many(
    photos: Sequence[Path],
    outputs: Sequence[Path],
    request: EditRequest,
    *,
    finder: FaceFinder,
    metadata: bool = True,
    sidecar: bool = True,
    skip_existing: bool = False,
) -> Iterator[MadePicture]:
    """Edit photos, each into a picture of its own.

    Args:
        photos: files.
        outputs: the picture to make of each.
        request: what is done, from `edit_request`.
        finder: finds faces; references are read once.
        metadata: as `EditResult.save`.
        sidecar: as `EditResult.save`.
        skip_existing: keep complete pictures that an earlier run of the same software made of
            the same inputs and options, as their sidecars tell; so not without sidecars.

    Yields:
        One item per photo, in order; one that fails does not end the batch.

    Raises:
        InputError: pictures are to be kept, and no sidecars to be written.
        InputError, NoFaceError, AssetError: a reference or a person to be like cannot be read.
    """
    if skip_existing and not (metadata and sidecar):
        raise InputError(f"skip_existing without sidecars; {NEEDS_SIDECARS}")
    shared = [*request.sources, *request.likes]
    claimed = Outputs(
        InputFiles([*photos, *map(photo_path, shared)]), has_sidecars=metadata and sidecar
    )
    is_ready = False
    for photo, output in zip(photos, outputs, strict=True):
        made = partial(MadePicture, photo=photo, output=output)
        failed = partial(failed_record, output, photo)
        try:
            claimed.claim(output, photo)
        except InputError as error:
            yield made(record=failed(error), error=str(error))
            continue
        if skip_existing:
            settings = partial(describe_edit, photo, request, finder)
            kept = kept_record(output, photo, inputs=[photo, *shared], settings=settings)
            if kept is not None:
                yield made(record=kept, is_old=True)
                continue
        if not is_ready:  # what all need and cannot be read is no photo's failure
            read_others(request, finder)
            is_ready = True
        try:
            result = edit_photo(read_photo(photo), request, finder)
            result.save(output, metadata=metadata, sidecar=sidecar)
            yield made(record=result.record(output))
        except (UvfaceError, OSError) as error:
            yield made(record=failed(error), error=str(error))
