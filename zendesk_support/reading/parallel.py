"""Requests beside each other: one page ahead, and many parents at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from zendesk_support.errors import (
    UnavailableError,
)
from zendesk_support.reading.base import Job, T
from zendesk_support.records.json_rows import (
    Rows,
)

NAMED = 3


P = TypeVar("P")


class Answers(Generic[P]):
    """What stands below each of many parents, by the one rule for refusals (403, 404) there.

    A parent that is refused while others are answered is asked for once more, as a single wrong answer would cost its
    rows. If it is refused again, it may have gone, or be hidden: that is the caller's to keep or to say. If all are
    refused, the plan or role lacks what hangs below them.

    Attributes:
        refused: the parents that were refused twice.
    """

    def __init__(self, pool: FanOut, ask: Callable[[P], Rows]) -> None:
        self.refused: list[P] = []
        self._pool, self._ask = pool, ask
        self._answered = False
        self._refusal: UnavailableError | None = None

    def of(self, parents: Iterable[P]) -> Iterator[tuple[P, Rows]]:
        """Each parent that is answered, with its rows.

        Raises:
            UnavailableError: all are refused, and so were those before.
        """
        doubted: list[P] = []
        for parent, found in self._pool(self._asked, parents):
            if found is None:
                doubted.append(parent)
            else:
                self._answered = True
                yield parent, found
        if doubted and not self._answered and self._refusal is not None:
            raise self._refusal
        for parent, found in self._pool(self._asked, doubted):
            if found is None:
                self.refused.append(parent)
            else:
                yield parent, found

    def told(self) -> str:
        """Whom it was refused for, in words."""
        named = ", ".join(str(getattr(parent, "title", parent)) for parent in self.refused[:NAMED])
        more = f" and {len(self.refused) - NAMED:,} more" if len(self.refused) > NAMED else ""
        return f"refused for {named}{more} ({self._refusal})"

    def _asked(self, parent: P) -> tuple[P, Rows | None]:
        try:
            return parent, self._ask(parent)
        except UnavailableError as error:
            self._refusal = error
            return parent, None


class FanOut:
    """Requests of one stream side by side, as many as the account's limit is worth."""

    def __init__(self, job: Job) -> None:
        self._width = job.transport.at_once()
        self._pool = ThreadPoolExecutor(self._width, thread_name_prefix="zendesk-children")

    def __enter__(self) -> FanOut:
        return self

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

    def __exit__(self, *exc: object) -> None:
        self._pool.shutdown()


class Prefetch:
    """One request ahead: the next page travels while the last one is converted."""

    def __enter__(self) -> Prefetch:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="zendesk-page")
        return self

    def __call__(self, call: Callable[..., Any], *args: Any) -> Future[Any]:
        """Start a call."""
        return self._pool.submit(call, *args)

    def __exit__(self, *exc: object) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
