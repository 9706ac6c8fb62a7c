"""Shows a run under way: what each limit reads, how far it is, and what it waits for.

On a terminal one live display; elsewhere a line a minute, and each wait of more than ten seconds with its reason.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from zendesk_support.dlt_internals import Collector
from zendesk_support.loading.account import Account
from zendesk_support.loading.reader import Progress

A_SECOND = 4
EVERY = 60.0
LONG = 10.0
LOOK = 1.0
SETTLED = 5.0
"""Seconds after which the time left is worth telling."""


class Display(Collector):
    """dlt's collector of counts, which also watches an account; entered, it shows both."""

    def __init__(self, console: Console) -> None:
        """Show on a console: live if it is a terminal."""
        super().__init__()
        self.step = ""
        self._console = console
        self._account: Account | None = None
        self._counts: dict[str, int] = {}
        self._jobs = 0
        self._rows_loaded = 0
        self._began = time.monotonic()
        self._first_seen: dict[tuple[str, ...], tuple[float, int]] = {}
        self._told: set[tuple[str, str]] = set()
        self._waiting_since: dict[str, float] = {}
        self._ended = threading.Event()

    # What dlt calls, step by step.

    def _start(self, step: str) -> None:
        self._counts, self._jobs = {}, 0

    def update(
        self,
        name: str,
        inc: int = 1,
        total: int | None = None,
        inc_total: int | None = None,
        message: str | None = None,
        label: str = "",
    ) -> None:
        """Count what dlt has done in a step."""
        self._counts[name] = self._counts.get(name, 0) + inc
        if name == "Jobs":
            self._jobs = total if total is not None else self._jobs + (inc_total or 0)

    def _stop(self) -> None:
        if self.step.startswith("Extract"):
            self._rows_loaded += sum(self._counts.values()) - self._counts.get("Resources", 0)

    # What the command line calls.

    @contextmanager
    def watching(self, account: Account) -> Iterator[None]:
        """Show until the end."""
        self._account, self._began = account, time.monotonic()
        if self._console.is_terminal:
            live = Live(
                console=self._console,
                get_renderable=self.render,
                refresh_per_second=A_SECOND,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            with live:
                yield
            return
        thread = threading.Thread(target=self._print_lines, name="zendesk-display", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def render(self) -> RenderableType:
        """The display as it stands."""
        passes, now = self._passes, time.monotonic()
        table = Table(box=None, pad_edge=False, expand=False, show_header=False)
        table.add_column(no_wrap=True, style="cyan", min_width=19)
        table.add_column(no_wrap=True, overflow="ellipsis")
        waits = self._waits()
        for limit, running in by_limit(passes).items():
            table.add_row(limit, self._line(running, now))
            if limit in waits:
                table.add_row("", Text(f"waits: {waits[limit]}", style="yellow"))
        return Group(table, Text(self._total(passes, now), no_wrap=True, overflow="ellipsis"))

    @property
    def _passes(self) -> list[Progress]:
        return self._account.progress() if self._account is not None else []

    def _line(self, running: Sequence[Progress], now: float) -> Text:
        """What a limit reads, and how far that is: of what has a time the one that is furthest behind."""
        dated = [found for found in running if found.since is not None]
        shown = min(dated, key=lambda found: found.reached) if dated else max(running, key=lambda found: found.rows)
        count = sum(len(found.streams) for found in running)
        more = f" +{count - 1}" if count > 1 else ""
        text = Text(f"{shown.streams[0]}{more}  ")
        text.append(self._how_far(shown, now), style="green")
        return text

    def _how_far(self, found: Progress, now: float) -> str:
        """The date reached, or the rows read, and the time left where it can be told."""
        if found.since is None:
            of = f" of about {found.known:,}" if found.known > found.rows else ""
            read = f"{found.rows:,}{of} rows" if found.rows or not found.requests else ""
            return read or f"{found.requests:,} requests"
        date = f"{datetime.fromtimestamp(found.reached).astimezone():%Y-%m-%d}"
        if found.complete_since is not None and found.reached < found.complete_since:
            return f"{date}, complete since {datetime.fromtimestamp(found.complete_since).astimezone():%Y-%m-%d}"
        began, at = self._first_seen.setdefault(found.streams, (now, found.reached))
        whole, done, passed = time.time() - at, found.reached - at, now - began
        share = (found.reached - found.since) / max(1.0, time.time() - found.since)
        left = f", {duration(passed * (whole - done) / done)} left" if done > 0 and passed > SETTLED else ""
        return f"{date}, {min(1.0, max(0.0, share)):.0%}{left}"

    def _waits(self) -> dict[str, str]:
        """Why limits wait, in words."""
        if self._account is None:
            return {}
        clock = self._account.clock
        found = {}
        for limit, seconds in self._account.limiter.waits().items():
            real = clock.real(seconds)
            found[limit] = f"quota: next in {duration(real)}" if real >= 1 else "quota"
        for running in self._passes:
            if running.streams and (trouble := running.trouble) is not None:
                for_ = duration(clock.real(clock.now() - trouble.since))
                until = datetime.now() + timedelta(seconds=clock.real(trouble.until - clock.now()))
                found[running.limit] = f"{trouble.reason}, for {for_}, trying until {until:%H:%M}"
        return found

    def _total(self, passes: Sequence[Progress], now: float) -> str:
        """What is done."""
        done = sum(found.begun and not found.streams for found in passes)
        rows = self._rows_loaded + sum(self._counts.values()) - self._counts.get("Resources", 0)
        if self.step and not self.step.startswith("Extract"):
            rows = self._rows_loaded
        parts = [f"{rows:,} rows read in {duration(now - self._began)}"]
        if done:
            parts.append(f"{done} of {len(passes)} readers done")
        if self.step and self.step.startswith("Load") and self._jobs:
            parts.append(f"loading: {self._counts.get('Jobs', 0)} of {self._jobs} files")
        elif not passes:
            parts.append("connecting" if not rows else "finishing")
        return ", ".join(parts)

    def _print_lines(self) -> None:
        """Print a line a minute, and waits as they grow long."""
        said_at = time.monotonic()
        while not self._ended.wait(LOOK):
            now, waits = time.monotonic(), self._waits()
            self._waiting_since = {limit: self._waiting_since.get(limit, now) for limit in waits}
            for limit, why in waits.items():
                kind = (limit, why.partition(":")[0] if why.startswith("quota") else why.partition(", for ")[0])
                if now - self._waiting_since[limit] >= LONG and kind not in self._told:
                    self._told.add(kind)
                    self._say(f"{limit}: {why}")
            if now - said_at >= EVERY:
                said_at = now
                passes = self._passes
                lines = [f"{limit}: {self._line(found, now)}" for limit, found in by_limit(passes).items()]
                self._say("; ".join([self._total(passes, now), *lines]))

    def _say(self, text: str) -> None:
        self._console.print(f"{datetime.now():%H:%M:%S} {text}", highlight=False, markup=False)


def by_limit(passes: Sequence[Progress]) -> dict[str, list[Progress]]:
    """Passes that are at work, by the limit that counts them."""
    found: dict[str, list[Progress]] = {}
    for running in passes:
        if running.begun and running.streams:
            found.setdefault(running.limit, []).append(running)
    return found


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    whole = max(0, round(seconds))
    if whole < 90:
        return f"{whole} s"
    if whole < 5400:
        return f"{round(whole / 60)} min"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"
