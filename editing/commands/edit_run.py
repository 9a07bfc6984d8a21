"""What ``uvface edit`` does once its options are read: one picture, or a batch."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from pathlib import Path

import typer

from ...core.commands.options import (
    check_folder,
    name_photos,
    report,
    spare_sidecars,
    usage_errors,
    warn,
)
from ...core.commands.progress import track
from ...core.files import InputFiles
from ...core.io.images import check_image_name, read_photo
from ..finder import LIKE, FaceFinder
from ..many import edit_many
from ..output_names import is_many, outputs_in, require_photo
from ..photos import edit_photo
from ..request import EditRequest
from .batch import tell_picture, wrong_folder, wrong_skipping

__all__ = ["Run"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """The options that say what is read and written; see `edit.edit`."""

    photo: str
    output: Path
    reference: Path | None
    like: Path | None
    reference_like: Path | None
    skip_existing: bool
    metadata: bool
    sidecar: bool
    quiet: bool
    as_json: bool

    @cached_property
    def is_batch(self) -> bool:
        """Return whether many pictures are made."""
        return is_many(self.photo)

    @cached_property
    def photos(self) -> list[Path]:
        """Return the photos that are changed."""
        return name_photos([self.photo]) if self.is_batch else [Path(self.photo)]

    @property
    def others(self) -> list[Path]:
        """Return the other photos that are read."""
        given = (self.reference, self.like, self.reference_like)
        return [path for path in given if path is not None]

    @cached_property
    def outputs(self) -> list[Path]:
        """Return the picture that is made of each photo; refuse what cannot be written."""
        photos = self.photos
        wrong = wrong_folder(self.output) if self.is_batch else None
        if wrong:
            raise typer.BadParameter(wrong)
        if not self.is_batch:
            require_photo(self.photo, self.output)
        with usage_errors():
            if not self.is_batch:
                InputFiles([*photos, *self.others]).spare(self.output)
                check_image_name(self.output)
                return [self.output]
            check_folder(self.output)
            return outputs_in(self.output, photos)

    def check_usage(self) -> None:
        """Refuse options that do not go together, with exit code 2."""
        outputs = self.outputs
        if not self.is_batch:  # of a batch each photo fails by itself
            spare_sidecars(outputs, metadata=self.metadata, sidecar=self.sidecar)
        wrong = wrong_skipping(
            self.skip_existing,
            batch="a folder or a glob",
            is_batch=self.is_batch,
            metadata=self.metadata,
            sidecar=self.sidecar,
        )
        if wrong:
            raise typer.BadParameter(wrong)

    def start(self, request: EditRequest, finder: FaceFinder) -> None:
        """Make the pictures; a failure exits with 1."""
        likes = [self.like, self.reference_like]
        finder.require_boxes({"photo": self.photos, "reference": [self.reference], LIKE: likes})
        (self._edit_many if self.is_batch else self._edit_one)(request, finder)

    def _edit_one(self, request: EditRequest, finder: FaceFinder) -> None:
        result = edit_photo(read_photo(self.photos[0]), request, finder)
        result.save(self.output, metadata=self.metadata, sidecar=self.sidecar)
        warn(result.warnings)
        line = f"{self.output}: edited {', '.join(request.names)}"
        report(result.record(self.output), line, self.quiet, self.as_json)

    def _edit_many(self, request: EditRequest, finder: FaceFinder) -> None:
        items = edit_many(
            self.photos,
            self.outputs,
            request,
            finder=finder,
            metadata=self.metadata,
            sidecar=self.sidecar,
            skip_existing=self.skip_existing,
        )
        silent, failed = self.quiet or self.as_json, False
        for item in track(items, total=len(self.photos), title="edit", quiet=silent):
            tell_picture(item, quiet=self.quiet, as_json=self.as_json)
            failed |= item.error is not None
        if failed:
            raise typer.Exit(1)
