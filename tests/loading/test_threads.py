"""The threads of a run are as many as requests are worth, however many streams there are."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support import pipeline, source

from zendesk_support import source as module
from zendesk_support import sync
from zendesk_support.loading import stream_settings
from zendesk_support.loading.batches import Batch, Batches, News
from zendesk_support.loading.reader import ReaderThreads
from zendesk_support.reading.below import Below
from zendesk_support.reading.lists import Listing
from zendesk_support.reading.parallel import CHILDREN, READERS
from zendesk_support.simulator import Simulator
from zendesk_support.streams import CATALOGUE, selection
from zendesk_support.streams.base import Stream, feed

BATCH = Batch(None, 0, {})
Simulate = Callable[..., Simulator]
POOLS = ("zendesk-reader", "zendesk-page", "zendesk-children")


def made_up(count: int) -> dict[str, Stream]:
    """The catalogue with more streams, each of a list of its own and every third below it."""
    found = dict(CATALOGUE)
    while len(found) < count:
        name = f"made_up_{len(found)}"
        of_its_own = Listing("groups", "groups", params={"made_up": len(found)}, names=("id",))
        child = Listing("groups/{id}/memberships", "group_memberships")
        endpoint = Below(of_its_own, child, {"group_id": "id"}) if len(found) % 3 == 0 else of_its_own
        like = "group_memberships" if len(found) % 3 == 0 else "groups"
        found[name] = replace(CATALOGUE[like], name=name, feeds=feed(endpoint))
    return found


def most_threads(tmp_path: Path, account: Simulator, monkeypatch: pytest.MonkeyPatch, streams: int) -> Counter[str]:
    """The most threads of each pool that a first sync of so many streams had at a time."""
    most: Counter[str] = Counter()
    take = Batches.take

    def noted(self: Batches) -> Any:
        now = Counter(pool for thread in threading.enumerate() for pool in POOLS if thread.name.startswith(pool))
        for pool, number in now.items():
            most[pool] = max(most[pool], number)
        return take(self)

    monkeypatch.setattr(Batches, "take", noted)
    catalogue = made_up(streams)
    for place in (module, stream_settings, selection):
        monkeypatch.setattr(place, "CATALOGUE", catalogue)
    report = sync(pipeline(tmp_path), source(account, streams=list(catalogue)))
    assert len(report.streams) == streams
    assert report.failed == []
    return most


@pytest.mark.parametrize("streams", [len(CATALOGUE), len(CATALOGUE) + 31])
def test_threads_do_not_grow_with_the_number_of_streams(
    tmp_path: Path, simulate: Simulate, monkeypatch: pytest.MonkeyPatch, streams: int
) -> None:
    before = {*threading.enumerate()}
    most = most_threads(tmp_path, simulate(tickets=20), monkeypatch, streams)
    assert most["zendesk-reader"] <= READERS
    assert most["zendesk-page"] <= READERS
    assert most["zendesk-children"] <= 2 * CHILDREN  # those of the account's limit, and of the help center's
    assert {thread.name for thread in {*threading.enumerate()} - before if thread.name.startswith(POOLS)} == set()


def test_readers_that_wait_for_others_begin_after_them() -> None:
    """However few threads there are, a list is under way before what hangs below it waits for it."""
    begun: list[int] = []

    class Noted:
        started = False

        def __init__(self, depth: int) -> None:
            self.depth = depth

        def run(self) -> None:
            begun.append(self.depth)

    readers: Any = [Noted(depth) for depth in (2, 0, 1, 0, 2, 1)]
    threads = ReaderThreads(at_most=1)
    threads.start(readers)
    while len(begun) < len(readers):
        threading.Event().wait(0.01)
    threads.stop(float("inf"))
    assert begun == [0, 0, 1, 1, 2, 2]


def test_a_stream_that_nobody_takes_from_holds_up_no_other() -> None:
    news, stop = News(), threading.Event()
    full, other = Batches(news, stop), Batches(news, stop)
    for _ in range(2):
        full.put(BATCH)
    waiting = threading.Thread(target=full.put, args=(BATCH,))
    waiting.start()
    other.put(BATCH)
    assert other.take() is BATCH
    full.close()
    waiting.join(5)
    assert not waiting.is_alive()
