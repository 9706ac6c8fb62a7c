"""What every kind of endpoint has in common: the position it reads from, and the chunks it yields."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from zendesk_support.api.limits import Limit
from zendesk_support.api.rate_limiter import Priority
from zendesk_support.api.request import Request, Usage
from zendesk_support.api.transport import Transport
from zendesk_support.reading.included import Included
from zendesk_support.reading.lookback import Overlap, Reread
from zendesk_support.reading.page_size import PageSize
from zendesk_support.reading.parallel import Pools
from zendesk_support.reading.shared import Shared
from zendesk_support.reading.windows import Window
from zendesk_support.records.json_rows import (
    Page,
    Rows,
    pack,
    unpack,
)
from zendesk_support.settings import Settings
from zendesk_support.warehouse.keys import Array
from zendesk_support.warehouse.snapshot import SnapshotDiff

WHOLE = "all"
"""The part of an endpoint that is read as one."""
ANSWERED_WITHIN = 120


@dataclass
class Chunk:
    """Rows of one answer and the position after them.

    Attributes:
        rows: the rows, as sent.
        at: position in Unix seconds; None leaves it where it was.
        cursor: opaque token to go on from, while the pass is not complete.
        times: each row's position, where the endpoint is ordered by it.
        reread: which of the rows before `at` the next sync will read again.
        resume: opaque token from which the next pass may go on, some rows before the end of this one.
        again: parents that were refused, to be asked for by the next pass.
        known: parents that were listed, as `KnownParents` keeps them.
        top: time of the newest row of an unfinished pass, which `at` becomes when it is complete.
        began: when the pass began, by the server's clock.
        complete: the pass ends with this chunk.
        side: side-loaded rows.
        part: what of the endpoint was read, where it is read in parts with a position each.
        made: when that part was made, as Zendesk writes it.
        lists_part: all that the part has comes in this pass, so that what it lacks is gone.
        is_gone: the part is there no more.
        window: of older time that was read.
        is_empty: there is no row of that window.
    """

    rows: Rows
    at: int | None = None
    cursor: str | None = None
    times: Array | None = None
    reread: Reread | None = None
    resume: str | None = None
    again: tuple[int | str, ...] = ()
    known: str | None = None
    top: int | None = None
    began: int | None = None
    complete: bool = False
    side: Rows = field(default_factory=list)
    part: str = WHOLE
    made: str | None = None
    lists_part: bool = False
    is_gone: bool = False
    window: Window | None = None
    is_empty: bool = False

    def before(self, until: int) -> Rows:
        """The rows that are older than a time; all, where theirs are not known."""
        if self.times is None:
            return self.rows
        return [self.rows[i] for i in np.flatnonzero(self.times < until)]

    @cached_property
    def saved(self) -> dict[str, Any]:
        """The position as the pipeline's state keeps it; empty values are left out."""
        again = self.reread or Reread(self.at or 0, 0, frozenset())
        position = {
            "at": self.at,
            "since": again.since if again.since != self.at else None,
            "until": again.until if again.until != self.at else None,
            "cursor": self.cursor,
            "resume": self.resume,
            "edge": pack(again.edge),
            "top": self.top,
            "began": self.began,
            "made": self.made,
            "again": list(self.again),
            "known": self.known,
        }
        return {name: value for name, value in position.items() if value}


@dataclass
class Position:
    """Where reading goes on: a second (Unix, inclusive), or a cursor within an unfinished pass.

    Attributes:
        since: the second that reading begins at, somewhat before `at`, so that late rows are found.
        until: time of the newest row in `edge`.
        edge: digests of rows from `since` on that were loaded before.
        resume: cursor from which a complete pass may be followed by the next.
        again: parents that were refused.
        known: parents that the last pass listed, as `KnownParents` keeps them.
        top: time of the newest row of the unfinished pass.
        began: when that pass, or else the last one, began.
        made: when what is read was made, where it is a part.
    """

    at: int
    cursor: str | None = None
    edge: frozenset[bytes] = frozenset()
    top: int | None = None
    began: int | None = None
    since: int = -1
    until: int = -1
    resume: str | None = None
    again: tuple[int | str, ...] = ()
    made: str | None = None
    known: str | None = None

    def __post_init__(self) -> None:
        self.since = self.at if self.since < 0 else min(self.since, self.at)
        self.until = self.at if self.until < 0 else self.until

    @property
    def reread(self) -> Reread:
        """What is read again from here."""
        return Reread(self.since, self.until, self.edge)

    def after(self, chunk: Chunk) -> Position:
        """The position after a chunk; what was refused before is kept, older windows have positions of their own."""
        if chunk.at is None or chunk.window is not None:
            return self
        return replace(Position.of(chunk.saved, self.at), again=self.again)

    @classmethod
    def of(cls, saved: Mapping[str, Any], start: int) -> Position:
        """The position that `Chunk.saved` wrote; `start` where there is none."""
        edge = frozenset(unpack(saved.get("edge")))
        return cls(
            saved.get("at", start),
            saved.get("cursor"),
            edge,
            saved.get("top"),
            saved.get("began"),
            saved.get("since", -1),
            saved.get("until", -1),
            saved.get("resume"),
            tuple(saved.get("again", ())),
            saved.get("made"),
            saved.get("known"),
        )


@dataclass
class Job:
    """What a reader works with: the account, and the position to start from.

    Attributes:
        diff: what the table holds of the stream, where it is compared with a list.
        held: rows that the table has of the list that is read.
        single: read one page of an export, and no more.
        priority: who goes first of those that wait for quota.
        notes: what the report says of a pass that came to its end all the same.
        parts: where each part goes on, as `Chunk.saved` wrote it, of an endpoint that is read in parts.
        diffs: what the table of each stream holds that is compared with the list, and
        embedded: by its name, what those hold that take what is embedded in its rows,
        included: and what came of asking for it.
        until: the second at which a window of older time ends; reading an export ends once it is there.
    """

    transport: Transport
    settings: Settings
    usage: Usage
    shared: Shared
    position: Position
    diff: SnapshotDiff | None = None
    base: str = ""
    page_size: PageSize = field(default_factory=PageSize)
    began: int | None = None
    held: int = 0
    single: bool = False
    priority: Priority = Priority.LIST
    notes: list[str] = field(default_factory=list)
    pools: Pools = field(default_factory=Pools)
    parts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    diffs: list[SnapshotDiff] = field(default_factory=list)
    embedded: dict[str, list[SnapshotDiff]] = field(default_factory=dict)
    included: dict[str, Included] = field(default_factory=dict)
    until: int | None = None

    @property
    def export_priority(self) -> Priority:
        """Who goes first of the exports: what is new before what is older."""
        return Priority.LIST if self.until is not None else min(self.priority, Priority.EXPORT)

    def note(self, text: str) -> None:
        """Have the report say something, once."""
        if text not in self.notes:
            self.notes.append(text)

    def page(self, request: Request, decode: Callable[[bytes], Page]) -> Page:
        """Fetch one page."""
        page = self.transport.get(request, decode, self.usage)
        if self.began is None:
            self.began = int(self.transport.server_time or 0)
        return page

    def now(self) -> int:
        """The server's time by its latest answer, Unix seconds; this machine's, where no answer tells."""
        return int(self.transport.server_time or time.time())

    def lookback(self, least: int = 0) -> Overlap:
        """What the next pass will read again of this one: `lookback_minutes`, and so many seconds at least."""
        at, seconds = self.position, max(least, self.settings.lookback)
        return Overlap(at.at, at.since, seconds, self.now, at.reread)


class Endpoint:
    """A kind of endpoint with its parameters filled in.

    Attributes:
        path: below /api/v2, with `{name}` for values of what it hangs below.
    """

    path: str

    @property
    def title(self) -> str:
        """How it is read, in a few words."""
        raise NotImplementedError

    @property
    def cost(self) -> str:
        """How many requests a sync takes, in a few words."""
        raise NotImplementedError

    @property
    def each(self) -> str:
        """One of its rows, in the words of a cost."""
        return f"each row of {self.listed}" if self.snapshot else f"each changed row of {self.listed}"

    @property
    def listed(self) -> str:
        """What its rows are, as Zendesk calls them."""
        return str(getattr(self, "rows", self.path))

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The limits that count its requests."""
        raise NotImplementedError

    @property
    def snapshot(self) -> bool:
        """Whether a pass lists everything, so that what it lacks is gone."""
        return False

    @property
    def is_shared(self) -> bool:
        """Whether one pass serves several streams."""
        return True

    @property
    def is_parted(self) -> bool:
        """Whether it is read in parts, each with a position of its own."""
        return False

    @property
    def part_column(self) -> str:
        """The column that names the part that a row is of."""
        raise NotImplementedError

    @property
    def digested(self) -> bool:
        """Whether rows are told from those of the table by a digest of their content."""
        return self.snapshot

    @property
    def lists_period(self) -> bool:
        """Whether a pass lists all rows since `compared_since`, so that what it lacks of them is gone."""
        return False

    def compared_since(self, job: Job) -> tuple[str, int] | None:
        """The time column of the table, and the second from which on its rows are compared with those that come."""
        return None

    @property
    def compared_below(self) -> str | None:
        """The column that names the parents below which rows of the table are compared with those that come."""
        return None

    @property
    def compared(self) -> tuple[str, ...]:
        """Columns besides the key that a pass wants to know of the destination."""
        return ()

    @property
    def names(self) -> tuple[str, ...]:
        """Columns that paths and columns of what hangs below its rows may take of them; none where nothing does."""
        return ()

    @property
    def handed_down(self) -> tuple[str, ...]:
        """Those columns, and what its rows hang below themselves."""
        return self.names

    @property
    def is_dated(self) -> bool:
        """Whether it leaves out what did not change since `start_date`."""
        return False

    @property
    def is_export(self) -> bool:
        """Whether a page can begin at any time."""
        return False

    @property
    def is_few(self) -> bool:
        """Whether a trial can list its rows, and ask below the first of them."""
        return False

    @property
    def marks_end(self) -> bool:
        """Whether an export says with `end_of_stream` which page is the last."""
        return True

    @property
    def fans_out(self) -> bool:
        """Whether it sends a request for each row of another endpoint."""
        return False

    @property
    def depth(self) -> int:
        """How many other endpoints must be read before it can end."""
        return 0

    @property
    def kinds(self) -> tuple[type, ...]:
        """What it is made of."""
        return (type(self),)

    def every(self) -> Endpoint:
        """The same without leaving out what seems unchanged."""
        return self

    def promise(self, shared: Shared) -> None:
        """Say that this run will read it, to those that hang below it."""
        if self.names:
            shared.parents(self.path).promise()

    def give_up(self, shared: Shared, error: BaseException) -> None:
        """Say that it will not be read on, so that nobody waits for it."""
        if self.names:
            shared.parents(self.path).end(error)

    def read(self, job: Job) -> Iterator[Chunk]:
        """Yield the rows from the job's position on."""
        raise NotImplementedError

    def probe(self, job: Job) -> None:
        """Send one small request, to see whether Zendesk answers it."""
        raise NotImplementedError

    def first(self, job: Job, path: str = "", above: Any = None) -> Any:
        """As `probe`; the parent that its first row is to what hangs below, where one request tells.

        Args:
            job: what to work with.
            path: in place of its own.
            above: the parent that it hangs below itself.
        """
        self.probe(job)
