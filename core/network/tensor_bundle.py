"""Reader of TensorFlow checkpoints (tensor bundles), without TensorFlow.

A checkpoint ``PREFIX`` is a table ``PREFIX.index`` from variable names to where their values lie,
and the values themselves in ``PREFIX.data-00000-of-00001`` (more files where it was sharded). The
table is LevelDB's: blocks of keys that share prefixes, an index block, a footer. Entries are
protocol buffers, of which only varints, 32-bit numbers and nested messages occur.

References:
    TensorFlow, ``tensorflow/core/protobuf/tensor_bundle.proto`` and
    ``tensorflow/core/util/tensor_bundle``; LevelDB, ``doc/table_format.md``.
"""

from __future__ import annotations

import dataclasses
import math
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import AssetError

__all__ = ["TensorEntry", "read_entries", "read_tensors"]

_MAGIC = 0xDB4775248B80FB57
_FOOTER = 48
_TRAILER = 5  # bytes after each block: kind of compression, checksum
_DTYPES: dict[int, np.dtype[Any]] = {
    1: np.dtype("<f4"),
    2: np.dtype("<f8"),
    3: np.dtype("<i4"),
    9: np.dtype("<i8"),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class TensorEntry:
    """Where the values of a variable lie."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    shard: int  # data file, from 0
    shards: int  # data files of the checkpoint
    offset: int  # bytes
    size: int  # bytes


def read_entries(prefix: str | Path) -> dict[str, TensorEntry]:
    """Return the variables of a checkpoint by name.

    Args:
        prefix: path of the checkpoint without ``.index``.

    Raises:
        AssetError: the index is missing, damaged, or of a kind that is not read here.
    """
    path = Path(f"{prefix}.index")
    try:
        table = path.read_bytes()
    except OSError as error:
        raise AssetError(
            f"cannot read the checkpoint's index {path} ({error.strerror}); "
            "give the checkpoint's path without .index"
        ) from error
    try:
        records = dict(_records(table))
        shards = _shards(records.pop(b"", b""))
        return {key.decode(): _entry(value, shards) for key, value in records.items()}
    except (IndexError, ValueError, KeyError, struct.error) as error:
        raise AssetError(f"{path} is not a TensorFlow checkpoint index ({error})") from error


def read_tensors(prefix: str | Path, entries: dict[str, TensorEntry]) -> dict[str, np.ndarray]:
    """Return the values of variables.

    Args:
        prefix: path of the checkpoint without ``.index``.
        entries: of `read_entries`, those that are wanted.

    Raises:
        AssetError: a data file is missing or too short, or a size is not that of its shape.
    """
    files = {(entry.shard, entry.shards) for entry in entries.values()}
    data = {(k, n): _map(Path(f"{prefix}.data-{k:05d}-of-{n:05d}")) for k, n in files}
    found = {}
    for name, entry in entries.items():
        stored = data[entry.shard, entry.shards][entry.offset : entry.offset + entry.size]
        if len(stored) != entry.size:
            raise AssetError(
                f"the checkpoint {prefix} is cut off at {name}; get its data file again"
            )
        if entry.size != math.prod(entry.shape) * entry.dtype.itemsize:
            raise AssetError(
                f"the checkpoint's index {prefix}.index is damaged: {name} has the shape "
                f"{entry.shape} and {entry.size} bytes; get it again"
            )
        found[name] = np.frombuffer(stored, dtype=entry.dtype).reshape(entry.shape)
    return found


def _map(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise AssetError(f"cannot read the checkpoint's data {path} ({error.strerror})") from error


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a variable-length number and the place after it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _records(table: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys and values of a table, in order."""
    footer = table[-_FOOTER:]
    if len(footer) < _FOOTER or struct.unpack("<Q", footer[-8:])[0] != _MAGIC:
        raise ValueError("its footer is missing")
    _, at = _handle(footer, 0)
    (offset, size), _ = _handle(footer, at)
    for _, value in _block(table, offset, size):
        (offset, size), _ = _handle(value, 0)
        yield from _block(table, offset, size)


def _handle(data: bytes, at: int) -> tuple[tuple[int, int], int]:
    offset, at = _varint(data, at)
    size, at = _varint(data, at)
    return (offset, size), at


def _block(table: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    block = table[offset : offset + size + _TRAILER]
    if len(block) < size + _TRAILER:
        raise ValueError("it is cut off")
    if block[size] != 0:
        raise ValueError("its blocks are compressed")
    restarts = struct.unpack_from("<I", block, size - 4)[0]
    end, at, key = size - 4 * (restarts + 1), 0, b""
    while at < end:
        shared, at = _varint(block, at)
        fresh, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + fresh]
        at += fresh
        yield key, block[at : at + length]
        at += length


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the numbers and values of a message's fields."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == 0:
            number, at = _varint(message, at)
            yield tag >> 3, number
        elif kind == 2:
            length, at = _varint(message, at)
            yield tag >> 3, message[at : at + length]
            at += length
        elif kind == 5:
            yield tag >> 3, message[at : at + 4]
            at += 4
        else:
            raise ValueError(f"it has a field of kind {kind}")


def _shards(message: bytes) -> int:
    """Read the number of data files of a ``BundleHeaderProto``, whose key is empty: 1."""
    return _number(dict(_fields(message)).get(1, b""))


def _entry(message: bytes, shards: int) -> TensorEntry:
    """Read a ``BundleEntryProto``: 1 type, 2 shape, 3 shard, 4 offset, 5 size."""
    found = dict(_fields(message))
    if 7 in found:
        raise ValueError("a variable is stored in slices")
    code = _number(found.get(1, 0))
    if code not in _DTYPES:
        raise ValueError(f"a variable has the type {code}")
    return TensorEntry(
        dtype=_DTYPES[code],
        shape=_shape(found.get(2, b"")),
        shard=_number(found.get(3, 0)),
        shards=shards,
        offset=_number(found.get(4, 0)),
        size=_number(found.get(5, 0)),
    )


def _number(value: int | bytes) -> int:
    if isinstance(value, bytes):
        raise ValueError("a number is missing")
    return value


def _shape(message: int | bytes) -> tuple[int, ...]:
    """Read a ``TensorShapeProto``: dimensions (2), each with a size (1)."""
    if isinstance(message, int):
        raise ValueError("a shape is missing")
    sizes = [dict(_fields(part)) for _, part in _fields(message) if isinstance(part, bytes)]
    return tuple(_number(size.get(1, 0)) for size in sizes)
