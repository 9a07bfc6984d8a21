"""What ``uvface swap`` does once its options are read: one picture, or a batch."""

from __future__ import annotations

import dataclasses
import os
from functools import cached_property
from pathlib import Path
from threading import Thread

import typer

from ..core.commands.options import (
    check_folder,
    report,
    spare_sidecars,
    tell_left_out,
    usage_errors,
    warn,
)
from ..core.commands.progress import track
from ..core.files import InputFiles
from ..core.find_photos import find_photos, left_out
from ..core.io.images import check_image_name, read_photo
from ..core.io.sidecar import sidecar_path
from ..core.io.signing import ContentSigner
from ..core.io.video_packet import names_a_video
from ..editing.commands.batch import tell_picture, wrong_folder, wrong_skipping
from ..editing.finder import FaceFinder, Selection
from ..editing.output_names import require_photo
from .batch import SwapItem, swap_many, write_rows
from .jobs import Job, is_batch, jobs_of_targets, read_jobs
from .mapping import FaceMap, read_map
from .options import wrong_map
from .photos import prepare_swap, swap_photo
from .request import SwapOptions, SwapRequest

__all__ = ["Run", "check_usage"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """The options that say what is read and written; see `command.swap`."""

    target: str | None
    references: tuple[Path, ...]
    listing: Path | None
    mapping: str | None
    faces: str
    like: Path | None
    reference_face: str
    reference_like: Path | None
    recognition: Path | None
    boxes: Path | None
    preset: str
    output: Path
    mask: Path | None
    report: Path | None
    strict: bool
    skip_existing: bool
    metadata: bool
    sidecar: bool
    certificate: Path | None
    key: Path | None
    quiet: bool
    as_json: bool

    @property
    def is_batch(self) -> bool:
        """Return whether many pictures are made."""
        return is_batch(self.target, self.listing)

    @cached_property
    def faces_to_photos(self) -> FaceMap:
        """Return the map of faces, empty without one."""
        return {} if self.mapping is None else read_map(self.mapping)

    @cached_property
    def jobs(self) -> list[Job]:
        """Return the pictures to make."""
        if self.listing is not None:
            return read_jobs(self.listing, self.output)
        assert self.target is not None
        if self.is_batch:
            photos = find_photos([self.target])  # what is wrong with these is no usage
            with usage_errors():
                return jobs_of_targets(photos, self.references, self.output)
        return [Job(target=Path(self.target), references=self.references, output=self.output)]

    @property
    def signer(self) -> ContentSigner | None:
        """Return what signs the pictures, if anything."""
        if self.certificate is None or self.key is None:
            return None
        return ContentSigner(certificate=self.certificate, key=self.key)

    @property
    def photos(self) -> list[Path]:
        """Return every photo that is read."""
        mapped = [photo for photos in self.faces_to_photos.values() for photo in photos]
        likes = [path for path in (self.like, self.reference_like) if path is not None]
        paired = [path for job in self.jobs for path in (job.target, *job.references)]
        return mapped + likes + paired

    @property
    def inputs(self) -> list[Path]:
        """Return every file that is read."""
        files = (self.listing, self.boxes, self.mask, self.recognition, self.certificate, self.key)
        mapping = Path(self.mapping) if self.mapping else None
        return self.photos + [path for path in (mapping, *files) if path is not None]

    @property
    def outputs(self) -> list[Path]:
        """Return the pictures' names."""
        return [job.output for job in self.jobs]

    @property
    def report_path(self) -> Path | None:
        """Return where the report goes; a batch always has one."""
        return self.report or (self.output / "swaps.csv" if self.is_batch else None)

    def start(
        self, finder: FaceFinder, options: SwapOptions, *, target: Selection, reference: Selection
    ) -> None:
        """Make the pictures; a failure, or a warning if strict, exits with 1."""
        request = SwapRequest(target=target, reference=reference, mapping=self.faces_to_photos)
        (self._swap_many if self.is_batch else self._swap_one)(finder, options, request)

    def _swap_one(self, finder: FaceFinder, options: SwapOptions, request: SwapRequest) -> None:
        photo = read_photo(Path(str(self.target)))
        own = dataclasses.replace(request, references=self.references, mask=self.mask)
        Thread(target=prepare_swap, args=(finder.model.layout, own, options)).start()
        result = swap_photo(photo, own, finder, options=options)
        result.save(self.output, metadata=self.metadata, sidecar=self.sidecar, signer=self.signer)
        if self.report is not None:
            from .report import write_report

            write_report(self.report, result, output=self.output)
        record = result.record(self.output)
        warn(record["warnings"])
        line = f"{self.output}: swapped {len(result.faces)} face(s)"
        report(record, line, self.quiet, self.as_json)
        if self.strict and record["warnings"]:
            raise typer.Exit(1)

    def _swap_many(self, finder: FaceFinder, options: SwapOptions, request: SwapRequest) -> None:
        if self.listing is None:
            tell_left_out(left_out(str(self.target)))
        items = swap_many(
            self.jobs,
            finder=finder,
            request=request,
            options=options,
            masks=self.mask,
            metadata=self.metadata,
            sidecar=self.sidecar,
            signer=self.signer,
            skip_existing=self.skip_existing,
        )
        done: list[SwapItem] = []
        silent = self.quiet or self.as_json
        try:
            for item in track(items, total=len(self.jobs), title="swap", quiet=silent):
                done.append(item)
                tell_picture(item, quiet=self.quiet, as_json=self.as_json)
        finally:
            assert self.report_path is not None
            write_rows(self.report_path, done)
        is_bad = any(item.error or (self.strict and item.warnings) for item in done)
        if is_bad:
            raise typer.Exit(1)


def check_usage(run: Run) -> None:
    """Refuse options that do not go together, with exit code 2."""
    wrong = _wrong_inputs(run) or _wrong_outputs(run)
    if wrong:
        raise typer.BadParameter(wrong)
    if run.target is not None and not run.is_batch:
        require_photo(run.target, run.output)
    with usage_errors():
        _ = run.faces_to_photos
        (check_folder if run.is_batch else check_image_name)(run.output)
    inputs = InputFiles(run.inputs)  # reads lists and folders: what is wrong there is no usage
    with usage_errors():
        if not run.is_batch:
            inputs.spare(run.output)
            spare_sidecars([run.output], metadata=run.metadata, sidecar=run.sidecar)
        if run.report_path is not None:
            inputs.spare(run.report_path, advice="name another --report")
            written = InputFiles([*run.outputs, *map(sidecar_path, run.outputs)])
            written.spare(run.report_path, role="what is made", advice="name another --report")


def _wrong_inputs(run: Run) -> str | None:
    if run.reference_face == "all":
        return "--reference-face all; a reference is one face: name it"
    if run.mask is not None and os.path.isdir(run.mask) != run.is_batch:
        return f"mask {run.mask}; a batch takes a folder of masks, one photo a file"
    if run.preset == "prnet" and (run.mask is not None or len(run.references) > 1):
        return "--preset prnet pastes the whole face of one photo; give one REFERENCE, no --mask"
    if run.listing is not None:
        given = run.target or run.references or run.mapping is not None
        return "--list names targets and references; give no others" if given else None
    if run.target is None:
        return "give TARGET and REFERENCE, or --list FILE.csv"
    if names_a_video(run.target):
        return f"{run.target} is a video; use uvface swap-video"
    return wrong_map(run.mapping, run.references, run.faces, run.like)


def _wrong_outputs(run: Run) -> str | None:
    suffixes = (".csv", ".json") if run.is_batch else (".html", ".htm")
    if run.report is not None and run.report.suffix.lower() not in suffixes:
        kind = "a batch" if run.is_batch else "one picture"
        return f"report {run.report}; of {kind} it is written as {' or '.join(suffixes)}"
    if (run.certificate is None) != (run.key is None):
        return "signing needs both --sign CERT.pem and --key KEY.pem"
    for file in (run.certificate, run.key):
        if file is not None and not os.path.isfile(file):
            return f"{file} does not exist; signing needs --sign CERT.pem and --key KEY.pem"
    return (run.is_batch and wrong_folder(run.output)) or wrong_skipping(
        run.skip_existing,
        batch="a folder, a glob or --list",
        is_batch=run.is_batch,
        metadata=run.metadata,
        sidecar=run.sidecar,
    )
