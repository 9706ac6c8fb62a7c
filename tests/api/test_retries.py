"""When a request is sent again, when it is given up, and what counts as waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable
from math import inf

import pytest

from zendesk_support.api.clock import Clock
from zendesk_support.api.request import Usage
from zendesk_support.api.retries import LONGEST_PAUSE, MAX_BACKOFF, TOKEN_TRIES, Attempts, Retry
from zendesk_support.errors import Cancelled, TransientError


class Hand(Clock):
    """A clock that is moved by hand, and by sleeping."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 100.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float, stop: threading.Event) -> None:
        self.time += seconds


@pytest.fixture
def tried() -> Attempts:
    """A request that is tried for a minute."""
    made = Attempts("rows", Usage(), 60.0, Hand(), threading.Event())
    made.begin()
    return made


def test_each_failure_is_waited_for_longer_and_shown(tried: Attempts) -> None:
    for least in (0.5, 1, 2, 4):
        before = tried.clock.now()
        tried.wait(tried.failed("503: busy"), inf)
        assert least <= tried.clock.now() - before <= 2 * least
    assert tried.usage.retries == 4
    assert tried.usage.waited == pytest.approx(tried.clock.now() - 100)
    assert tried.usage.trouble is not None
    assert (tried.usage.trouble.reason, tried.usage.trouble.since, tried.usage.trouble.until) == ("503: busy", 100, 160)


def test_no_failure_is_waited_for_longer_than_a_minute(tried: Attempts) -> None:
    assert max(tried.failed("503").pause for _ in range(50)) <= MAX_BACKOFF


def test_a_try_that_would_begin_after_the_deadline_is_not_waited_for(tried: Attempts) -> None:
    with pytest.raises(TransientError, match=r'rows: .*retry_deadline = 60 s; the last was "503: busy"'):
        tried.wait(tried.failed("503: busy", 61), inf)
    assert tried.clock.now() == 100


def test_waiting_for_a_window_of_a_limit_does_not_use_up_the_deadline(tried: Attempts) -> None:
    tried.extend(60)
    tried.wait(tried.failed("503: busy", 61), inf)
    assert tried.patience == 59


def test_a_host_that_has_never_answered_is_asked_again_soon(tried: Attempts) -> None:
    tried.wait(tried.failed("503: busy", 50), longest=3)
    assert tried.clock.now() == 103


def test_what_a_429_asks_for_beyond_the_pause_of_its_limit_its_request_waits_alone(tried: Attempts) -> None:
    tried.extend(1000)
    tried.wait(tried.limited("429", 20), inf)
    assert (tried.clock.now(), tried.usage.retries) == (100, 0)
    again = tried.limited("429", LONGEST_PAUSE + 40)
    assert 40.5 <= again.pause <= 41


def test_a_429_that_asks_for_more_than_is_left_is_given_up(tried: Attempts) -> None:
    with pytest.raises(TransientError, match='the last was "429: slow down"'):
        tried.wait(tried.limited("429: slow down", 61), inf)


@pytest.mark.parametrize("once", [lambda tried: tried.confirm("403"), lambda tried: tried.renew(lambda: True)])
def test_a_refusal_is_confirmed_and_a_token_renewed_once(
    tried: Attempts, once: Callable[[Attempts], Retry | None]
) -> None:
    assert once(tried) is not None
    assert once(tried) is None


def test_a_token_that_cannot_be_renewed_is_no_reason_to_ask_again(tried: Attempts) -> None:
    assert tried.renew(lambda: False) is None


def test_tokens_that_end_under_way_are_asked_again_with_so_often_and_at_once(tried: Attempts) -> None:
    again = [tried.token_ended() for _ in range(TOKEN_TRIES + 1)]
    assert [retry is not None for retry in again] == [True] * TOKEN_TRIES + [False]
    assert again[0] is not None
    tried.wait(again[0], inf)
    assert (tried.clock.now(), tried.usage.retries, tried.usage.waited) == (100, 0, 0)


def test_the_end_of_the_run_ends_a_wait_for_the_next_try(tried: Attempts) -> None:
    tried.stop.set()
    with pytest.raises(Cancelled):
        tried.wait(tried.failed("503"), inf)
