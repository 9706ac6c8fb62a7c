"""Answers that are only nearly JSON, read all the same.

Whatever a body holds, the work grows with its size and no faster, it is done in pieces, and it ends when the run does.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from typing import TypeVar

import msgspec

from zendesk_support.errors import Cancelled

T = TypeVar("T")

PIECE = 1 << 16
LARGEST = 64 << 20
REPLACEMENT = "\ufffd".encode()

# None goes back over what it has seen: each finds a byte, a few in fixed places, or a run that nothing follows.
_OUTSIDE = re.compile(rb'["NI]')
_INSIDE = re.compile(rb'["\\\x00-\x1f\xed]')
_NO_NUMBER = re.compile(rb"NaN|Infinity")
_PAIR = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_HALF = re.compile(rb"\\u([dD][89a-fA-F][0-9a-fA-F]{2})")
_NO_UTF8 = re.compile(rb"(?:\xed[\xb2\xb3][\x80-\xbf]){1,1000}")
_COLON = re.compile(rb"[ \t\r\n]*:")


class Unmendable(msgspec.DecodeError):
    """A body is not JSON, and too large to be mended."""


def never() -> bool:
    """The run goes on."""
    return False


def decoded(body: bytes, decode: Callable[[bytes], T], stopped: Callable[[], bool] = never) -> T:
    """Decode an answer, mending what msgspec refuses, or what it would leave unnoticed: bytes that are not UTF-8.

    Raises:
        msgspec.DecodeError: it is no JSON, nor nearly so; a ValidationError where it is of another shape.
        Unmendable: it is larger than what is mended.
        Cancelled: the run is over.
    """
    if is_utf8(body):
        try:
            return decode(body)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            if not is_whole(body):
                raise
    elif not is_whole(body):
        raise msgspec.DecodeError("Input data was truncated")
    if len(body) > LARGEST:
        raise Unmendable(f"{len(body) >> 20} MB, and faults are mended up to {LARGEST >> 20} MB only")
    return decode(repaired(body, stopped))


def is_utf8(body: bytes) -> bool:
    """Whether all bytes are UTF-8."""
    if body.isascii():
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for piece in _pieces(body):
            decoder.decode(piece)
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def is_whole(body: bytes) -> bool:
    """Whether a body ends as JSON does; one that was cut short hardly ever does."""
    return body.rstrip().endswith((b"}", b"]"))


def repaired(body: bytes, stopped: Callable[[], bool] = never) -> bytes:
    """JSON that is only nearly valid, mended: all else stays byte for byte.

    NaN and infinities become null, control characters are escaped; half a surrogate pair, which UTF-8 cannot hold, and
    a byte that is not UTF-8 become U+FFFD; in a name its code follows, so that two such names stay two.

    Raises:
        Cancelled: the run is over.
    """
    return bytes(_Mender(body if is_utf8(body) else _marked(body, stopped), stopped).whole())


def _pieces(body: bytes) -> Iterator[memoryview]:
    view = memoryview(body)
    return (view[at : at + PIECE] for at in range(0, len(view), PIECE))


def _marked(body: bytes, stopped: Callable[[], bool]) -> bytearray:
    """A body whose bytes that are not UTF-8 stand as U+DC80 to U+DCFF, which no UTF-8 has."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    marked = bytearray()
    for piece in _pieces(body):
        if stopped():
            raise Cancelled
        marked += decoder.decode(piece).encode("utf-8", "surrogatepass")
    return marked + decoder.decode(b"", True).encode("utf-8", "surrogatepass")


class _Mender:
    """Goes through a body once, from each place where something may be odd to the next."""

    def __init__(self, body: bytes | bytearray, stopped: Callable[[], bool]) -> None:
        self._body = body
        self._view = memoryview(body)
        self._stopped = stopped
        self._asked_at = 0
        self._mended = bytearray()
        self._done = 0  # the body up to here is in `_mended`

    def whole(self) -> bytearray:
        """The body, mended."""
        at = 0
        while (found := self._find(_OUTSIDE, at)) is not None:
            at = found.end()
            if found[0] == b'"':
                at = self._string(at)
            elif (odd := _NO_NUMBER.match(self._body, found.start())) is not None:
                is_negative = self._body[odd.start() - 1 : odd.start()] == b"-"
                at = odd.end()
                self._replace(odd.start() - is_negative, at, b"null")
        self._replace(len(self._body), len(self._body), b"")
        return self._mended

    def _find(self, what: re.Pattern[bytes], at: int) -> re.Match[bytes] | None:
        if abs(at - self._asked_at) > PIECE:
            self._asked_at = at
            if self._stopped():
                raise Cancelled
        return what.search(self._body, at)

    def _replace(self, start: int, end: int, by: bytes) -> None:
        self._mended += self._view[self._done : start]
        self._mended += by
        self._done = end

    def _string(self, start: int) -> int:
        """Mend a string, of which only the end tells whether it is a name; returns the place after it."""
        length, done = len(self._mended), self._done
        end, has_halves = self._characters(start, with_codes=False)
        if has_halves and _COLON.match(self._body, end) is not None:
            del self._mended[length:]
            self._done = done
            self._characters(start, with_codes=True)
        return end

    def _characters(self, at: int, with_codes: bool) -> tuple[int, bool]:
        """Mend the characters of a string; returns the place after it, and whether any was half a pair or no UTF-8."""
        has_halves = False
        while (found := self._find(_INSIDE, at)) is not None:
            start, at, odd = found.start(), found.end(), found[0]
            if odd == b'"':
                return at, has_halves
            if odd == b"\\":
                half = _HALF.match(self._body, start)
                if half is None or _PAIR.match(self._body, start) is not None:
                    at = start + (2 if half is None else 12)
                    continue
                halves, at = chr(int(half[1], 16)), half.end()
            elif odd == b"\xed":
                run = _NO_UTF8.match(self._body, start)
                if run is None:
                    continue
                halves, at = run[0].decode("utf-8", "surrogatepass"), run.end()
            else:
                self._replace(start, at, b"\\u%04x" % ord(odd))
                continue
            has_halves = True
            codes = (b"%04x" % ord(half) if with_codes else b"" for half in halves)
            self._replace(start, at, b"".join(REPLACEMENT + code for code in codes))
        return len(self._body), has_halves
