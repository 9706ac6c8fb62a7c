"""What a stream is: a table, how to read it, and what its columns mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from zendesk_support.reading.base import Endpoint, Job
from zendesk_support.reading.embedded import Embedded
from zendesk_support.reading.readings import Readings
from zendesk_support.reading.reread import RereadListing
from zendesk_support.records.arrow import DataType
from zendesk_support.records.json_rows import Rows
from zendesk_support.records.masks import Mask
from zendesk_support.settings import Settings
from zendesk_support.streams.columns import TIMES_FIRST, as_read, columns
from zendesk_support.warehouse.loaded_table import DELETED_AT

TOKENS = ("token", "full_token", "access_token", "refresh_token", "secret", "client_secret")
"""What rows of tokens and of their owners may hold that others could log in with, by whichever name."""

LISTED = "Removed from the table after a complete pass in which Zendesk no longer lists it."

LISTED_EVERY, HOURLY, DAILY = "15m", "1h", "1d"
"""Cadences of lists that are read whole, of long ones, and of what costs a request a parent."""

REFERENCES = {
    "requester_id": "users",
    "author_id": "users",
    "user_id": "users",
    "assignee_id": "users",
    "actor_id": "users",
    "updater_id": "users",
    "organization_id": "organizations",
    "group_id": "groups",
    "default_group_id": "groups",
    "custom_role_id": "custom_roles",
    "custom_status_id": "custom_statuses",
    "locale_id": "locales",
    "default_locale_id": "locales",
    "reason_id": "satisfaction_reasons",
    "ticket_id": "tickets",
    "ticket_form_id": "ticket_forms",
    "brand_id": "brands",
    "article_id": "articles",
    "section_id": "sections",
    "category_id": "categories",
    "topic_id": "topics",
    "post_id": "posts",
    "source_id": "articles",
    "user_segment_id": "user_segments",
    "permission_group_id": "permission_groups",
}


class RowContext(Protocol):
    """What working out a stream's rows may need besides the answer's own."""

    stream: Stream
    job: Job
    side: Rows

    def tell(self, tickets: Iterable[int]) -> None:
        """Note that all below some tickets was read anew: what events of older windows say of it is out of date."""

    def is_told(self, ticket: int, at: int) -> bool:
        """Whether what an event of some time says of a ticket is out of date for that reason."""

    def loaded_rows(self, parents: Iterable[int | str], column: str = "ticket_id") -> Rows:
        """What the destination holds below some tickets (or users)."""

    def tombstones(self, parents: Mapping[int, int]) -> Rows:
        """Rows that delete what the destination holds of some tickets, given with their versions."""

    def marks(self, parents: Mapping[int, int]) -> Rows:
        """As `tombstones`, but a row that is only marked as deleted keeps its values."""

    def tombstones_of_missing(self, column: str, parents: Iterable[int], listed: Rows) -> Rows:
        """Rows that delete what the destination holds below some parents and `listed` does not."""

    def tombstones_of(self, keys: Rows) -> Rows:
        """Rows that delete those with some keys."""

    def delete_missing(self, column: str, parents: Iterable[int], listed: Rows) -> None:
        """Let such rows go along with those of the answer that is being worked on."""


EVERY_PLAN = "every plan"
Transform = Callable[[Rows, RowContext], Rows]


def all_rows(rows: Rows, context: RowContext) -> Rows:
    """The answer's rows as they are."""
    return rows


def no_rows(rows: Rows, context: RowContext) -> Rows:
    """None of the answer's rows."""
    return []


@dataclass(frozen=True)
class Refresh:
    """A change to rows that were loaded earlier, which an answer only hints at.

    Attributes:
        parents: the tickets (or users) concerned and the Unix seconds of the change.
        rows: the rows that put the destination right, masked as the stream's are; what was read back is masked already.
        needs: columns, and paths into nested values, that are read back for that.
        is_late: `rows` is asked by the next run alone, of what changed while this one read.
    """

    parents: Callable[[Rows, RowContext], dict[int, int]]
    rows: Callable[[Mapping[int, int], RowContext], Rows]
    needs: tuple[str, ...] = ("ticket_id",)
    is_late: bool = False


@dataclass(frozen=True)
class Feed:
    """An endpoint, and what a stream takes from its answers; feeds of the same endpoint share one pass over it.

    Attributes:
        name: under which its position is saved; of no two feeds of a stream, and never another's.
        embedded: what it takes of the rows that the answer's rows hold.
    """

    endpoint: Endpoint
    transform: Transform = all_rows
    refresh: Refresh | None = None
    name: str = "rows"
    embedded: Embedded | None = None

    @property
    def compared(self) -> tuple[str, ...]:
        """Columns besides the key that a pass wants to know of the destination."""
        return (*self.endpoint.compared, *((self.embedded.column,) if self.embedded is not None else ()))

    @property
    def refreshes_only(self) -> bool:
        """Whether it brings no rows of its own, so that there is nothing in it for an empty table."""
        return self.transform is no_rows


@dataclass(frozen=True)
class Stream:
    """One table.

    Attributes:
        name: of the table and the resource.
        doc: what a row is.
        feeds: where the rows come from; the first one holds the stream's cursor.
        columns: data types by column, in the order of a new table.
        key: primary key.
        cursor: the column whose time the position is, None where every sync reads the whole list.
        version: the column that tells which of two rows of one key is newer.
        fact: whether `start_date` limits it; dimensions always load whole.
        plan: what the account needs.
        deletes: what becomes of rows that Zendesk deletes.
        notes: meaning and units of columns that do not say it themselves.
        dropped: keys of the API left out of the table, as it has them elsewhere; secrets are named by the endpoint.
        keeps: rows stay though Zendesk lists them no longer.
        forgotten: Zendesk may forget rows, and tells nobody; they stay.
        counts: endpoints whose counts together are the table's rows, with `{part}` for each part of it, and
        uncounted: the column that is filled in rows which those leave out.
        immutable: its rows never change, so that they have no history.
        option: the setting that may choose other feeds, and
        variants: those feeds, by the setting's value.
        links: the stream that an id column points to, where the column's name does not tell.
        varying: nested values whose types vary from row to row, such as `custom_fields.value`: child tables hold them
            as texts, JSON where they are none.
        months_of: the time column by whose months a large table is partitioned, where the destination can.
        appears_by: the time at which a row comes into its list.
        mask: what of its rows is left out or hashed.
        withheld: columns that are left out unless somebody asks for them by `include`.
        family: the streams that it can be asked for with.
        default_set: the number of the default set that it joined; None: it is loaded only where somebody asks for it.
        is_trial: what it leans on is unproven: it is loaded only where it is named itself, not with its family or all.
        every: how often a process that keeps syncing reads it, where its kind of endpoint does not tell.
    """

    name: str
    doc: str
    feeds: tuple[Feed, ...]
    columns: Mapping[str, DataType]
    deletes: str
    key: tuple[str, ...] = ("id",)
    cursor: str | None = None
    version: str | None = None
    fact: bool = False
    plan: str = EVERY_PLAN
    notes: Mapping[str, str] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()
    immutable: bool = False
    keeps: bool = False
    forgotten: bool = False
    counts: tuple[str, ...] = ()
    uncounted: str | None = None
    option: str | None = None
    variants: Mapping[str, tuple[Feed, ...]] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    months_of: str | None = None
    varying: tuple[str, ...] = ()
    appears_by: str = "created_at"
    mask: Mask = field(default_factory=Mask)
    withheld: tuple[str, ...] = ()
    family: str = "core"
    default_set: int | None = 1
    is_trial: bool = False
    every: str | None = None

    def __post_init__(self) -> None:
        single = filter(None, (self.cursor, self.version, self.uncounted, self.months_of))
        for name in (*self.key, *single, *self.notes, *self.links, *self.withheld):
            if name not in self.columns:
                raise TypeError(f"stream {self.name}: {name} is not among its columns")
        for feeds in (self.feeds, *self.variants.values()):
            if len({feed.name for feed in feeds}) < len(feeds):
                raise TypeError(f"stream {self.name}: two of its feeds have one name")
        object.__setattr__(self, "columns", as_read(self.columns, self.key))

    @property
    def tells_now(self) -> bool:
        """Whether its rows tell how things stand when they are read."""
        return any(isinstance(feed.endpoint, Readings) for feed in self.feeds)

    @property
    def references(self) -> dict[str, str]:
        """The stream that an id column points to; dlt keeps one column for each pair of tables."""
        found = dict(self.links)
        for name, table in REFERENCES.items():
            is_new = name not in found and table not in (self.name, *found.values())
            if is_new and self.columns.get(name) == "bigint":
                found[name] = table
        return found

    @property
    def varying_paths(self) -> frozenset[tuple[str, ...]]:
        """The keys that lead to each value whose type varies."""
        return frozenset(tuple(path.split(".")) for path in self.varying)

    @property
    def is_of_every_plan(self) -> bool:
        """Whether no plan lacks it: who is refused it lacks the rights."""
        return self.plan == EVERY_PLAN

    @property
    def has_integer_key(self) -> bool:
        """Whether its key is one integer, which stands for itself where keys are kept as numbers."""
        return len(self.key) == 1 and self.columns[self.key[0]] == "bigint"

    @property
    def snapshot(self) -> bool:
        """Whether every sync lists all rows and writes the difference."""
        return self.feeds[0].endpoint.snapshot

    @property
    def is_reading(self) -> bool:
        """Whether every sync adds how things stand now."""
        return isinstance(self.feeds[0].endpoint, Readings)

    @property
    def outlasts(self) -> bool:
        """Whether the table may hold rows that Zendesk has no longer: to load it anew would lose them."""
        first = self.feeds[0].endpoint
        drops_older = isinstance(first, RereadListing) and first.kept_days is not None
        return self.keeps or self.forgotten or self.is_reading or drops_older

    @property
    def loses(self) -> str:
        """What follows a message that says how to load it anew."""
        return " (rows that Zendesk no longer has are lost then)" if self.outlasts else ""

    @property
    def cadence(self) -> str | None:
        """How often a process that keeps syncing reads it, where nobody says: the dearer, the rarer; None: always."""
        endpoint = self.feeds[0].endpoint
        if self.every is not None:
            return self.every
        if endpoint.snapshot and endpoint.depth:
            return DAILY if endpoint.fans_out else HOURLY
        return LISTED_EVERY if endpoint.snapshot or isinstance(endpoint, (Readings, RereadListing)) else None

    @property
    def digested(self) -> bool:
        """Whether rows are told from those of the table by a digest of their content."""
        return self.feeds[0].endpoint.digested

    @property
    def removes(self) -> bool:
        """Whether rows can be removed from the table."""
        lists_part = self.feeds[0].endpoint.is_parted or self.feeds[0].endpoint.lists_period
        return self.snapshot or lists_part or any(feed.refresh is not None for feed in self.feeds)

    @property
    def needed(self) -> tuple[str, ...]:
        """Columns, and paths into nested values, that loading goes by: without their values it would go wrong."""
        feeds = [feed for feeds in (self.feeds, *self.variants.values()) for feed in feeds]
        compared = (name for feed in feeds for name in feed.compared)
        refreshed = (name for feed in feeds if feed.refresh is not None for name in feed.refresh.needs)
        single = filter(None, (self.cursor, self.version, self.uncounted, self.months_of))
        found = dict.fromkeys((*self.key, *single, *compared, *refreshed, *TIMES_FIRST))
        return tuple(path for path in found if path.partition(".")[0] in self.columns)

    def is_in(self, default_set: int) -> bool:
        """Whether it belongs to a default set, by its number."""
        return self.default_set is not None and self.default_set <= default_set

    def masked(self, mask: Mask) -> Stream:
        """The stream without the columns that a mask leaves out; those that it hashes are texts."""
        if not mask:
            return self
        types: dict[str, DataType] = dict.fromkeys(mask.hash, "text")
        kept = {
            name: types.get(name, data_type) for name, data_type in self.columns.items() if name not in mask.exclude
        }
        notes = {name: note for name, note in self.notes.items() if name in kept}
        notes |= {name: "; ".join(filter(None, (notes.get(name), "hashed"))) for name in mask.hash if name in kept}
        masked = {*mask.exclude, *kept.keys() & mask.hash}
        return replace(
            self,
            columns=kept,
            notes=notes,
            links={name: link for name, link in self.links.items() if name not in masked},
            withheld=tuple(name for name in self.withheld if name in kept),
            varying=tuple(path for path in self.varying if masked.isdisjoint((path, path.partition(".")[0]))),
            mask=mask,
        )

    def configured(self, settings: Settings) -> Stream:
        """The stream with the feeds that the settings choose."""
        chosen = str(getattr(settings, self.option)) if self.option else ""
        return replace(self, feeds=self.variants[chosen]) if chosen in self.variants else self


def feed(endpoint: Endpoint, transform: Transform = all_rows, refresh: Refresh | None = None) -> tuple[Feed, ...]:
    """The only feed of a stream."""
    return (Feed(endpoint, transform, refresh),)


__all__ = [
    "DELETED_AT",
    "LISTED",
    "TOKENS",
    "Feed",
    "Refresh",
    "RowContext",
    "Stream",
    "Transform",
    "all_rows",
    "columns",
    "feed",
    "no_rows",
]
