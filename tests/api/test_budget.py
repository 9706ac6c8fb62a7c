"""Pacing: a lone client meets no 429, wastes no quota, and leaves other clients their part."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import suppress

import pytest
from traffic import Traffic, most_in_a_minute

from zendesk_support.api import rate_limiter as module
from zendesk_support.api.bucket import SPREAD, Bucket
from zendesk_support.api.clock import Clock
from zendesk_support.api.limits import (
    ACCOUNT,
    DELETED_TICKETS_LIST,
    EXPORTS,
    GUIDE,
    HELP_CENTER,
    PLAIN,
    USERS_EXPORT,
    WEBHOOKS,
    Limit,
)
from zendesk_support.api.quota_headers import NOTHING, Quota, read_quota
from zendesk_support.api.rate_limiter import GRACE, Permit, Priority, RateLimiter
from zendesk_support.errors import Cancelled

LOADS = {
    "lists": ((ACCOUNT,), "account", 70, 200, 8),
    "exports": ((ACCOUNT, EXPORTS), "incremental_exports", 10, 35, 4),
    "users": ((ACCOUNT, USERS_EXPORT), "incremental_exports_cursor", 20, 70, 1),
    "help center": ((HELP_CENTER,), "help_center", 70, 200, 8),
}
ADD_ON = [(EXPORTS, "incremental_exports", 30), (USERS_EXPORT, "incremental_exports_cursor", 60)]
NEW = {"ratelimit-limit": "700", "ratelimit-remaining": "698", "ratelimit-reset": "41"}
OLD = {"rate-limit": "700", "rate-limit-remaining": "698", "rate-limit-reset": "41"}
PAIR = {"X-Rate-Limit": "700", "X-Rate-Limit-Remaining": "699"}
ENDPOINT = "total=10; remaining=9; resets=43"
EXPORT_QUOTA = {"incrementalexports": Quota(10, 9, 43)}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({**PAIR, **NEW}, (Quota(700, 698, 41), {})),
        ({**PAIR, **OLD}, (Quota(700, 698, 41), {})),
        (PAIR, (Quota(700, 699, None), {})),
        ({}, (Quota(), {})),
        ({"Zendesk-RateLimit-incremental-exports": ENDPOINT}, (Quota(), EXPORT_QUOTA)),
        ({"zendesk-rate-limit-incremental-exports": ENDPOINT}, (Quota(), EXPORT_QUOTA)),
        ({**NEW, "zendesk-ratelimit-tickets-index": "unlimited"}, (Quota(700, 698, 41), {})),
        ({"ratelimit-limit": "50", "ratelimit-reset": "2026-01-01T00:00:00Z"}, (Quota(50, None, None), {})),
    ],
    ids=["new", "old", "pair", "none", "endpoint", "endpoint with hyphen", "unreadable", "reset as date"],
)
def test_every_spelling_of_the_limit_headers_is_read(
    headers: dict[str, str], expected: tuple[Quota, dict[str, Quota]]
) -> None:
    assert read_quota(headers) == expected


def shortest(
    limit: int, requests: int, workers: int, latency: float, phase: float | None, seconds: float = 60
) -> float:
    """Seconds a client needs that knows the server's windows; `phase` into a fixed one, None where they slide."""
    free, counted, used = [0.0] * workers, list[float](), Counter[int]()
    for i in range(requests):
        at = free[i % workers] + latency / 2
        if phase is None:
            at = max(at, counted[i - limit] + seconds) if i >= limit else at
        else:
            while used[int((at + phase) // seconds)] >= limit:
                at = ((at + phase) // 60 + 1) * seconds - phase
            used[int((at + phase) // seconds)] += 1
        counted.append(at)
        free[i % workers] = at + latency / 2
    return max(free)


@pytest.mark.parametrize("latency", [0.05, 1.4])
@pytest.mark.parametrize("phase", [0, 31, 57])
@pytest.mark.parametrize("style", ["new", "old", "none"])
@pytest.mark.parametrize("window", ["fixed", "sliding"])
@pytest.mark.parametrize("load", LOADS)
def test_a_lone_client_meets_no_429_and_wastes_no_quota(
    load: str, window: str, style: str, phase: int, latency: float
) -> None:
    """L29. The time is at most 5 % above what a client needs that knows the windows, as far as headers tell of them."""
    specs, bucket, limit, requests, workers = LOADS[load]
    traffic = Traffic({"account": 700, bucket: limit}, window, style, latency=latency, phase=phase)
    traffic.send(*specs, times=requests, workers=workers)
    told = window == "fixed" and style != "none" and load != "help center"
    least = shortest(limit, requests, workers, latency, phase if told else None)
    assert traffic.refused == 0
    assert traffic.elapsed <= 1.05 * least


@pytest.mark.parametrize("window", ["fixed", "sliding"])
@pytest.mark.parametrize("style", ["new", "none"])
@pytest.mark.parametrize("load", LOADS)
def test_half_a_share_leaves_half_of_every_minute(load: str, style: str, window: str) -> None:
    specs, bucket, limit, requests, workers = LOADS[load]
    traffic = Traffic({"account": 700, bucket: limit}, window, style, share=0.5, phase=31)
    traffic.send(*specs, times=requests, workers=workers)
    assert traffic.refused == 0
    assert most_in_a_minute(traffic.counted) == limit // 2


def test_a_pause_between_two_loads_causes_no_429() -> None:
    for window in ("fixed", "sliding"):
        for idle in range(1, 120, 7):
            traffic = Traffic({"account": 30}, window, phase=11)
            for requests in (40, 1, 25):
                traffic.send(ACCOUNT, times=requests, workers=8)
                traffic.pass_time(idle)
            assert traffic.refused == 0, (window, idle)


@pytest.mark.parametrize("style", ["new", "old"])
def test_what_other_clients_use_is_seen_in_the_headers(style: str) -> None:
    traffic = Traffic({"account": 100}, style=style)
    traffic.server.burn("account", traffic.now(), 60)
    traffic.send(ACCOUNT, times=100, workers=1)
    assert traffic.refused == 0
    assert max(Counter(int(at // 60) for at in traffic.counted).values()) == 60


def test_other_clients_of_the_help_center_cost_no_storm_of_429s() -> None:
    """Its answers carry no reset."""
    traffic = Traffic({"account": 700, "help_center": 50})
    traffic.send(HELP_CENTER)
    traffic.server.burn("help_center", traffic.now(), 44)
    traffic.send(HELP_CENTER, times=30, workers=1)
    assert traffic.refused == 0


@pytest.mark.parametrize("style", ["new", "none"])
def test_an_earlier_run_of_this_minute_costs_at_most_one_429(style: str) -> None:
    traffic = Traffic({"account": 700, "incremental_exports": 10}, style=style)
    traffic.server.burn("incremental_exports", traffic.now(), 10)
    traffic.send(ACCOUNT, EXPORTS, times=12, workers=4)
    assert traffic.refused == 1


def test_a_used_up_export_bucket_does_not_hold_up_lists() -> None:
    """L30."""
    traffic = Traffic({"account": 700, "incremental_exports": 10}, phase=1)
    traffic.send(ACCOUNT, EXPORTS, times=10, workers=4)
    before = traffic.elapsed
    traffic.send(ACCOUNT, times=50, workers=1)
    assert traffic.elapsed - before == pytest.approx(50 * traffic.latency, rel=0.1)


@pytest.mark.parametrize("style", ["new", "none"])
@pytest.mark.parametrize(
    ("spec", "bucket", "limit"),
    ADD_ON,
)
def test_the_high_volume_add_on_raises_the_limit_of_exports(spec: Limit, bucket: str, limit: int, style: str) -> None:
    traffic = Traffic({"account": 2500, bucket: limit}, style=style)
    traffic.send(ACCOUNT, spec, times=limit, workers=2)
    assert traffic.refused == 0
    assert traffic.elapsed < 59


def test_a_429_pauses_its_bucket_and_no_other() -> None:
    traffic = Traffic({"account": 700, "incremental_exports": 10}, style="none")
    traffic.server.burn("incremental_exports", traffic.now(), 10)
    traffic.send(ACCOUNT, EXPORTS)
    assert traffic.refused == 1
    before = traffic.elapsed
    traffic.send(ACCOUNT)
    assert traffic.elapsed - before < 1
    traffic.send(ACCOUNT, EXPORTS)
    assert traffic.refused == 1
    assert traffic.elapsed >= 60


def minute(requests: int, share: float = 1.0) -> Bucket:
    """The bucket of a limit that plain headers tell of."""
    return Bucket(Limit("any", requests, told_by=PLAIN), share)


def answered(bucket: Bucket, at: float, quota: Quota = NOTHING) -> None:
    """One request sent and answered at one time."""
    assert bucket.ready_at(at) <= at
    bucket.take(at)
    bucket.learn(quota, at, at)


def test_an_unknown_bucket_sends_one_request_before_it_sends_more() -> None:
    bucket = minute(200)
    bucket.take(1)
    assert bucket.ready_at(1) == float("inf")
    bucket.learn(Quota(400, 399, 30), 1, 1.5)
    assert bucket.ready_at(1.5) == 1.5
    assert bucket.requests == 400


def test_a_request_without_an_answer_stays_counted_and_blocks_nobody() -> None:
    bucket = minute(2)
    bucket.take(1)
    bucket.give_back()
    assert bucket.ready_at(2) == 2
    answered(bucket, 2)
    assert bucket.ready_at(3) == 61


def test_a_log_makes_room_a_minute_after_the_answer() -> None:
    bucket = minute(1)
    bucket.take(10)
    bucket.learn(Quota(), 10, 13)
    assert bucket.ready_at(14) == 73


def test_a_share_is_rounded_down_but_never_to_nothing() -> None:
    assert minute(10, 0.25).allowance == 2
    assert minute(10, 0.01).allowance == 1


def test_an_older_answer_does_not_end_a_pause() -> None:
    bucket = minute(10)
    answered(bucket, 1)
    bucket.take(2)
    bucket.pause(30)
    bucket.learn(Quota(10, 5, 20), 2, 3)
    assert bucket.ready_at(4) == 30
    bucket.take(30)
    assert bucket.ready_at(30) == float("inf")


def test_an_answer_that_takes_longer_than_a_window_is_counted_when_it_comes() -> None:
    bucket = minute(10)
    bucket.take(0.0)
    bucket.learn(Quota(limit=10, remaining=9), sent=0.0, now=90.0)
    assert list(bucket.log) == [90.0]
    assert bucket.ready_at(90.0) == 90.0


def test_an_answer_that_comes_late_is_not_taken_for_one_of_the_next_window() -> None:
    bucket = minute(10)
    bucket.window = "fixed"
    answered(bucket, 1, Quota(10, 9, 59))
    for sent in (2, 3, 4):
        bucket.take(sent)
    bucket.learn(Quota(10, 7, 57), 3, 5)
    bucket.learn(Quota(10, 6, 56), 4, 6)
    bucket.learn(Quota(10, 8, 58), 2, 30)
    for _ in range(6):
        assert bucket.ready_at(31) == 31
        bucket.take(31)
    assert bucket.ready_at(31) == pytest.approx(61, abs=1)


def test_what_was_counted_before_a_reset_and_answered_after_it_costs_the_next_window_nothing() -> None:
    bucket = minute(10)
    for sent in (1, 2):
        answered(bucket, sent, Quota(10, 10 - sent, 5 - sent))
    for sent in (3, 4, 5):
        bucket.take(sent)
    left = 9
    bucket.take(7)
    bucket.learn(Quota(10, left, 59), 7, 8)
    assert (bucket.window, bucket.remaining) == ("fixed", 6)
    for sent in (3, 4, 5):
        bucket.learn(Quota(10, 10 - sent, 5 - sent), sent, 9)
    for now in range(10, 19):
        assert bucket.ready_at(now) == now
        left -= 1
        answered(bucket, now, Quota(10, left, 66 - now))
    assert left == 0
    assert bucket.ready_at(19) > 60


@pytest.mark.parametrize("latency", [0.05, 0.3])
@pytest.mark.parametrize("phase", [0, 17, 31, 57])
@pytest.mark.parametrize("window", ["fixed", "sliding"])
def test_the_end_of_a_window_that_no_header_tells_is_seen(window: str, phase: int, latency: float) -> None:
    """Help Center answers have no reset: the last requests of the first minute are spread over it."""
    traffic = Traffic({"account": 700, "help_center": 200}, window, latency=latency, phase=phase)
    traffic.send(HELP_CENTER, times=900, workers=16)
    least = shortest(200, 900, 16, latency, phase if window == "fixed" else None)
    assert traffic.refused == 0
    assert traffic.elapsed <= least + 60 / SPREAD + 5


@pytest.mark.parametrize("phase", [55 + tenths / 5 for tenths in range(25)])
def test_answers_from_both_sides_of_a_reset_waste_no_window(phase: float) -> None:
    traffic = Traffic({"account": 700, "help_center": 200}, latency=0.6, phase=phase)
    traffic.send(HELP_CENTER, times=900, workers=64)
    windows = Counter(int(at // 60) for at in traffic.counted)
    _, second, *whole, _ = [windows[number] for number in sorted(windows)]
    assert traffic.refused == 0
    assert second >= 196
    assert set(whole) == {200}


@pytest.mark.parametrize("window", ["fixed", "sliding"])
def test_half_a_share_beside_a_client_that_uses_the_other_half_meets_no_429(window: str) -> None:
    traffic = Traffic({"account": 100}, window, share=0.5, phase=31)
    for second in range(0, 300, 6):
        traffic.at(second, lambda: traffic.server.burn("account", traffic.now(), 5))
    traffic.send(ACCOUNT, times=200, workers=8)
    assert traffic.refused == 0


def test_what_another_client_goes_on_using_refuses_no_more_than_what_was_under_way() -> None:
    traffic = Traffic({"account": 100}, phase=31)
    for second in range(600):
        traffic.at(second, lambda: traffic.server.burn("account", traffic.now(), 1))
    traffic.send(ACCOUNT, times=400, workers=8)
    minutes = traffic.elapsed / 60
    assert traffic.refused <= 8 * minutes
    assert minutes < 400 / 40


def test_who_waits_behind_a_slower_request_goes_once_its_own_limits_have_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The one in front wakes it: it looks by itself too late for this test."""
    monkeypatch.setattr(module, "LOOKS_AGAIN", 600.0)
    limiter, stop = RateLimiter(Clock(), 1.0), threading.Event()
    first = limiter.acquire("first", (ACCOUNT, EXPORTS), stop)
    limiter.settle(first, {"zendesk-ratelimit-incremental-exports": "total=10; remaining=0; resets=50"})
    limiter.pause(first, 0.4, {})
    gone: list[str] = []

    def ask(name: str, *specs: Limit) -> None:
        with suppress(Cancelled):
            limiter.acquire(name, specs, stop)
            gone.append(name)

    front = threading.Thread(target=ask, args=("front", ACCOUNT, EXPORTS))
    behind = threading.Thread(target=ask, args=("behind", ACCOUNT))
    for count, thread in enumerate((front, behind), 1):
        thread.start()
        while len(limiter._waiting) < count:
            pass
    assert [waiter.behind for waiter in limiter._waiting] == [False, True]
    behind.join(60)
    assert gone == ["behind"]
    stop.set()
    limiter.wake()
    front.join(60)
    assert gone == ["behind"]


def test_what_was_waited_is_told_while_others_go_on_waiting() -> None:
    limiter = RateLimiter(Clock(), 1.0)
    told = limiter.waited()
    limiter.acquire("export", (ACCOUNT, EXPORTS), threading.Event(), priority=Priority.EXPORT)
    assert told == {}
    assert limiter.waited().keys() == {"account"}


class StillClock(Clock):
    """A clock that stands at 1."""

    def now(self) -> float:
        return 1.0


def test_requests_that_most_waits_for_go_first_and_hold_up_no_other_bucket() -> None:
    """L30. A used-up export limit stops the exports only; what is left of the account's goes by priority."""
    limiter, stop = RateLimiter(StillClock(), 1.0), threading.Event()
    sent: list[str] = []
    going = threading.Semaphore(0)

    def ask(name: str, priority: Priority, at: int, *specs: Limit) -> None:
        with suppress(Cancelled):
            limiter.acquire(name, specs, stop, priority=priority, reached=at)
            sent.append(name)
            going.release()

    first = limiter.acquire("first", (ACCOUNT, EXPORTS), stop)
    waiting = [
        ("export", Priority.EXPORT, 0, ACCOUNT, EXPORTS),
        ("child", Priority.CHILDREN, 0, ACCOUNT),
        ("list", Priority.LIST, 0, ACCOUNT),
        ("export near its end", Priority.EXPORT, 1_700_000_000, ACCOUNT),
        ("export far behind", Priority.EXPORT, 1_600_000_000, ACCOUNT),
        ("parents", Priority.PARENTS, 0, ACCOUNT),
    ]
    threads = [threading.Thread(target=ask, args=asked) for asked in waiting]
    for count, thread in enumerate(threads, 1):
        thread.start()
        while len(limiter._waiting) < count:
            pass
    exports = "total=10; remaining=0; resets=50"
    account = {"ratelimit-limit": "100", "ratelimit-remaining": "0", "ratelimit-reset": "50"}
    limiter.settle(first, {**account, "zendesk-ratelimit-incremental-exports": exports})
    assert sent == []
    for name in ("parents", "export far behind", "export near its end", "list", "child"):
        limiter._buckets["account"].remaining = 1
        limiter.wake()
        assert going.acquire(timeout=30)
        assert sent[-1] == name
    assert [waiter.route for waiter in limiter._waiting] == ["export"]
    stop.set()
    limiter.wake()
    for thread in threads:
        thread.join()


def test_an_export_leaves_the_first_request_to_a_list_which_is_answered_sooner() -> None:
    limiter, stop = RateLimiter(Clock(), 1.0), threading.Event()
    permits: list[Permit] = []

    def ask() -> None:
        permits.append(limiter.acquire("export", (ACCOUNT, EXPORTS), stop, priority=Priority.EXPORT))

    export = threading.Thread(target=ask)
    export.start()
    while not limiter._waiting:
        pass
    listed = limiter.acquire("list", (ACCOUNT,), stop)
    assert permits == []
    limiter.settle(listed, NEW)
    export.join(60)
    assert [permit.route for permit in permits] == ["export"]


def test_an_export_without_lists_beside_it_goes_alone() -> None:
    ticket = RateLimiter(Clock(), 1.0).acquire(
        "export", (ACCOUNT, EXPORTS), threading.Event(), priority=Priority.EXPORT
    )
    assert ticket.waited == pytest.approx(GRACE, abs=0.4)


def test_lists_leave_a_part_of_the_minute_to_exports_at_work() -> None:
    """Exports come back for their next page; lists must not have used up the account's minute by then."""
    limiter, stop = RateLimiter(StillClock(), 1.0), threading.Event()
    told = {"ratelimit-limit": "20", "ratelimit-remaining": "19", "ratelimit-reset": "50"}
    limiter.settle(limiter.acquire("list", (ACCOUNT,), stop), told)
    export = limiter.acquire("export", (ACCOUNT, EXPORTS), stop, priority=Priority.EXPORT)
    for _ in range(13):
        limiter.acquire("list", (ACCOUNT,), stop)
    late: list[str] = []

    def ask() -> None:
        with suppress(Cancelled):
            late.append(limiter.acquire("list", (ACCOUNT,), stop).route)

    waiting = threading.Thread(target=ask)
    waiting.start()
    while not limiter._waiting:
        pass
    exports = "total=10; remaining=9; resets=50"
    limiter.settle(export, {**told, "ratelimit-remaining": "5", "zendesk-ratelimit-incremental-exports": exports})
    for _ in range(5):
        limiter.acquire("export", (ACCOUNT, EXPORTS), stop, priority=Priority.EXPORT)
    assert late == []
    stop.set()
    limiter.wake()
    waiting.join(60)
    assert late == []


# Windows of other lengths

WINDOWS = [(600, 600), (15_000, 300), (2500, 300), (300, 60)]
TELLERS = {
    "plain, without a reset": (PLAIN, "help_center"),
    "named": ("perticketupdates", "long"),
    "nobody": (None, "access_logs"),
}


@pytest.mark.parametrize("teller", TELLERS)
@pytest.mark.parametrize("window", ["fixed", "sliding"])
@pytest.mark.parametrize(("requests", "seconds"), WINDOWS)
def test_a_window_of_any_length_is_used_to_its_bound_and_meets_no_429(
    requests: int, seconds: int, window: str, teller: str
) -> None:
    told_by, counted = TELLERS[teller]
    traffic = Traffic({"account": 700, counted: (requests, seconds)}, window, phase=31)
    limit = Limit(counted, requests, seconds, told_by=told_by)
    workers = max(8, requests // seconds)
    times = int(2.5 * requests)
    traffic.send(limit, times=times, workers=workers)
    is_seen = window == "fixed" and told_by is not None
    least = shortest(requests, times, workers, traffic.latency, 31 if is_seen else None, seconds)
    spread = seconds / SPREAD if told_by == PLAIN else 0
    assert traffic.refused == 0
    assert traffic.elapsed <= 1.05 * least + spread + 5


@pytest.mark.parametrize("window", ["fixed", "sliding"])
def test_a_limit_that_nobody_tells_of_is_kept_by_its_log_alone(window: str) -> None:
    """The headers of other counters in the same answer change nothing."""
    traffic = Traffic({"account": 700, "access_logs": 50}, window, phase=31)
    limit = Limit("access_logs", 50)
    traffic.send(ACCOUNT, limit, times=175, workers=8)
    assert traffic.refused == 0
    assert most_in_a_minute(traffic.counted) == 50
    assert traffic.limiter.told_limit(limit) is None


def test_a_limit_that_nobody_tells_of_waits_for_no_answer() -> None:
    bucket = Bucket(Limit("any", 2), 1.0)
    bucket.take(1)
    assert bucket.ready_at(1) == 1
    bucket.take(1)
    assert bucket.ready_at(2) == 61


def test_a_host_with_a_counter_of_its_own_spends_nothing_of_the_accounts() -> None:
    limiter, stop = RateLimiter(StillClock(), 1.0), threading.Event()
    chat = Limit("chat", 200, told_by=PLAIN)
    limiter.settle(limiter.acquire("account", (ACCOUNT,), stop), NEW)
    limiter.settle(limiter.acquire("chats", (chat,), stop), {"x-rate-limit": "30", "x-rate-limit-remaining": "4"})
    assert (limiter.told_limit(ACCOUNT), limiter.told_limit(chat)) == (700, 30)


@pytest.mark.parametrize(
    ("own", "headers", "told"),
    [
        (WEBHOOKS, {"x-rate-limit": "100"}, 100),
        (GUIDE, {"x-rate-limit": "400", "x-rate-limit-remaining": "399"}, 400),
        (HELP_CENTER, PAIR, 700),
    ],
    ids=["webhooks", "guide", "help center"],
)
def test_plain_headers_tell_of_the_limit_that_counts_their_route_and_not_of_the_accounts(
    own: Limit, headers: dict[str, str], told: int
) -> None:
    limiter, stop = RateLimiter(StillClock(), 1.0), threading.Event()
    limiter.settle(limiter.acquire("own", (own,), stop), headers)
    assert (limiter.told_limit(own), limiter.told_limit(ACCOUNT)) == (told, None)
    limiter.settle(limiter.acquire("account", (ACCOUNT,), stop), NEW)
    limiter.pause(limiter.acquire("own", (own,), stop), 30, headers)
    assert (limiter.told_limit(own), limiter.told_limit(ACCOUNT)) == (told, 700)
    assert [limiter._buckets[limit.key].paused_until for limit in (own, ACCOUNT)] == [31, 0]


def test_a_429_that_names_no_limit_is_about_the_one_its_text_speaks_of() -> None:
    limiter, stop = RateLimiter(StillClock(), 1.0), threading.Event()
    for body, stopped in ((b"Number of allowed incremental export API requests", EXPORTS), (b"Slow down", ACCOUNT)):
        limiter.pause(limiter.acquire(stopped.name, (ACCOUNT, EXPORTS), stop), 30, {}, body=body)
        assert limiter._buckets[stopped.key].paused_until == 31
        limiter = RateLimiter(StillClock(), 1.0)


# Limits that only answers name


LIMITS = {"account": 700, "incremental_exports": 10, "ticket_fields_index": 20, "tags_index": 100, "long": (30, 600)}


@pytest.mark.parametrize("style", ["new", "old"])
@pytest.mark.parametrize("window", ["fixed", "sliding"])
@pytest.mark.parametrize(
    "hidden", [("ticket_fields_index",), ("ticket_fields_index", "tags_index"), ("long",)], ids="+".join
)
def test_a_limit_that_only_answers_name_is_obeyed(window: str, style: str, hidden: tuple[str, ...]) -> None:
    traffic = Traffic(LIMITS, window, style, also=hidden)
    traffic.send(ACCOUNT, times=70)
    assert traffic.refused == 0
    assert 2 * 60 <= traffic.elapsed <= 21 * 60


def test_a_limit_that_only_answers_name_leaves_other_routes_alone() -> None:
    traffic = Traffic(LIMITS, also=("ticket_fields_index",))
    traffic.send(ACCOUNT, times=20)
    traffic.also = ()
    traffic.route = "another"
    began = traffic.elapsed
    traffic.send(ACCOUNT, times=100)
    assert traffic.elapsed - began < 60


def test_routes_that_share_a_limit_spend_it_together() -> None:
    traffic = Traffic(LIMITS, also=("ticket_fields_index",))
    for number in range(60):
        traffic.route = f"route {number % 3}"
        traffic.send(ACCOUNT)
    assert traffic.refused <= 3  # each route learns of it by an answer
    assert traffic.elapsed > 2 * 60


def test_a_limit_under_a_name_that_was_a_guess_gives_way_to_the_one_that_answers_name() -> None:
    traffic = Traffic(LIMITS, also=("tags_index",))
    traffic.send(ACCOUNT, DELETED_TICKETS_LIST, times=50)
    assert (traffic.refused, traffic.elapsed < 60) == (0, True)


def test_a_limit_under_a_name_that_was_recorded_stays() -> None:
    traffic = Traffic(LIMITS, also=("tags_index",))
    traffic.send(ACCOUNT, EXPORTS, times=25)
    assert (traffic.refused, traffic.elapsed > 60) == (0, True)


def test_a_refusal_stops_the_limit_that_its_header_names_and_no_other() -> None:
    limiter, stop = RateLimiter(Clock(), 1.0), threading.Event()
    spent = {"zendesk-ratelimit-ticket-fields-index": "total=20; remaining=0; resets=50"}
    refused = limiter.acquire("fields", (ACCOUNT,), stop)
    limiter.pause(refused, 50, spent)
    limiter.settle(refused, spent)
    limiter.settle(limiter.acquire("others", (ACCOUNT,), stop, patience=1), {})
    assert limiter.acquire("others", (ACCOUNT,), stop, patience=1).waited < 1


def test_answers_name_no_more_limits_than_an_account_has() -> None:
    limiter, stop = RateLimiter(Clock(), 1.0), threading.Event()
    for number in range(1000):
        odd = "".join(chr(97 + int(digit)) for digit in str(number))
        limiter.settle(
            limiter.acquire("r", (ACCOUNT,), stop), {f"zendesk-ratelimit-{odd}": "total=2000; remaining=1999"}
        )
        limiter._buckets[ACCOUNT.name].log.clear()
    assert len(limiter._buckets) <= module.MOST_LEARNED
