"""Reads an endpoint in a thread, for all streams that want its rows."""

from __future__ import annotations

import contextvars
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from zendesk_support.api.request import Trouble, Usage
from zendesk_support.errors import Cancelled
from zendesk_support.loading.newest_first import Read, earliest, newest_first, place_of_window
from zendesk_support.loading.subscription import Subscription
from zendesk_support.reading.base import Chunk, Endpoint, Job, Position
from zendesk_support.reading.below import Below
from zendesk_support.reading.parallel import READERS
from zendesk_support.reading.shared import Shared
from zendesk_support.reading.shown_pass import ShownPass
from zendesk_support.reading.windows import Window
from zendesk_support.settings import Settings

MakeJob = Callable[[Settings, Usage, Position], Job]


class Reader:
    """Reads one endpoint for the streams that subscribe to it.

    Streams fed by one export share its reader, yet each keeps its own position: reading begins at the earliest.
    """

    def __init__(self, endpoint: Endpoint, settings: Settings, make_job: MakeJob, shared: Shared) -> None:
        self.endpoint = endpoint
        self.settings = settings
        self.subscriptions: list[Subscription] = []
        self.started = False
        self._follows: ShownPass | None = None
        self._shows: list[ShownPass] = []
        self._make_job = make_job
        self._shared = shared
        endpoint.promise(shared)
        self._context = contextvars.copy_context()

    def takes(self, subscription: Subscription) -> bool:
        """Whether a subscription may join: what it wants is the same, and is yet to be read."""
        alike = self.endpoint == subscription.feed.endpoint and self.settings == subscription.settings
        return alike and not self.started and self.endpoint.is_shared

    def follow(self, others: Iterable[Reader]) -> None:
        """Read below the rows of a pass that another reader makes over the same export, from the same place on."""
        below = self.endpoint
        if not isinstance(below, Below) or below.snapshot:
            return
        position, window = self._position(), place_of_window(self.subscriptions)
        for other in others:
            alike = other.endpoint == below.parents and other.settings == self.settings and not other.started
            if alike and other.is_at(position, window):
                wanted = below.wanted(position)
                edge = wanted.edge if window is None else wanted.edge | window[1].edge
                self._follows = ShownPass(replace(wanted, edge=edge))
                other._shows.append(self._follows)
                return

    def is_at(self, position: Position, window: tuple[Window, Position] | None) -> bool:
        """Whether it begins at a position, and then goes on from the same place of a window."""
        own = place_of_window(self.subscriptions)
        if own is None or window is None:
            return own is window and is_same_place(self._position(), position)
        is_same_window = own[0] == window[0] and is_same_place(own[1], window[1])
        return is_same_window and is_same_place(self._position(), position)

    @property
    def depth(self) -> int:
        """How many others must have begun before it can end."""
        return self.endpoint.depth + (self._follows is not None)

    def run(self) -> None:
        """Read to the end."""
        self._context.run(self._read)

    def _read(self) -> None:
        try:
            job = self._make_job(self.settings, self.subscriptions[0].usage, self._position())
            job.parts = self.subscriptions[0].parts  # one that is read in parts is not shared
            for subscription in self.subscriptions:
                subscription.prepare(job)
            for chunk in self._chunks(job):
                for shown in self._shows:
                    shown.add(chunk, job.began)
                for subscription in list(self.subscriptions):
                    self._give(subscription, chunk)
            for subscription in self.subscriptions:
                subscription.finish()
            self._show_no_more(is_whole=True)
        except BaseException as error:
            self._show_no_more(is_whole=False)
            self.endpoint.give_up(self._shared, error)
            if not isinstance(error, Cancelled):
                for subscription in self.subscriptions:
                    subscription.fail(error)

    def _chunks(self, job: Job) -> Iterator[Chunk]:
        """What is read, by itself or beside another reader."""
        below = self.endpoint
        if not isinstance(below, Below) or below.snapshot:
            return self._alone(below.read, job)
        if self._follows is None:
            return below.below(job, self._alone(below.parents_of, job))
        return below.below(job, self._followed(below, job, self._follows))

    def _alone(self, read: Read, job: Job) -> Iterator[Chunk]:
        """What is read by itself."""
        if any(subscription.backfill is not None for subscription in self.subscriptions):
            return newest_first(read, job, self.subscriptions)
        return read(job)

    def _followed(self, below: Below, job: Job, follows: ShownPass) -> Iterator[Chunk]:
        """What another reader shows of its pass, and then what that has left out."""

        def alone(since: Position) -> Iterator[Chunk]:
            return self._alone(below.parents_of, replace(job, position=since))

        position = job.position
        for chunk in follows.chunks(position, alone, job.transport.stopped):
            position = position.after(chunk)
            if any(subscription.wants(chunk) for subscription in self.subscriptions):
                yield chunk
        if place_of_window(self.subscriptions) is not None:
            yield from alone(position)

    def _show_no_more(self, *, is_whole: bool) -> None:
        """Let those that follow end, or go on by themselves."""
        for shown in self._shows:
            shown.end(is_whole=is_whole)

    def _give(self, subscription: Subscription, chunk: Chunk) -> None:
        """Let a stream take its part of a chunk; what it cannot make sense of costs no other stream."""
        try:
            subscription.accept(chunk)
        except Cancelled:
            raise
        except Exception as error:
            if len(self.subscriptions) == 1:
                raise
            self.subscriptions.remove(subscription)
            subscription.fail(error)

    @property
    def done(self) -> bool:
        """Whether it reads for nobody any more."""
        return all(subscription.done for subscription in self.subscriptions)

    def _position(self) -> Position:
        """The earliest position of all subscriptions; a cursor only where they agree on it."""
        return earliest([subscription.position for subscription in self.subscriptions])

    def progress(self) -> Progress:
        """How far it has come."""
        all_of = list(self.subscriptions)
        at_work = [subscription for subscription in all_of if not subscription.done]
        reached = max((subscription.reached for subscription in all_of), default=0)
        known = all_of[0].job.held if all_of and hasattr(all_of[0], "job") else 0
        return Progress(
            streams=tuple(subscription.stream.name for subscription in at_work),
            limit=self.endpoint.limits[-1].name,
            begun=self.started,
            since=min(subscription.position.since for subscription in all_of) if reached else None,
            reached=reached,
            rows=max((subscription.listed for subscription in all_of), default=0),
            known=known,
            requests=sum(subscription.usage.requests for subscription in all_of),
            trouble=all_of[0].usage.trouble if all_of else None,
            complete_since=self._complete_since(),
        )

    def _complete_since(self) -> int | None:
        """From when on all is read, while it reads back through older time."""
        backfills = [found.backfill for found in list(self.subscriptions)]
        return max((found.window.until for found in backfills if found is not None), default=None)


class ReaderThreads:
    """Runs readers side by side, in no more threads than `READERS` however many streams there are.

    A reader may wait for another one that lists what it reads below, never the other way round. Those that wait for
    none begin first, so that the wait ends.
    """

    def __init__(self, at_most: int = READERS) -> None:
        self._at_most = at_most
        self._lock = threading.Lock()
        self._waiting: deque[Reader] = deque()
        self._threads: set[threading.Thread] = set()

    def start(self, readers: list[Reader]) -> None:
        """Begin those that have not begun."""
        with self._lock:
            new = [reader for reader in readers if not reader.started]
            for reader in new:
                reader.started = True
            self._waiting.extend(sorted(new, key=lambda reader: reader.depth))
            for _ in range(min(len(self._waiting), self._at_most - len(self._threads))):
                thread = threading.Thread(target=self._work, name="zendesk-reader", daemon=True)
                self._threads.add(thread)
                thread.start()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._threads.discard(threading.current_thread())
                    return
                reader = self._waiting.popleft()
            reader.run()

    def stop(self, until: float) -> None:
        """Begin no more, and wait for those under way, to `until` by the monotonic clock at most."""
        with self._lock:
            self._waiting.clear()
            threads = list(self._threads)
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, until - time.monotonic()))


def is_same_place(one: Position, other: Position) -> bool:
    """Whether a pass from one position is that from another."""
    return (one.since, one.at, one.cursor) == (other.since, other.at, other.cursor)


@dataclass(frozen=True)
class Progress:
    """How far a reader has come.

    Attributes:
        streams: those that it still reads for.
        limit: the name of the limit that counts its requests.
        begun: whether it has begun.
        since: where it began, Unix seconds; None before its first page, and where rows have no time.
        reached: where it is, Unix seconds.
        rows: how many it has read.
        known: how many its table had.
        requests: how many it has sent.
        trouble: why its last request is asked again.
        complete_since: from when on all is read, Unix seconds, while older time is still to be read.
    """

    streams: tuple[str, ...]
    limit: str
    begun: bool
    since: int | None
    reached: int
    rows: int
    known: int
    requests: int
    trouble: Trouble | None
    complete_since: int | None = None
