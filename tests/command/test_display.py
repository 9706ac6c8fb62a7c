"""What a run shows: one live display on a terminal of 80 by 24, a line a minute elsewhere, and each long wait."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pyte
import pytest
from repository import ROOT
from rich.console import Console
from support import environment_of

from zendesk_support.api.clock import Clock
from zendesk_support.api.request import Trouble
from zendesk_support.command import display as shown
from zendesk_support.command.display import Display, duration
from zendesk_support.command.runs import progress
from zendesk_support.dlt_internals import LogCollector, TqdmCollector
from zendesk_support.loading.reader import Progress
from zendesk_support.simulator import Simulator

SCRIPT = ROOT / "pipelines" / "zendesk_to_duckdb.py"
COLUMNS, LINES = 80, 24
COLOUR = re.compile(rb"\x1b\[(?:\d+;)*3\dm")
SLOWLY = 60.0


class Terminal:
    """The command in a terminal, and what stands there."""

    def __init__(self, account: Simulator, *arguments: str, **more: str) -> None:
        self.screen = pyte.Screen(COLUMNS, LINES)
        self.screens: list[str] = []
        self.written = b""
        self._stream = pyte.ByteStream(self.screen)
        controller, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        settings = environment_of(account, CLOCK_SCALE=str(SLOWLY))
        environment = {**os.environ, "TERM": "xterm-256color", **settings, **more}
        environment.pop("NO_COLOR", None) if "NO_COLOR" not in more else None
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPT), *arguments],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env=environment,
            start_new_session=True,
        )
        os.close(terminal)
        self._controller = controller

    def watch(self, until: Callable[[str], bool] = lambda text: False, seconds: float = 90) -> str:
        """Read until the screen shows something, or the command ends."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self._controller], [], [], 0.2)[0]:
                try:
                    data = os.read(self._controller, 65536)
                except OSError:
                    break
                self.written += data
                self._stream.feed(data)
                self.screens.append("\n".join(line.rstrip() for line in self.screen.display).strip())
                if until(self.screens[-1]):
                    return self.screens[-1]
        self.process.wait(seconds)
        return self.screens[-1]


@pytest.fixture
def slow(simulate: Callable[..., Simulator]) -> Simulator:
    """An account whose limits make a run wait."""
    few = {"incremental_exports": 3, "incremental_exports_cursor": 3}
    return simulate(tickets=2500, limits=few, clock_scale=SLOWLY)


def test_the_display_fits_a_terminal_and_leaves_it_to_the_ending(slow: Simulator) -> None:
    terminal = Terminal(slow)
    live = terminal.watch(
        lambda text: (
            re.search(r"^incremental exports +\w+ \+\d +\d{4}-\d\d-\d\d, \d+%", text, re.MULTILINE) is not None
            and re.search(r"^ +waits: quota", text, re.MULTILINE) is not None
            and re.search(r"^help center +\w+ \+\d+ +", text, re.MULTILINE) is not None
            and re.search(r"^[\d,]+ rows read in \d+ s, \d+ of \d+ readers done", text, re.MULTILINE) is not None
        )
    )
    assert "waits: quota" in live, live
    assert len(live.splitlines()) <= LINES - 1
    ending = terminal.watch()
    assert terminal.process.returncode == 0
    assert "rows read in" not in ending
    assert re.search(r"^[\d,]+ rows in \d+ s, [\d,]+ requests, to zendesk.duckdb, schema ", ending, re.MULTILINE), (
        ending
    )
    assert COLOUR.search(terminal.written)


def test_no_colour_where_nobody_wants_it(simulate: Callable[..., Simulator]) -> None:
    terminal = Terminal(simulate(tickets=500), "--streams", "tickets", "groups", NO_COLOR="1")
    terminal.watch()
    assert terminal.process.returncode == 0
    assert not COLOUR.search(terminal.written)


def test_the_first_interrupt_is_answered_at_once_and_the_second_says_what_is_dropped(slow: Simulator) -> None:
    terminal = Terminal(slow)
    terminal.watch(lambda text: re.search(r"^[1-9][\d,]{4,} rows read", text, re.MULTILINE) is not None)
    os.kill(terminal.process.pid, signal.SIGINT)
    terminal.watch(lambda text: "SIGINT: stopping" in text, seconds=20)
    assert "Once more to drop it" in " ".join(terminal.screens[-1].split())
    os.kill(terminal.process.pid, signal.SIGINT)
    ending = "".join(terminal.watch().split())
    told = "stopped: what was read since the last load is dropped; the next run reads it again."
    assert told.replace(" ", "") in ending, ending
    assert terminal.process.returncode == 130, ending


class Account:
    """An account whose passes and waits a test sets."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.passes: list[Progress] = []
        self.waits: dict[str, float] = {}
        self.limiter = SimpleNamespace(waits=lambda: self.waits)

    def progress(self) -> list[Progress]:
        return self.passes


def reading(**more: Any) -> Progress:
    """A pass that is under way."""
    usual = {
        "streams": ("tickets",), "limit": "incremental exports", "begun": True, "since": None, "reached": 0,
        "rows": 1200, "known": 5000, "requests": 12, "trouble": None,
    }  # fmt: skip
    return Progress(**{**usual, **more})


def test_a_line_says_how_far_back_the_data_goes_while_older_time_is_read() -> None:
    account, day = Account(), 86400
    now = int(time.time())
    account.passes = [reading(since=now - 30 * day, reached=now - 80 * day, complete_since=now - 30 * day)]
    console = Console(file=io.StringIO(), width=COLUMNS)
    display = Display(console)
    display._account = account  # type: ignore[assignment]
    console.print(display.render())
    written = console.file.getvalue()  # type: ignore[attr-defined]
    dates = [time.strftime("%Y-%m-%d", time.localtime(now - days * day)) for days in (80, 30)]
    assert "tickets  {}, complete since {}".format(*dates) in written


def test_without_a_terminal_there_is_a_line_a_minute_and_each_long_wait_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown, "LOOK", 0.01)
    monkeypatch.setattr(shown, "LONG", 0.05)
    monkeypatch.setattr(shown, "EVERY", 0.3)
    written, account = io.StringIO(), Account()
    account.passes, account.waits = [reading()], {"incremental exports": 23.0}
    display = Display(Console(file=written, width=COLUMNS, soft_wrap=True))
    with display.watching(account):  # type: ignore[arg-type]
        time.sleep(0.45)
        account.waits = {}
        now = account.clock.now()
        account.passes = [reading(trouble=Trouble("no answer from acme.zendesk.com", now - 40, now + 100))]
        time.sleep(0.4)
    lines = [line.partition(" ")[2] for line in written.getvalue().splitlines()]
    assert [line for line in lines if "quota" in line] == ["incremental exports: quota: next in 23 s"]
    troubles = [line for line in lines if "no answer" in line]
    assert len(troubles) == 1
    assert re.fullmatch(
        r"incremental exports: no answer from acme.zendesk.com, for 40 s, trying until \d\d:\d\d", troubles[0]
    )
    minutes = [line for line in lines if "rows read in" in line]
    assert len(minutes) == 2
    assert minutes[0].endswith("incremental exports: tickets  1,200 of about 5,000 rows")
    assert not any(thread.name == "zendesk-display" for thread in threading.enumerate())


@pytest.mark.parametrize(
    ("wanted", "kind"),
    [(None, Display), ("auto", Display), ("tqdm", TqdmCollector), ("log", LogCollector), ("off", type(None))],
)
def test_dlts_own_displays_are_kept(wanted: str | None, kind: type) -> None:
    assert type(progress(wanted)) is kind


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.4, "0 s"), (89, "89 s"), (600, "10 min"), (5399, "90 min"), (9000, "2 h 30 min")]
)
def test_durations(seconds: float, told: str) -> None:
    assert duration(seconds) == told
