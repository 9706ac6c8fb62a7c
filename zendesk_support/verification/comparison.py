"""Compares one stream's table with Zendesk, step by step."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from zendesk_support.loading.account import Session
from zendesk_support.verification.counts import Sample, ServerCount
from zendesk_support.verification.loaded import NO_KEYS, Loaded, moment
from zendesk_support.verification.observers import KeyScan, ListScan, NextSync, Observer, joined
from zendesk_support.verification.result import Verification
from zendesk_support.verification.texts import Texts
from zendesk_support.warehouse.keys import Array, holds
from zendesk_support.warehouse.loaded_table import Condition

TICKETS_READ_AGAIN = 20


@dataclass(frozen=True)
class ReadRequest:
    """What a stream asks to have read next.

    Attributes:
        later: once Zendesk shows the changes that it keeps back for their first minute.
    """

    observers: Callable[[Session], list[Observer]]
    later: bool = False


Steps = Generator[ReadRequest, list[Any], None]


@dataclass(frozen=True)
class Mismatch:
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


class TableComparison:
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
        if self.stream.is_reading:
            self._reading()
        else:
            yield from self._list() if self.stream.snapshot else self._export()
        self.result.why = "; ".join(self._notes)

    def _reading(self) -> None:
        """Say that nothing tells what earlier readings should be."""
        self.result.expected = self.result.found = len(self.loaded.keys())
        self.result.newest_expected = self.result.newest_found
        self.result.verdict = "explained"
        self._notes.append("each sync adds how things stand then, which Zendesk does not tell again")

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
            Mismatch(missing, listed.added.named(missing)),
            Mismatch(surplus, listed.gone.named(surplus)),
            since=added + gone - kept - len(missing) - len(surplus),
            kept=kept,
        )

    def _list_once(self) -> Generator[ReadRequest, list[Any], tuple[ListScan, Array, Array]]:
        """Read a list; votes of every parent where every key is compared, and then what a sync does not see is real."""
        feed = self.stream.feeds[0]
        usual = ReadRequest(lambda session: [ListScan(session, self.loaded, feed)])
        every = replace(feed, endpoint=feed.endpoint.every())
        if not self._keys or every.endpoint == feed.endpoint:
            (listed,) = yield usual
            return listed, listed.missing, listed.surplus
        (listed,) = yield ReadRequest(lambda session: [ListScan(session, self.loaded, every)])
        missing, surplus = listed.missing, listed.surplus
        if len(listed.added.ids) or len(listed.gone.ids):
            (seen,) = yield usual
            missing = np.union1d(missing, np.setdiff1d(listed.added.ids, seen.added.ids))
            if not self.loaded.keeps:
                surplus = np.union1d(surplus, np.setdiff1d(listed.gone.ids, seen.gone.ids))
        return listed, missing, surplus

    def _export(self) -> Steps:
        """Compare an export, or a list since a time: by count where that settles it, else by key."""
        countable = bool(self.loaded.counts) and not self.loaded.unfinished
        if countable and not self._keys:
            count = yield from self._ask_count()
            if count.exact and not count.rest:
                self._settle(count)
                return
        table, versions = self.loaded.keys(), self.loaded.versions() if self._keys else (NO_KEYS, NO_KEYS)
        (survey,) = yield ReadRequest(lambda session: [self._survey(session, table, versions)])
        # What the period lacks, the table may hold as of before it.
        older = self.loaded.among(survey.missing) if self.loaded.is_bounded else NO_KEYS
        missing, stale = np.setdiff1d(survey.missing, older), np.union1d(survey.stale, older)
        if survey.tickets:
            few = sorted(survey.tickets)[:: -(-len(survey.tickets) // TICKETS_READ_AGAIN)]
            (texts,) = yield ReadRequest(lambda session: [Texts(session, self.loaded, tuple(few))])
            stale = np.union1d(stale, texts.stale)
            self._notes.append(f"texts compared of {len(few)} tickets")
        surplus = NO_KEYS if self.loaded.keeps else survey.surplus
        differing = len(missing) + len(stale) + len(surplus)
        for later in (False, True):
            if (len(missing) or len(stale) or len(surplus)) and not self.loaded.unfinished:
                upcoming = yield ReadRequest(self._upcoming, later)
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
            Mismatch(missing, survey.named(missing)),
            Mismatch(surplus, self.loaded.named(surplus)),
            Mismatch(stale, survey.named(stale)),
            since=differing - len(missing) - len(stale) - len(surplus),
            kept=len(survey.surplus) if self.loaded.keeps else 0,
        )

    def _ask_count(self) -> Generator[ReadRequest, list[Any], Count]:
        """Compare the number of rows with Zendesk's count, allowing for rows that came or went since the sync."""
        tally, *upcoming = yield ReadRequest(
            lambda session: [ServerCount(session, self.loaded), *self._upcoming(session)]
        )
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

    def _survey(self, session: Session, table: Array, versions: tuple[Array, Array]) -> KeyScan:
        feed = self.stream.feeds[0]
        if not self._keys and feed.endpoint.is_export:
            until = int(time.time()) if self.loaded.unfinished else self.loaded.position(feed)["at"]
            feed = replace(feed, endpoint=Sample(feed.endpoint, len(table), until))
        return KeyScan(session, self.loaded, feed, table, versions)

    def _upcoming(self, session: Session) -> list[Observer]:
        return [NextSync(session, self.loaded, number) for number in range(len(self.stream.feeds))]

    def _count(self, expected: int, found: int, observers: Iterable[Observer]) -> None:
        self.result.expected, self.result.found = expected, found
        self.result.newest_expected = moment(max(observer.newest for observer in observers))

    def _judge(
        self,
        missing: Mismatch = Mismatch(),
        surplus: Mismatch = Mismatch(),
        stale: Mismatch = Mismatch(),
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
            result.verdict = "explained" if since or kept else "ok"
            newest = (result.newest_expected, result.newest_found)
            result.newest_expected = max(filter(None, newest), default=None)
