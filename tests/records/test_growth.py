"""Hostile answers: what they cost grows with their size and no faster, and ends when the run does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zendesk_support.api.answers import Answer, retry_after, unreadable, words
from zendesk_support.api.quota_headers import read_quota
from zendesk_support.errors import Cancelled
from zendesk_support.records import json_repair as mending
from zendesk_support.records.arrow import without_nul
from zendesk_support.records.json_repair import LARGEST, PIECE, Unmendable, decoded, is_utf8, is_whole, repaired
from zendesk_support.records.json_rows import page_decoder

SIZES = (10_000, 100_000, 1_000_000)
GENEROUS = 60  # for ten times as much: ten where work grows with the size, a hundred where it grows with its square
LEAST = 0.0005

TEXT = (b'{"rows":[{"id":1,"x":"', b'"}]}')
LIST = (b'{"rows":[{"id":1,"x":[', b"0]}]}")
BODIES = {
    "text that is cut": (TEXT[0], b"a", b""),
    "escaped quotes, cut": (TEXT[0], b'\\"', b""),
    "escaped quotes that end as JSON does": (TEXT[0], b'\\"', b"}"),
    "backslashes": (TEXT[0], b"\\", b"}"),
    "quotes": (b"{", b'"', b"}"),
    "empty texts and one NaN": (LIST[0] + b"NaN,", b'"",', LIST[1]),
    "texts that look like NaN": (TEXT[0], b"NaNInfinity-", TEXT[1].replace(b"}]", b',"y":NaN}]')),
    "NaN": (LIST[0], b"NaN,-Infinity,", LIST[1]),
    "beginnings of NaN": (LIST[0], b"NaINf-", LIST[1]),
    "half pairs": (TEXT[0], b"\\ud800", TEXT[1]),
    "half pairs in a name": (b'{"rows":[{"id":1,"', b"\\ud800", b'":1}]}'),
    "half pairs, then blanks": (LIST[0], b'"\\ud800"  ', LIST[1]),
    "half pair, then blanks": (LIST[0] + b'"\\ud800"', b" ", LIST[1]),
    "half pair, then escapes": (LIST[0] + b'"\\ud800', b'\\"', TEXT[1]),
    "control characters": (TEXT[0], b"\x01", TEXT[1]),
    "no UTF-8": (TEXT[0], b"\xff", TEXT[1]),
    "no UTF-8 in a name": (b'{"rows":[{"id":1,"', b"\xff\xfe\xfd\xfca", b'":1}]}'),
    "no UTF-8, cut": (b"{", b"\xff", b""),
    "HTML": (b"<!DOCTYPE html><html>", b"<a href=\"x\" class='y'>NaN &amp; \\u00e4</a>\n", b""),
    "HTML that ends as JSON does": (b"<html>", b'<a href="x">\\"</a>', b"}"),
    "brackets": (b"", b"[", b""),
    "braces": (b"", b'{"a":', b"}"),
    "blanks": (b"", b" \n", b""),
    "letters": (b"", b"a", b""),
    "letters and signs": (b"", b"a =", b""),
    "digits and dots": (b"total=", b"1.", b""),
}


def body(kind: str, size: int) -> bytes:
    """A hostile body of about a size."""
    head, part, tail = BODIES[kind]
    return head + part * (size // len(part)) + tail


def read(body: bytes) -> None:
    """Decode as the transport does, and say what is wrong."""
    answer = Answer(200, {}, body, 0)
    try:
        decoded(body, page_decoder("rows"))
    except (msgspec.DecodeError, RecursionError) as error:
        unreadable(answer, error)


def quote(body: bytes) -> None:
    """Quote an answer that is a refusal."""
    words(Answer(500, {}, body, 0), ["secret"])


def headers(body: bytes) -> None:
    """Read a header."""
    text = body.decode("latin-1")
    retry_after({"Retry-After": text, "Date": text})
    read_quota({"zendesk-ratelimit-x": text, f"zendesk-ratelimit-{text}": "remaining=1", "ratelimit-reset": text})


def assert_grows_no_faster(work: Callable[[bytes], Any], made: Callable[[int], bytes]) -> None:
    """Measure ten times as much, twice, by the processor time of this thread."""
    last = None
    for size in SIZES:
        answer = made(size)
        taken = min(timed(work, answer) for _ in range(1 if size == SIZES[-1] else 3))
        assert last is None or taken < GENEROUS * last, f"{size} bytes take {taken / last:.0f} times as long"
        last = max(taken, LEAST)


def timed(work: Callable[[bytes], Any], given: bytes) -> float:
    began = time.thread_time()
    work(given)
    return time.thread_time() - began


@pytest.mark.parametrize("kind", BODIES)
def test_a_hostile_body_costs_no_more_than_its_size(kind: str) -> None:
    """L38. Read as an answer, quoted as a refusal, stripped of NUL, and mended even if it is cut."""
    whole = is_whole(body(kind, 100))
    for work in (read, quote, is_utf8, headers, *(() if whole else (repaired,))):
        assert_grows_no_faster(work, lambda size: body(kind, size))
    assert_grows_no_faster(lambda text: without_nul(b"\\u0000" + text), lambda size: body(kind, size))


PARTS = [
    b'"',
    b"\\",
    b":",
    b",",
    b"{",
    b"}",
    b"[",
    b"]",
    b"NaN",
    b"-Infinity",
    b"\\ud800",
    b"\\udc00",
    b"\xff",
    b"\xed",
]
PARTS += [b"\x01", b"\n", b" ", b"1", b"null", b'"rows"', b'{"rows":[{"', b'"}]}', "ä🎉".encode()]


@given(st.lists(st.sampled_from(PARTS) | st.binary(max_size=3), max_size=30), st.booleans())
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_an_answer_or_a_fault_that_is_asked_about_again(parts: list[bytes], framed: bool) -> None:
    """L38. What is read is UTF-8, and reads again as it is."""
    made = b"".join(parts)
    made = b'{"rows":[{"x":"' + made + b'"}]}' if framed else made
    try:
        rows = decoded(made, page_decoder("rows")).rows
    except (msgspec.DecodeError, RecursionError):
        return
    again = msgspec.json.encode({"rows": rows})
    assert [list(row) for row in decoded(again, page_decoder("rows")).rows] == [list(row) for row in rows]
    assert is_utf8(again)


def stopping(after: int) -> tuple[Callable[[], bool], Iterator[int]]:
    """A run that is over when it has been asked so often, and how often it was asked."""
    asked = count()
    return lambda: next(asked) >= after, asked


@pytest.mark.parametrize("kind", [kind for kind in BODIES if "cut" not in kind and kind not in ("brackets", "blanks")])
def test_a_run_that_is_over_waits_for_no_mending(kind: str) -> None:
    """However odd a body, it is asked at each piece whether there is a point in going on."""
    made = body(kind, 20 * PIECE)
    for after in (0, 3):
        over, asked = stopping(after)
        try:
            repaired(made, over)
        except Cancelled:
            assert next(asked) == after + 1
        else:  # nothing to look at in all those pieces
            assert next(asked) <= after


def test_what_is_cut_short_is_not_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mending, "repaired", None)
    for made in (b'{"rows":[{"id":1,"x":"\\ud800', b'{"rows":[{"id":1,"x":NaN', b'{"rows":[{"\xff'):
        with pytest.raises(msgspec.DecodeError):
            decoded(made, page_decoder("rows"))


def test_a_valid_body_is_decoded_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mending, "repaired", None)
    [row] = decoded('{"rows":[{"x":"ä NaN \\ud83c\\udf89"}]}'.encode(), page_decoder("rows")).rows
    assert bytes(row["x"]).decode() == '"ä NaN \\ud83c\\udf89"'


def test_a_character_cut_by_the_end_of_a_piece_is_whole() -> None:
    for shift in range(4):
        assert is_utf8(b"x" * (PIECE - shift) + "🎉".encode())
        assert not is_utf8(b"x" * (PIECE - shift) + "🎉".encode()[:-1])
        text = b'{"rows":[{"x":"' + b"x" * (PIECE - shift) + '🎉\\ud800"}]}'.encode()
        [row] = decoded(text, page_decoder("rows")).rows
        assert bytes(row["x"]).endswith('x🎉\ufffd"'.encode())


@pytest.mark.parametrize("fault", [b"NaN", b'"\xff"'])
def test_a_body_too_large_to_be_mended_is_refused(fault: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mending, "LARGEST", 1 << 20)
    made = b'{"rows":[{"id":1,"x":' + fault + b"}" + b" " * (2 << 20) + b"]}"
    with pytest.raises(Unmendable, match=r"^2 MB, and faults are mended up to 1 MB only$"):
        decoded(made, page_decoder("rows"))
    assert LARGEST == 64 << 20
