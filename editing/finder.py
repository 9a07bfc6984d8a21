"""Reading photos and finding the faces that an edit needs, each photo of a batch once."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..core.arguments import plain_number
from ..core.detection.recognition import Recognizer, find_recognition
from ..core.errors import InputError, NoFaceError
from ..core.face_choice import FaceChoice
from ..core.files import file_sha256
from ..core.io.boxes import Boxes, as_boxes, require_boxes
from ..core.io.face_files import FaceTexture, TextureSource, is_face_file, read_face_file
from ..core.io.face_records import face_warnings, name_warnings
from ..core.io.images import Photo
from ..core.io.photos import Origin, PhotoLike, array_record, open_photo, photo_origin, photo_path
from ..core.once import once
from ..core.reconstruct import Model, as_model
from ..core.types import Face
from .find_faces import find_faces
from .fuse import fuse_photos
from .source import Reference

__all__ = [
    "LEAST_LIKENESS",
    "LIKE",
    "FaceFinder",
    "FoundReference",
    "Selection",
    "like_origins",
]

_KEPT = 1 << 30  # bytes of photos and faces of references that are remembered
LIKE = "face to be like"  # what a photo of a person is called that has no file name
_ANOTHER = "give a photo that shows one"
_WITHOUT_BOXES = {  # what to do about a photo without a face where no boxes can be given
    "reference": "make a face file by uvface texture with --boxes, in place of the photos",
    LIKE: "give another photo of the person",
}
LEAST_LIKENESS = 0.25  # cosine below which the likest face is probably of somebody else


@dataclasses.dataclass(frozen=True, kw_only=True)
class Selection:
    """Which faces of a photo are meant.

    Attributes:
        faces: by position or size.
        like: a photo of the person; the face most like the largest face of it is taken. Not with
            another choice, which is an InputError.
    """

    faces: FaceChoice = "largest"
    like: PhotoLike | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "faces", plain_number(self.faces))
        if self.like is not None and self.faces != "largest":
            raise InputError(f"face {self.faces!r} and a face to be like; give one of the two")

    @property
    def number(self) -> int | None:
        """Return the face's number from the left; None of one chosen by a word or by likeness."""
        return None if isinstance(self.faces, str) else int(self.faces)


def like_origins(*selections: Selection) -> tuple[Origin, ...]:
    """Return the photos of the people whom faces are to be like, each file once."""
    likes = [selection.like for selection in selections if selection.like is not None]
    return tuple(dict.fromkeys(map(photo_origin, likes)))


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class FoundReference:
    """What a face is taken from, and the files that it was read from, or photos without one."""

    reference: Reference
    photos: tuple[Origin, ...]
    left_out: tuple[Origin, ...] = ()  # those of several without the face
    warnings: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """Return those of the photos that are files."""
        return tuple(photo for photo in self.photos if isinstance(photo, Path))


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Chosen:
    """The one face of a photo that was asked for."""

    photo: Photo
    face: Face
    likeness: float  # cosine between it and the person whom it is to be like; 1 without one
    doubt: str  # why it is probably of somebody else; empty if it is not
    warnings: tuple[str, ...]


class FaceFinder:
    """Finds faces for edits and swaps; references and people to be like are read once."""

    def __init__(
        self,
        model: Model | None = None,
        *,
        boxes: Boxes | None = None,
        recognition: str | Path | None = None,
    ) -> None:
        """Set what faces are found with.

        Args:
            model: what reconstructs; by default the embedded weights.
            boxes: file name or stem -> boxes around the landmarks, in place of detection; None
                where a caller takes none, which messages then do not advise.
            recognition: file of the network that likeness is measured by; by default one of
                insightface's packs, looked for on first need.
        """
        self.model = as_model(model)
        self._takes_boxes = boxes is not None
        self._boxes = as_boxes(boxes)
        self._recognition = recognition
        self._recognizer = once(lambda: Recognizer(recognition))
        self._cache = _Cache(_KEPT)
        self._person_of = once(self._read_person)
        self._recognition_hash = once(lambda: file_sha256(find_recognition(recognition)))

    @property
    def recognition_name(self) -> str:
        """Return the name of the network that likeness is measured by, for records.

        Raises:
            AssetError: there is none.
        """
        return find_recognition(self._recognition).name

    def require_boxes(self, photos: Mapping[str, Sequence[PhotoLike | None]]) -> None:
        """Raise InputError where boxes are given, and none for any of a call's photos.

        Args:
            photos: name that boxes of an array are found under -> photos; None is none.
        """
        require_boxes(self._boxes, _places(photos))

    def require_likes(self, *likes: PhotoLike | None) -> None:
        """Raise InputError where a recognition network is given, and nobody whom to be like."""
        if self._recognition is not None and all(like is None for like in likes):
            raise InputError(f"recognition {self._recognition} is for likeness; give a like, too")

    def describe(
        self,
        selections: Mapping[str, Selection],
        photos: Mapping[str, Sequence[PhotoLike | None]],
    ) -> dict[str, Any]:
        """Return what decides which faces are found and how they are read, as JSON can hold it.

        Args:
            selections: name -> which faces.
            photos: all in which faces are looked for, named as for `require_boxes`.

        Raises:
            AssetError: likeness is asked for and there is no recognition network.
        """
        settings: dict[str, Any] = {}
        for name, selection in selections.items():
            settings[name] = selection.faces
            if selection.like is not None:
                settings[f"{name}_like"] = str(photo_path(selection.like) or "")
                settings["recognition"] = self.recognition_name
                settings["recognition_sha256"] = self._recognition_hash()
        places = {place for place in _places(photos) if not is_face_file(place)}
        if given := self._boxes.record(places):
            settings["boxes"] = given
        is_detected = len(given) < len(places)
        return settings | self.model.reading_settings(is_detected=is_detected)

    def faces(
        self, photo: Photo, selection: Selection, *, name: str = "photo"
    ) -> tuple[list[Face], tuple[str, ...]]:
        """Return the selected faces of a photo, at least one, and warnings.

        Raises:
            InputError: there is no face of that number.
            NoFaceError: there is no face at all.
            AssetError: likeness is asked for and there is no recognition network.
        """
        if selection.like is not None:
            one = self._one(photo, selection, name=name)
            doubts = (f"{one.doubt}; the likest is taken",) if one.doubt else ()
            return [one.face], doubts + one.warnings
        found = self.find(photo, selection.faces, name=name)
        return found, self.warnings_of(photo, dict(enumerate(found)), name=name)

    def _one(self, photo: Photo, selection: Selection, *, name: str) -> _Chosen:
        """Return the one face of a photo that a selection names, and how sure it is of the person.

        Raises:
            InputError, NoFaceError, AssetError: as `faces`.
        """
        if selection.like is None:
            (face,), likeness = self.find(photo, selection.faces, name=name), 1.0
        else:
            every = self.find(photo, "all", name=name)
            face, likeness = self.most_like(photo, every, selection.like)
        title = photo.path.name if photo.path else f"the {name}"
        doubt = f"no face of {title} is much like the given one (cosine {likeness:.2f})"
        return _Chosen(
            photo=photo,
            face=face,
            likeness=likeness,
            doubt="" if selection.like is None or likeness >= LEAST_LIKENESS else doubt,
            warnings=self.warnings_of(photo, {0: face}, name=name),
        )

    def most_like(self, photo: Photo, faces: Sequence[Face], like: PhotoLike) -> tuple[Face, float]:
        """Return the one of a photo's faces that is most like a person, and how much, as a cosine.

        Raises:
            InputError, NoFaceError, AssetError: as `faces`, of the person's photo.
        """
        wanted = self._person(like)
        likeness = [float(wanted @ self._embed(photo, face)) for face in faces]
        best = int(np.argmax(likeness))
        return faces[best], likeness[best]

    def read_person(self, like: PhotoLike) -> None:
        """Read a person to be like now, so that long work does not end at an unusable photo.

        Raises:
            InputError, NoFaceError, AssetError: as `faces`.
        """
        self._person(like)

    def find(self, photo: Photo, faces: FaceChoice, *, name: str = "photo") -> list[Face]:
        """Return faces of a photo by position or size, at least one, as `find_faces`."""
        given = {} if self._takes_boxes else {"advice": _WITHOUT_BOXES.get(name, _ANOTHER)}
        return find_faces(photo, self.model, faces=faces, boxes=self._boxes, name=name, **given)

    def warnings_of(
        self, photo: Photo, faces: Mapping[int, Face], *, name: str = "photo"
    ) -> tuple[str, ...]:
        """Return what makes chosen faces hard to read, with the photo and the face named.

        Args:
            photo: the photo.
            faces: number from the left -> face; of a single face the number does not count.
            name: what the photo is called.
        """
        title = f"{name} {photo.path.name}" if photo.path else f"the {name}"
        notes = {i: face_warnings(face, photo, self.model.layout) for i, face in faces.items()}
        return tuple(name_warnings(title, notes))

    def reference(self, photos: Sequence[PhotoLike], selection: Selection) -> FoundReference:
        """Return what a face is taken from: a photo, a face file, or photos of one person.

        Raises:
            InputError, NoFaceError, AssetError: as `faces`; a face file is damaged or not alone.
        """
        if not photos:
            raise InputError("no reference; give a photo that the face comes from")
        _check_one(selection)
        paths = tuple(Path(photo) for photo in photos if isinstance(photo, str | Path))
        is_named = isinstance(selection.like, str | Path | None)
        if len(paths) < len(photos) or not is_named:  # of arrays nothing tells that they are equal
            return self._read_reference(photos, selection)
        key = (paths, selection.faces, None if selection.like is None else str(selection.like))
        return self._cache.get(key, lambda: self._read_reference(photos, selection))

    def fuse(
        self, photos: Sequence[PhotoLike], selection: Selection, *, size: int | None = None
    ) -> FoundReference:
        """Make one texture of photos of a person; a photo without the face is left out.

        So is one whose likest face is probably of somebody else, where another photo is left.

        Raises:
            InputError: there are no photos.
            NoFaceError: no photo shows a face.
        """
        if not photos:
            raise InputError("no photos; give one or more of the person whose face is wanted")
        _check_one(selection)
        found: list[_Chosen] = []
        left_out: list[tuple[Origin, str]] = []  # and why
        for photo in map(open_photo, photos):
            try:
                found.append(self._one(photo, selection, name="reference"))
            except NoFaceError as error:
                left_out.append((photo_origin(photo), str(error)))
        if not found:
            raise NoFaceError("; ".join(reason for _, reason in left_out))
        sure = [one for one in found if not one.doubt]
        used = sure or [max(found, key=lambda one: one.likeness)]
        left_out += [(photo_origin(one.photo), one.doubt) for one in found if one not in used]
        doubts = [] if sure else [f"{used[0].doubt}; the likest is taken"]
        notes = [line for one in used for line in (*one.photo.warnings, *one.warnings)]
        return FoundReference(
            reference=fuse_photos(
                [(one.photo.image, one.face) for one in used],
                self.model.layout,
                size=size,
                sources=[_texture_source(one.photo) for one in used],
            ),
            photos=tuple(photo_origin(one.photo) for one in used),
            left_out=tuple(origin for origin, _ in left_out),
            warnings=(*doubts, *notes, *(f"left out: {reason}" for _, reason in left_out)),
        )

    def _read_reference(self, photos: Sequence[PhotoLike], selection: Selection) -> FoundReference:
        files = [one for one in photos if isinstance(one, str | Path) and is_face_file(one)]
        if files and len(photos) > 1:
            raise InputError(f"{files[0]} and other references; a face file stands alone")
        if files:
            _check_only(files[0], selection)
            texture = read_face_file(files[0], layout=self.model.layout)
            return FoundReference(reference=texture, photos=(Path(files[0]),))
        if len(photos) > 1:
            return self.fuse(photos, selection)
        photo = open_photo(photos[0])
        found, warnings = self.faces(photo, selection, name="reference")
        return FoundReference(
            reference=(photo.image, found[0]),
            photos=(photo_origin(photo),),
            warnings=photo.warnings + warnings,
        )

    def _person(self, like: PhotoLike) -> np.ndarray:
        if isinstance(like, str | Path):
            return self._person_of(Path(like))
        return self._read_person(like)  # of arrays nothing tells that they are equal

    def _read_person(self, like: PhotoLike) -> np.ndarray:
        photo = open_photo(like)
        return self._embed(photo, self.find(photo, "largest", name=LIKE)[0])

    def _embed(self, photo: Photo, face: Face) -> np.ndarray:
        return self._recognizer().embed(photo.image, np.asarray(face.landmarks))


def _places(photos: Mapping[str, Sequence[PhotoLike | None]]) -> list[Path]:
    """Return what boxes of photos are found under: their files, of arrays their names."""
    return [
        photo_path(photo) or Path(name)
        for name, given in photos.items()
        for photo in given
        if photo is not None
    ]


def _check_one(selection: Selection) -> None:
    if selection.faces == "all":
        raise InputError("faces 'all' of a reference; a reference is one face: name it")


def _check_only(file: str | Path, selection: Selection) -> None:
    """Raise InputError where a choice is not met by the one face of a face file."""
    if selection.like is not None:
        raise InputError(f"{file} and a face to be like; a face file holds one face: leave it out")
    if not isinstance(selection.faces, str) and selection.faces != 0:
        raise InputError(f"no face {selection.faces}: {file} holds one, number 0; leave it out")


class _Cache:
    """References by what they were made of, the oldest forgotten when they fill the memory."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._held: OrderedDict[Hashable, FoundReference] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], FoundReference]) -> FoundReference:
        if key not in self._held:
            self._held[key] = make()
        self._held.move_to_end(key)
        while len(self._held) > 1 and sum(map(_bytes_of, self._held.values())) > self._budget:
            self._held.popitem(last=False)
        return self._held[key]


def _bytes_of(found: FoundReference) -> int:
    if isinstance(found.reference, FaceTexture):
        return int(found.reference.texture.nbytes)
    image, face = found.reference
    return int(image.nbytes + face.position_map.nbytes + face.texture.nbytes)


def _texture_source(photo: Photo) -> TextureSource:
    if photo.path is None:
        return TextureSource(name="", **array_record(photo))
    return TextureSource(name=photo.path.name, sha256=file_sha256(photo.path))
