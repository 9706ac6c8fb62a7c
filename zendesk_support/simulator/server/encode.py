"""JSON as Rails writes it, compression, and the cache of pages that are made once."""

from __future__ import annotations

import re
import struct
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import msgspec

_STEM = struct.Struct("<IQ")
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
_SEPARATORS = {b"\xe2\x80\xa8": b"\\u2028", b"\xe2\x80\xa9": b"\\u2029"}
_SEPARATOR = re.compile(b"\xe2\x80[\xa8\xa9]")
_encode = msgspec.json.Encoder().encode


def _whole(value: Any) -> Any:
    raise TypeError(f"cannot write {type(value).__name__} as JSON")


def to_json(value: Any) -> bytes:
    """Return compact JSON with the escapes Rails uses in HTML-safe mode."""
    try:
        body = _encode(value)
    except (OverflowError, msgspec.MsgspecError):
        import json

        body = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_whole).encode()
    body = body.replace(b"<", b"\\u003c").replace(b">", b"\\u003e").replace(b"&", b"\\u0026")
    return _SEPARATOR.sub(lambda found: _SEPARATORS[found[0]], body)


def gzip(body: bytes, level: int = 1) -> bytes:
    """Return a gzip stream."""
    packer = zlib.compressobj(level, zlib.DEFLATED, 31)
    return packer.compress(body) + packer.flush()


def stem(value: dict[str, Any]) -> bytes:
    """Return the compressed beginning of a JSON object whose remaining members are still to come."""
    body = to_json(value)[:-1] + b","
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    packed = packer.compress(body) + packer.flush(zlib.Z_FULL_FLUSH)
    return _STEM.pack(zlib.crc32(body), len(body)) + packed


def finish(begun: bytes, value: dict[str, Any]) -> bytes:
    """Return the gzip stream of a JSON object begun by `stem` and ended by these members."""
    crc, size = _STEM.unpack_from(begun)
    rest = to_json(value)[1:]
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    tail = packer.compress(rest) + packer.flush()
    trailer = struct.pack("<II", zlib.crc32(rest, crc), (size + len(rest)) & 0xFFFFFFFF)
    return _GZIP_HEAD + begun[_STEM.size :] + tail + trailer


class PageCache:
    """Bytes by key, the least recently used going first."""

    def __init__(self, limit: int = 1_200_000_000) -> None:
        self._limit = limit
        self._size = 0
        self._pages: OrderedDict[Hashable, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """Return the bytes of a key, made now if they are not there."""
        with self._lock:
            page = self._pages.get(key)
            if page is not None:
                self._pages.move_to_end(key)
                return page
        page = make()
        with self._lock:
            if key not in self._pages:
                self._pages[key] = page
                self._size += len(page)
                while self._size > self._limit and len(self._pages) > 1:
                    self._size -= len(self._pages.popitem(last=False)[1])
        return page

    def __len__(self) -> int:
        return len(self._pages)

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._pages.clear()
            self._size = 0
