"""Every kind of stream has one that stands for it in the tests of modes."""

from __future__ import annotations

from kinds import KINDS, REPRESENTATIVES, STANDING, kind_of

from zendesk_support.streams import CATALOGUE


def test_every_kind_of_stream_has_one_that_stands_for_it() -> None:
    lacking = {name: kind_of(stream) for name, stream in CATALOGUE.items() if kind_of(stream) not in STANDING}
    assert lacking == {}
    assert len(STANDING) == len(set(STANDING)) == len(KINDS), REPRESENTATIVES
