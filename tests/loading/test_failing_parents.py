"""A list that fails fails what hangs below it, and nothing else; nobody waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import assert_whole, load, pipeline, source

from zendesk_support import sync
from zendesk_support.loading import subscription as module
from zendesk_support.loading.batches import Batch, Batches, News
from zendesk_support.loading.subscription import Subscription
from zendesk_support.reading.base import Job
from zendesk_support.records.json_rows import Rows
from zendesk_support.simulator import Simulator
from zendesk_support.streams.base import Stream

Simulate = Callable[..., Simulator]
STREAMS = ("schedules", "schedule_holidays", "groups")


def statuses(tmp_path: Path, account: Simulator) -> dict[str, str]:
    """How each stream of a sync ended."""
    report = sync(pipeline(tmp_path), source(account).with_resources(*STREAMS))
    return {name: stream.status for name, stream in report.streams.items()}


def test_a_page_of_parents_that_cannot_be_loaded_ends_no_run(
    tmp_path: Path, simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L20."""
    account, check_keys = simulate(tickets=5), module.check_keys

    def check(rows: Rows, stream: Stream) -> None:
        if stream.name == "schedules":
            raise KeyError("id")
        check_keys(rows, stream)

    monkeypatch.setattr(module, "check_keys", check)
    assert statuses(tmp_path, account) == {"schedules": "failed", "schedule_holidays": "failed", "groups": "loaded"}
    monkeypatch.undo()
    target = pipeline(tmp_path)
    load(target, account, *STREAMS)
    assert_whole(target, account, *STREAMS)


def test_nobody_waits_for_parents_that_were_not_even_begun(
    tmp_path: Path, simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, prepare = simulate(tickets=5), Subscription.prepare

    def fail(self: Subscription, job: Job) -> None:
        if self.stream.name == "schedules":
            raise ConnectionError("the destination does not answer")
        prepare(self, job)

    monkeypatch.setattr(Subscription, "prepare", fail)
    found: dict[str, str] = {}
    waiting = threading.Thread(target=lambda: found.update(statuses(tmp_path, account)), daemon=True)
    waiting.start()
    waiting.join(60)
    assert found == {"schedules": "failed", "schedule_holidays": "failed", "groups": "loaded"}


def test_a_reader_that_waited_for_room_leaves_nothing_in_a_closed_queue() -> None:
    """What stays there would let dlt's thread turn without rest for the remainder of the run."""
    news, batch = News(), Batch(None, 0, {})
    batches = Batches(news, threading.Event())
    for _ in range(2):
        batches.put(batch)
    putting = threading.Thread(target=batches.put, args=(batch,))
    putting.start()
    while not batches._queue.not_full._waiters:  # type: ignore[attr-defined]
        threading.Event().wait(0.01)
    batches.close()
    putting.join(5)
    assert news._waiting == 0
    assert batches.take_all() == []


def test_a_slow_list_below_parents_leaves_room_for_the_others(tmp_path: Path, simulate: Simulate) -> None:
    """Requests of one stream that are asked again and again hold its own part of the threads, no more."""
    account: Any = simulate(tickets=40, limits={"help_center": 100_000}, clock_scale=1)
    account.fault("status", route="article_comments", times=None, status=503)
    built = source(account, retry_deadline=20, clock_scale=1)
    report = sync(pipeline(tmp_path), built.with_resources("articles", "article_comments", "article_attachments"))
    assert report.streams["article_comments"].status == "failed"
    finished = {name: stream.finished_at for name, stream in report.streams.items()}
    assert report.streams["article_attachments"].status == "loaded"
    late = finished["article_comments"] - finished["article_attachments"]
    assert late.total_seconds() > 5
