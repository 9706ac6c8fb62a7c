"""Compares tables with Zendesk: whether every row that Zendesk has is there, and no other."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

import dlt
import numpy as np
import pyarrow as pa
from dlt.common.schema import Schema
from dlt.extract import DltSource
from dlt.pipeline.pipeline import Pipeline

from zendesk_support.api.credentials import TokenVault
from zendesk_support.dlt_internals import (
    DatabaseUndefinedRelation,
    DestinationUndefinedEntity,
    has_table_seen_data,
    load_pipeline_state_from_destination,
)
from zendesk_support.errors import ConfigurationError, UnavailableError
from zendesk_support.loading.account import Account, Session
from zendesk_support.loading.account_guard import check_account
from zendesk_support.loading.destination_state import connected
from zendesk_support.loading.positions import Positions
from zendesk_support.loading.resource import keep_tokens
from zendesk_support.loading.sync_modes import APPENDING, DEFAULT, MODE_HINT
from zendesk_support.loading.target import position_of
from zendesk_support.report import TABLE as REPORT_TABLE
from zendesk_support.report import now
from zendesk_support.running.run_lock import only_run
from zendesk_support.running.runner import set_defaults
from zendesk_support.settings import Settings, instant
from zendesk_support.source import ZendeskSource
from zendesk_support.streams.base import Stream
from zendesk_support.verification.observers import (
    NO_KEYS,
    LastSync,
    Listed,
    Loaded,
    Observer,
    Sample,
    Survey,
    Tally,
    Upcoming,
    joined,
    moment,
    numbers,
)
from zendesk_support.verification.texts import Texts
from zendesk_support.warehouse.snapshot import Array, Condition, Destination, held_table, holds

TABLE = "sync_verification"
SETTLED = 61.0
TICKETS_READ_AGAIN = 20

Verdict = Literal["ok", "innocent", "missing", "stale", "surplus", "unavailable", "not loaded"]

COLUMNS: dict[str, tuple[str, str]] = {
    "checked_at": ("timestamp", "UTC"),
    "stream": ("text", "the stream"),
    "expected": ("bigint", "rows that Zendesk has, of those that were compared"),
    "found": ("bigint", "rows that the table has, of those that were compared"),
    "difference": ("bigint", "expected less found"),
    "verdict": (
        "text",
        "ok, innocent, missing, stale, surplus, unavailable or not loaded; empty where the comparison failed",
    ),
    "why": ("text", "what explains a difference, what was compared, or why the comparison failed"),
    "examples": ("text", "some keys that are missing, stale or surplus"),
    "newest_expected": ("timestamp", "time of the newest row in Zendesk, UTC"),
    "newest_found": ("timestamp", "time of the newest row in the table, UTC"),
}

_ARROW_TYPES = {"timestamp": pa.timestamp("us", "UTC"), "text": pa.string(), "bigint": pa.int64()}


@dataclass
class Verification:
    """What comparing one stream's table with Zendesk has found.

    Attributes:
        expected: rows that Zendesk has, of those that were compared.
        found: rows that the table has, of those that were compared.
        verdict: `ok`; `innocent`: they differ as they may, and `why` says how; `missing`: the table lacks rows;
            `stale`: it has older versions of rows, which no sync will bring up to date; `surplus`: it holds rows that
            Zendesk has not; `unavailable`: the plan or role refuses the stream;
            `not loaded`: there is no table; None: the comparison failed.
        missing: some keys that the table lacks.
        stale: some keys of which the table has an older version.
        surplus: some keys that only the table has, or has twice.
        error: why the comparison failed.
    """

    stream: str
    expected: int | None = None
    found: int | None = None
    newest_expected: datetime | None = None
    newest_found: datetime | None = None
    verdict: Verdict | None = None
    why: str = ""
    missing: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()
    error: Exception | None = None
    checked_at: datetime = field(default_factory=now)

    @property
    def difference(self) -> int | None:
        """Rows that the table lacks; negative: has too many."""
        return None if self.expected is None or self.found is None else self.expected - self.found

    @property
    def passed(self) -> bool:
        """Whether the table was compared, or could not be, and no difference is left unexplained."""
        return self.error is None and self.verdict not in ("missing", "stale", "surplus")

    @property
    def examples(self) -> str:
        """Some of the keys that differ, in one line."""
        named = (("missing", self.missing), ("stale", self.stale), ("surplus", self.surplus))
        return "; ".join(f"{word} {', '.join(keys)}" for word, keys in named if keys)


def verify(
    pipeline: Pipeline, source: ZendeskSource, *, keys: bool = False, since: str | datetime | None = None
) -> list[Verification]:
    """Compare the tables of a source's selected streams with Zendesk, and add the results to `sync_verification`.

    Lists are read whole, as each sync reads them. Users and organizations are counted by Zendesk. Of the exports, ten
    pages are read, spread over time. Tables, positions and a pending load package stay as they are.

    Args:
        pipeline: what has loaded the tables.
        source: the source they were loaded from, with the same settings.
        keys: read every key of every stream, which takes the requests of a first sync.
        since: read every key and version from this time on, and look at nothing older; finds rows that became visible
            later than `lookback_minutes` after their stamp. Lists are compared whole all the same.

    Returns:
        One result a stream.

    Raises:
        AlreadyRunningError: a run of this pipeline, or of these streams into this dataset, is under way.
        ConfigurationError: Zendesk refuses the credentials, or pipeline or dataset hold another account.
    """
    set_defaults()
    with only_run(pipeline, source.selected_streams, loads=False):
        wait = source.account.settings.database_wait
        with connected(pipeline, wait):
            if source.name not in pipeline.schema_names and not pipeline.has_pending_data:
                pipeline.sync_destination()
            check_account(pipeline, source.name, source.account.settings.account)
        verifier = Verifier(pipeline, source, keys, instant("since", since) if since else None)
        results = verifier.run()
        if any(result.verdict != "not loaded" for result in results):
            with connected(pipeline, wait):
                store(pipeline, source, results, verifier.vault)
    return results


@dataclass(frozen=True)
class Look:
    """What a stream asks to have read next.

    Attributes:
        later: once Zendesk shows the changes that it keeps back for their first minute.
    """

    observers: Callable[[Session], list[Observer]]
    later: bool = False


Steps = Generator[Look, list[Any], None]


class Verifier:
    """One verification: what the streams ask for is read together, step by step, until each has its verdict."""

    def __init__(self, pipeline: Pipeline, source: ZendeskSource, keys: bool, since: int | None) -> None:
        self.vault: TokenVault | None = None
        self._pipeline = pipeline
        self._account = source.account
        self._schema = source.name
        self._state: Any = committed_state(pipeline).get("sources", {}).get(source.name, {})
        self._keys = keys or since is not None
        self._since = since
        normalize = source.schema.naming.normalize_tables_path
        self._tables: dict[str, str] = {}
        self._streams: list[Stream] = []
        for name, resource in source.selected_streams.items():
            self._tables[name] = normalize(str(resource.table_name))
            self._streams.append(replace(resource.stream.configured(self._settings), name=name))

    @property
    def _settings(self) -> Settings:
        """The source's settings, with all children read, and removals by key alone."""
        return replace(self._account.settings, help_center_children="all", deletes="remove")

    def run(self) -> list[Verification]:
        """Compare every stream."""
        results = {stream.name: Verification(stream.name, verdict="not loaded") for stream in self._streams}
        steps: dict[str, Steps] = {}
        looks: dict[str, Look] = {}
        for loaded in self._loaded():
            examination = Examination(loaded, self._keys)
            name = loaded.stream.name
            results[name], steps[name] = examination.result, examination.steps()
            looks[name] = next(steps[name])
        with self._pipeline.collector(f"Verify {self._schema}"):
            while looks:
                observers, looks = self._read(looks), {}
                for name, asked in observers.items():
                    error = next((observer.error for observer in asked if observer.error is not None), None)
                    if error is not None:
                        refuse(results[name], error)
                    elif (look := advance(steps[name], asked)) is not None:
                        looks[name] = look
        errors = [results[name].error for name in steps]
        if errors and all(isinstance(error, ConfigurationError) for error in errors):
            raise next(filter(None, errors))
        return list(results.values())

    def _read(self, looks: Mapping[str, Look]) -> dict[str, list[Observer]]:
        """Read what the streams ask for, as one run reads its streams."""
        account = Account(self._settings, self._account.credentials)
        account.clock, account.budget = self._account.clock, self._account.budget
        session = account.enter()
        try:
            if any(look.later for look in looks.values()):
                account.clock.sleep(SETTLED, session.stop)
            self.vault = session.vault
            if self.vault is not None:
                self.vault.offer(self._state.get(TokenVault.STATE_KEY))
            observers = {name: look.observers(session) for name, look in looks.items()}
            for observer in (observer for asked in observers.values() for observer in asked):
                session.subscribe(observer)
            session.start()
            self._wait(session, [observer for asked in observers.values() for observer in asked])
            return observers
        finally:
            account.leave(session)

    def _wait(self, session: Session, observers: list[Observer]) -> None:
        """Show the rows read until all is read."""
        shown = dict.fromkeys(observers, 0)
        while not all(observer.done for observer in observers):
            session.news.wait(0.5)
            for observer in observers:
                if new := observer.rows_read - shown[observer]:
                    self._pipeline.collector.update(observer.stream.name, new)
                    shown[observer] += new

    def _loaded(self) -> Iterator[Loaded]:
        """The streams that have a table."""
        if self._schema not in self._pipeline.schema_names:
            return
        tables: Any = self._pipeline.schemas[self._schema].tables
        seen = [s for s in self._streams if has_table_seen_data(tables.get(self._tables[s.name], {}))]
        client = self._pipeline.sql_client(self._schema)
        settings = self._account.settings
        storage: Any
        # Held open, or each query opens a DuckDB file anew.
        with self._pipeline.destination_client(self._schema) as storage:
            stored = storage.get_storage_tables([self._tables[stream.name] for stream in seen]) if seen else ()
            there = {name for name, columns in stored if columns}
            last = last_syncs(client)
            for stream in (stream for stream in seen if self._tables[stream.name] in there):
                table, state = tables[self._tables[stream.name]], self._state.get("resources", {}).get(stream.name, {})
                begun = position_of(state.get("incremental", {}).get(stream.cursor, {}).get("initial_value"))
                mode = table.get(MODE_HINT, DEFAULT)
                yield Loaded(
                    stream=stream,
                    destination=Destination(
                        client,
                        held_table(tables, table["name"]),
                        stream.key if mode in APPENDING else (),
                        settings.database_wait,
                    ),
                    keeps=stream.keeps or mode == "append",
                    start=max(settings.start if stream.fact else 0, begun if stream.fact else 0, self._since or 0),
                    begun_later=stream.fact and begun > settings.start,
                    end=settings.end if stream.fact else None,
                    positions=Positions(dict(state), stream),
                    last=last.get(stream.name),
                    since=self._since,
                )


def advance(steps: Steps, observers: list[Observer]) -> Look | None:
    """Hand a stream what was read for it; None once it has its verdict."""
    try:
        return steps.send(observers)
    except StopIteration:
        return None


def refuse(result: Verification, error: BaseException) -> None:
    """Say why a stream cannot be compared."""
    if not isinstance(error, Exception):
        raise error
    result.why = str(error)
    if isinstance(error, UnavailableError):
        result.verdict = "unavailable"
    else:
        result.error = error


@dataclass(frozen=True)
class Differing:
    """Keys that differ, and the names of some."""

    ids: Array = field(default_factory=lambda: NO_KEYS)
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Count:
    """A table's rows beside Zendesk's count of them.

    Attributes:
        added: rows that came since the sync.
        left: rows that went since the sync.
        exact: the count is not older than the sync.
    """

    expected: int
    found: int
    added: int
    left: int
    exact: bool
    observers: list[Observer]

    @property
    def rest(self) -> int:
        """Rows that the table lacks for no reason; negative: has too many."""
        return self.expected - self.found - self.added + self.left


class Examination:
    """Compares one stream's table, step by step."""

    def __init__(self, loaded: Loaded, keys: bool) -> None:
        self.loaded = loaded
        self.stream = loaded.stream
        self.result = Verification(loaded.stream.name)
        self._keys = keys
        self._notes: list[str] = []

    def steps(self) -> Steps:
        """Yield what to read, take what was read, and fill in the result."""
        self.result.newest_found = self.loaded.newest()
        if self.loaded.unfinished and self.loaded.last is not None:
            self._notes.append(f"its last sync did not reach the end: {self.loaded.last.message}")
        if self.loaded.begun_later:
            self._notes.append(f"compared from {moment(self.loaded.start):%Y-%m-%d} on, where the table begins")
        yield from self._list() if self.stream.snapshot else self._export()
        self.result.why = "; ".join(self._notes)

    def _list(self) -> Steps:
        """Compare a list; what differs is real if it differs twice."""
        listed, missing, surplus = yield from self._list_once()
        if len(missing) or len(surplus):
            listed, *again = yield from self._list_once()
            missing, surplus = np.intersect1d(missing, again[0]), np.intersect1d(surplus, again[1])
        added, gone = len(listed.added.ids), len(listed.gone.ids)
        self._count(len(listed.diff) + added - gone, len(listed.diff), [listed])
        kept = gone if self.loaded.keeps else 0
        if len(missing) and listed.as_synced:
            self._notes.append("the table is as the last sync left it, to which Zendesk did not list what is missing")
        self._judge(
            Differing(missing, listed.added.named(missing)),
            Differing(surplus, listed.gone.named(surplus)),
            since=added + gone - kept - len(missing) - len(surplus),
            kept=kept,
        )

    def _list_once(self) -> Generator[Look, list[Any], tuple[Listed, Array, Array]]:
        """Read a list; votes of every parent where every key is compared, and then what a sync does not see is real."""
        feed = self.stream.feeds[0]
        usual = Look(lambda session: [Listed(session, self.loaded, feed)])
        every = replace(feed, endpoint=feed.endpoint.every())
        if not self._keys or every.endpoint == feed.endpoint:
            (listed,) = yield usual
            return listed, listed.missing, listed.surplus
        (listed,) = yield Look(lambda session: [Listed(session, self.loaded, every)])
        missing, surplus = listed.missing, listed.surplus
        if len(listed.added.ids) or len(listed.gone.ids):
            (seen,) = yield usual
            missing = np.union1d(missing, np.setdiff1d(listed.added.ids, seen.added.ids))
            if not self.loaded.keeps:
                surplus = np.union1d(surplus, np.setdiff1d(listed.gone.ids, seen.gone.ids))
        return listed, missing, surplus

    def _export(self) -> Steps:
        """Compare an export, or a list since a time: by count where that settles it, else by key."""
        countable = bool(self.stream.counts) and not self.loaded.unfinished
        if countable and not self._keys:
            count = yield from self._ask_count()
            if count.exact and not count.rest:
                self._settle(count)
                return
        table, versions = self.loaded.keys(), self.loaded.versions() if self._keys else (NO_KEYS, NO_KEYS)
        (survey,) = yield Look(lambda session: [self._survey(session, table, versions)])
        # What the period lacks, the table may hold as of before it.
        older = self.loaded.among(survey.missing) if self.loaded.is_bounded else NO_KEYS
        missing, stale = np.setdiff1d(survey.missing, older), np.union1d(survey.stale, older)
        if survey.tickets:
            few = sorted(survey.tickets)[:: -(-len(survey.tickets) // TICKETS_READ_AGAIN)]
            (texts,) = yield Look(lambda session: [Texts(session, self.loaded, tuple(few))])
            stale = np.union1d(stale, texts.stale)
            self._notes.append(f"texts compared of {len(few)} tickets")
        surplus = NO_KEYS if self.loaded.keeps else survey.surplus
        differing = len(missing) + len(stale) + len(surplus)
        for later in (False, True):
            if (len(missing) or len(stale) or len(surplus)) and not self.loaded.unfinished:
                upcoming = yield Look(self._upcoming, later)
                brought = joined(upcoming, "brought", "ended")
                missing, stale = missing[~np.isin(missing, brought)], stale[~np.isin(stale, brought)]
                surplus = surplus[~np.isin(surplus, np.concatenate([brought, joined(upcoming, "removed")]))]
        if countable and self.loaded.since is None and not len(missing) and (self._keys or not survey.whole):
            count = yield from self._ask_count()
            if count.exact and not self._keys:
                self._settle(count)
                return
            if count.exact and count.rest:
                self._notes.append(f"Zendesk's own count is {count.expected:,}")
        if not survey.whole:
            self._notes.append(f"a sample: the table has {len(table):,} rows, --verify-keys compares all")
        self._count(survey.met + len(survey.missing), len(table) if survey.whole else survey.met, [survey])
        self._judge(
            Differing(missing, numbers(missing)),
            Differing(surplus, numbers(surplus)),
            Differing(stale, numbers(stale)),
            since=differing - len(missing) - len(stale) - len(surplus),
            kept=len(survey.surplus) if self.loaded.keeps else 0,
        )

    def _ask_count(self) -> Generator[Look, list[Any], Count]:
        """Compare the number of rows with Zendesk's count, allowing for rows that came or went since the sync."""
        tally, *upcoming = yield Look(lambda session: [Tally(session, self.loaded), *self._upcoming(session)])
        uncounted = self.stream.uncounted
        counted = self.loaded.keys(*([Condition(uncounted, "IS NULL", ())] if uncounted else []))
        brought, ended = np.unique(joined(upcoming, "brought")), np.unique(joined(upcoming, "ended"))
        return Count(
            expected=tally.total,
            found=len(counted),
            added=int((~holds(counted, brought)).sum()),
            left=int(holds(counted, ended).sum()),
            exact=min(tally.refreshed) >= self.loaded.position(self.stream.feeds[0])["at"],
            observers=upcoming,
        )

    def _settle(self, count: Count) -> None:
        """Give the verdict by count."""
        uncounted = self.stream.uncounted
        self._notes.append(
            f"by Zendesk's count, which leaves out rows with {uncounted}" if uncounted else "by Zendesk's count"
        )
        self._count(count.expected, count.found, count.observers)
        self._judge(since=count.added + count.left)
        if count.rest:
            self.result.verdict = "missing" if count.rest > 0 else "surplus"
            self._notes.append("--verify-keys names the keys")

    def _survey(self, session: Session, table: Array, versions: tuple[Array, Array]) -> Survey:
        feed = self.stream.feeds[0]
        if not self._keys and feed.endpoint.is_export:
            until = int(time.time()) if self.loaded.unfinished else self.loaded.position(feed)["at"]
            feed = replace(feed, endpoint=Sample(feed.endpoint, len(table), until))
        return Survey(session, self.loaded, feed, table, versions)

    def _upcoming(self, session: Session) -> list[Observer]:
        return [Upcoming(session, self.loaded, number) for number in range(len(self.stream.feeds))]

    def _count(self, expected: int, found: int, observers: Iterable[Observer]) -> None:
        self.result.expected, self.result.found = expected, found
        self.result.newest_expected = moment(max(observer.newest for observer in observers))

    def _judge(
        self,
        missing: Differing = Differing(),
        surplus: Differing = Differing(),
        stale: Differing = Differing(),
        since: int = 0,
        kept: int = 0,
    ) -> None:
        """Give the verdict, once keys that differ for a reason are taken out."""
        result = self.result
        result.missing, result.stale, result.surplus = missing.names, stale.names, surplus.names
        if since:
            self._notes.append(f"{since:,} changed in Zendesk since the sync")
        if kept:
            self._notes.append(f"{kept:,} that Zendesk no longer lists stay")
        if len(missing.ids):
            result.verdict = "missing"
        elif len(stale.ids):
            result.verdict = "stale"
        elif len(surplus.ids):
            result.verdict = "surplus"
        else:
            result.verdict = "innocent" if since or kept else "ok"
            newest = (result.newest_expected, result.newest_found)
            result.newest_expected = max(filter(None, newest), default=None)


def committed_state(pipeline: Pipeline) -> Any:
    """The pipeline's state as it stands at the destination: a pending package may be ahead of the tables."""
    if not pipeline.has_pending_data:
        return pipeline.state
    client: Any
    with pipeline.destination_client() as client:
        try:
            return load_pipeline_state_from_destination(pipeline.pipeline_name, client) or {}
        except DestinationUndefinedEntity:
            return {}


def last_syncs(client: Any) -> dict[str, LastSync]:
    """What the last sync reported, by stream."""
    with client:
        report = client.make_qualified_table_name(REPORT_TABLE)
        newest = f"SELECT stream, max(started_at) AS started_at FROM {report} GROUP BY stream"
        columns = "stream, status, message, asked_at, table_keys"
        query = f"SELECT {columns} FROM {report} AS r JOIN ({newest}) AS newest USING (stream, started_at)"
        try:
            with client.execute_query(query) as cursor:
                rows = cursor.fetchall()
        except DatabaseUndefinedRelation:
            return {}
    return {
        stream: LastSync(status, message, int(asked.timestamp()) if (asked := moment(at)) else None, table_keys)
        for stream, status, message, at, table_keys in rows
    }


def store(pipeline: Pipeline, source: ZendeskSource, results: Iterable[Verification], vault: TokenVault | None) -> None:
    """Add the results to `sync_verification`; beside a pending package, by a pipeline of their own."""

    def rows() -> Iterator[pa.Table]:
        keep_tokens(vault)
        yield pa.table(
            {
                name: pa.array([getattr(result, name) for result in results], _ARROW_TYPES[data_type])
                for name, (data_type, _) in COLUMNS.items()
            }
        )

    hints: Any = {
        name: {"name": name, "data_type": data_type, "description": note} for name, (data_type, note) in COLUMNS.items()
    }
    resource = dlt.resource(rows, name=TABLE, write_disposition="append", columns=hints, file_format="parquet")
    target = pipeline
    if pipeline.has_pending_data:
        target = dlt.pipeline(
            f"{pipeline.pipeline_name}_verification",
            pipelines_dir=pipeline.pipelines_dir,
            destination=pipeline.destination,
            dataset_name=pipeline.dataset_name,
        )
    try:
        target.run(DltSource(Schema(source.name), source.section, [resource]))
    finally:
        pipeline.activate()
