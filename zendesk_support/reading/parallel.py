"""Requests beside each other: one page ahead, and many parents at once."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from zendesk_support.error_messages import first_of
from zendesk_support.errors import UnavailableError
from zendesk_support.reading.parents import Parent
from zendesk_support.records.json_rows import Rows

NAMED = 3
READERS = 32
"""Readers of one run that are under way at a time, and requests for their next pages."""
CHILDREN = 128
"""Requests below parents that are under way at a time for one limit. Each stream has up to 32 of them, or twice what
the account may send in a second."""


T = TypeVar("T")


class Answers:
    """Asks for what hangs below each of many parents, and decides what a refusal (403, 404) means.

    A parent that is refused while others are answered is asked for once more, as a single wrong answer would cost its
    rows. If it is refused again, it may have gone, or be hidden: that is the caller's to keep or to say. If all are
    refused, the plan or role lacks what hangs below them; where a refusal may be about one parent, if so many are.

    Attributes:
        refused: the parents that were refused twice.
        there: those of them that were not told to be missing (404).
    """

    def __init__(
        self, pool: FanOut, ask: Callable[[Parent], Rows], *, telling: int = 1, refused_before: Iterable[str] = ()
    ) -> None:
        """Begin.

        Args:
            pool: asks many at once.
            ask: what hangs below a parent.
            telling: how many refusals (403), where nobody is answered, say that the plan or role lacks it.
            refused_before: titles of parents that were refused by an earlier pass, and are asked for once.
        """
        self.refused: list[Parent] = []
        self.there: list[Parent] = []
        self._pool, self._ask, self._telling = pool, ask, telling
        self._before = frozenset(refused_before)
        self._answered = False
        self._refusal: UnavailableError | None = None

    def of(self, parents: Iterable[Parent]) -> Iterator[tuple[Parent, Rows]]:
        """Each parent that is answered, with its rows.

        Raises:
            UnavailableError: all are refused, and so were those before.
        """
        doubted: list[Parent] = []
        hidden = 0
        for parent, found in self._pool(self._asked, parents):
            if isinstance(found, UnavailableError):
                hidden += self._telling == 1 or not found.is_gone
                if parent.title in self._before:
                    self._refuse(parent, found)
                else:
                    doubted.append(parent)
            else:
                self._answered = True
                yield parent, found
        if hidden >= self._telling and not self._answered and self._refusal is not None:
            raise self._refusal
        for parent, found in self._pool(self._asked, doubted):
            if isinstance(found, UnavailableError):
                self._refuse(parent, found)
            else:
                yield parent, found

    def _refuse(self, parent: Parent, error: UnavailableError) -> None:
        self.refused.append(parent)
        self.there += [] if error.is_gone else [parent]

    def told(self) -> str:
        """Whom it was refused for, in words."""
        return f"refused for {first_of([parent.title for parent in self.refused], NAMED)} ({self._refusal})"

    def _asked(self, parent: Parent) -> tuple[Parent, Rows | UnavailableError]:
        try:
            return parent, self._ask(parent)
        except UnavailableError as error:
            self._refusal = error
            return parent, error


class Pools:
    """The threads of one run that send requests: as many as requests are worth, however many streams there are.

    One page ahead is enough for each reader. What hangs below others has a pool for each limit that counts it, as
    requests that wait for one limit must not hold up those that another one counts. A stream has a part of that pool,
    so that one whose requests are slow or fail leaves room for the others.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pages: ThreadPoolExecutor | None = None
        self._children: dict[str, ThreadPoolExecutor] = {}
        self._threads: set[threading.Thread] = set()

    def ahead(self, call: Callable[..., T], *args: Any) -> Future[T]:
        """Begin a call for a page that is wanted next."""
        with self._lock:
            if self._pages is None:
                self._pages = self._pool(READERS, "zendesk-page")
            return self._pages.submit(call, *args)

    def children(self, limit: str) -> ThreadPoolExecutor:
        """The pool for requests that a limit counts."""
        with self._lock:
            if limit not in self._children:
                self._children[limit] = self._pool(CHILDREN, "zendesk-children")
            return self._children[limit]

    def _pool(self, width: int, name: str) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(width, name, initializer=lambda: self._threads.add(threading.current_thread()))

    def close(self, until: float) -> None:
        """Begin no more requests, and wait for those under way, to `until` by the monotonic clock at most."""
        with self._lock:
            for pool in (self._pages, *self._children.values()):
                if pool is not None:
                    pool.shutdown(wait=False, cancel_futures=True)
        for thread in tuple(self._threads):
            if thread is not threading.current_thread():
                thread.join(max(0.0, until - time.monotonic()))


class InPlace(Pools):
    """Sends a request in the thread that wants its answer: for work that runs in many threads already."""

    def ahead(self, call: Callable[..., T], *args: Any) -> Future[T]:
        """Make the call."""
        done: Future[T] = Future()
        try:
            done.set_result(call(*args))
        except BaseException as error:
            done.set_exception(error)
        return done


IN_PLACE = InPlace()


class FanOut:
    """Requests of one stream side by side, as many as their limit is worth."""

    def __init__(self, pools: Pools, limit: str, width: int) -> None:
        self._width = width
        self._pool = pools.children(limit)

    def __call__(self, call: Callable[[Any], T], items: Iterable[Any]) -> Iterator[T]:
        """Results of `call` in order, with a bounded number under way."""
        under_way: deque[Future[T]] = deque()
        try:
            for item in items:
                under_way.append(self._pool.submit(call, item))
                if len(under_way) >= 2 * self._width:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            for future in under_way:
                future.cancel()


class Prefetch:
    """One request ahead: the next page travels while the last one is converted."""

    def __init__(self, pools: Pools) -> None:
        self._pools = pools
        self._pending: Future[Any] | None = None

    def __enter__(self) -> Prefetch:
        return self

    def __call__(self, call: Callable[..., Any], *args: Any) -> Future[Any]:
        """Start a call."""
        self._pending = self._pools.ahead(call, *args)
        return self._pending

    def __exit__(self, *exc: object) -> None:
        if self._pending is not None:
            self._pending.cancel()
