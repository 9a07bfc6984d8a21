"""A writer of tensor bundles for tests: plain, and checked against TensorFlow's own reader.

``check_with_tensorflow.py`` beside this file does that check where TensorFlow is installed.
"""

import struct
from pathlib import Path

import numpy as np

_CODES = {np.dtype(np.float32): 1, np.dtype(np.int64): 9}


def _varint(value: int) -> bytes:
    data = b""
    while value >= 0x80:
        data += bytes([value & 0x7F | 0x80])
        value >>= 7
    return data + bytes([value])


def _field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, bytes):
        return _varint(number << 3 | 2) + _varint(len(value)) + value
    return _varint(number << 3) + _varint(value)


def _crc32c(data: bytes) -> int:
    """Return LevelDB's masked CRC-32C."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _block(records: list[tuple[bytes, bytes]]) -> bytes:
    """Return a block in which keys share prefixes, one restart point, no compression."""
    data, last = b"", b""
    for key, value in records:
        shared = 0
        while shared < min(len(key), len(last)) and key[shared] == last[shared]:
            shared += 1
        data += _varint(shared) + _varint(len(key) - shared) + _varint(len(value))
        data += key[shared:] + value
        last = key
    return data + struct.pack("<II", 0, 1)


def _entry(array: np.ndarray, shard: int, offset: int, checksum: int) -> bytes:
    shape = b"".join(_field(2, _field(1, size)) for size in array.shape)
    entry = _field(1, _CODES[array.dtype]) + _field(2, shape)
    if shard:
        entry += _field(3, shard)
    if offset:
        entry += _field(4, offset)
    return entry + _field(5, array.nbytes) + _varint(6 << 3 | 5) + struct.pack("<I", checksum)


def write_bundle(
    prefix: Path, arrays: dict[str, np.ndarray], *, checksums: bool = False, shards: int = 1
) -> None:
    """Write ``PREFIX.index`` and ``PREFIX.data-00000-of-00001``, or more data files.

    Args:
        prefix: path without the endings.
        arrays: variables by name.
        checksums: of the values, too (slow); our reader does not ask for them.
        shards: data files, which the variables go to in turn.
    """
    records = [(b"", _field(1, shards) + _field(3, _field(1, 1)))]
    data = [b""] * shards
    for k, name in enumerate(sorted(arrays)):
        raw = np.ascontiguousarray(arrays[name]).tobytes()
        checksum = _crc32c(raw) if checksums else 0
        shard = k % shards
        records.append((name.encode(), _entry(arrays[name], shard, len(data[shard]), checksum)))
        data[shard] += raw
    table, handles = b"", []
    for start in range(0, len(records), 40):
        part = records[start : start + 40]
        handles.append((part[-1][0], _add(part, len(table))))
        table += _trailed(_block(part))
    meta = _add([], len(table))
    table += _trailed(_block([]))
    index = _add(handles, len(table))
    table += _trailed(_block(handles))
    table += (meta + index).ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)
    Path(f"{prefix}.index").write_bytes(table)
    for k, content in enumerate(data):
        Path(f"{prefix}.data-{k:05d}-of-{shards:05d}").write_bytes(content)


def _add(records: list[tuple[bytes, bytes]], at: int) -> bytes:
    return _varint(at) + _varint(len(_block(records)))


def _trailed(block: bytes) -> bytes:
    return block + b"\0" + struct.pack("<I", _crc32c(block + b"\0"))
