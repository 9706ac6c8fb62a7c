"""A disk that is full, a database in use or read-only: told in plain words, and the next run completes the tables."""

from __future__ import annotations

import ctypes
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dlt.pipeline.pipeline import Pipeline
from documented import says
from support import truth

from zendesk_support import cli
from zendesk_support.simulator import Simulator
from zendesk_support.warehouse.loaded_table import DestinationLock

STREAMS = ("--streams", "tickets", "groups", "users", "--progress", "off")
FULL_DISK = """
import resource, sys
from dlt.common.runtime.collector import NullCollector
from zendesk_support import cli
from zendesk_support.command import runs

stage, limit, *arguments = sys.argv[1:]

class Full(NullCollector):
    def _start(self, step):
        if step.startswith(stage):
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.RLIM_INFINITY))

runs.progress = lambda wanted: Full()
sys.exit(cli.duckdb(arguments))
"""
PLAIN = "import sys; from zendesk_support import cli; sys.exit(cli.duckdb(sys.argv[1:]))"
LOCKED = "import duckdb; held = duckdb.connect('zendesk.duckdb'); print('held', flush=True); input()"
DROP_BOUNDING_CAPABILITY, OVERRIDE_PERMISSIONS = 24, 1


def obey_permissions() -> None:
    """Let root, too, be refused what a file's mode forbids."""
    ctypes.CDLL(None).prctl(DROP_BOUNDING_CAPABILITY, OVERRIDE_PERMISSIONS)


def script(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a process of its own."""
    return subprocess.run(
        [sys.executable, "-B", "-c", program, *arguments],  # a full disk would leave half a module's bytecode
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=obey_permissions,
    )


def told(stderr: str) -> str:
    """What the user reads, without dlt's log lines and the sentence that always follows."""
    assert "Traceback" not in stderr
    text = " ".join(" ".join(line for line in stderr.splitlines() if not line.startswith("warning: ")).split())
    return text.removesuffix(" What earlier checkpoints have loaded stays; the next run goes on from there.")


def assert_complete(account: Simulator) -> None:
    """Run again, and compare keys and versions."""
    assert cli.duckdb(STREAMS) == 0
    with duckdb.connect("zendesk.duckdb", read_only=True) as connection:
        for stream, version in (("tickets", "generated_timestamp"), ("groups", "name"), ("users", "name")):
            found = connection.execute(f"SELECT id, {version} FROM zendesk_support.{stream}").fetchall()
            assert sorted(found) == sorted((row["id"], row[version]) for row in truth(account, stream).values())


@pytest.mark.parametrize(
    ("stage", "limit", "loaded_before"),
    [("Extract", 0, True), ("Normalize", 0, True), ("Load", 0, True), ("Load", 100_000, False)],
    ids=["while reading", "while normalizing", "before the first table", "within a table"],
)
def test_a_full_disk_is_named_and_the_next_run_completes_the_tables(
    configured: Simulator, stage: str, limit: int, loaded_before: bool
) -> None:
    """L21, L38."""
    if loaded_before:
        assert cli.duckdb(STREAMS) == 0
        configured.mutate("update_tickets", count=5)
    done = script(FULL_DISK, stage, str(limit), *STREAMS)
    assert done.returncode == 1
    assert says("the disk is full", told(done.stderr)), done.stderr
    assert done.stdout == ""
    assert_complete(configured)


@contextmanager
def holding() -> Iterator[Callable[[], None]]:
    """Another program has the database open, until it is told to let go."""
    with subprocess.Popen([sys.executable, "-c", LOCKED], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"

        def let_go() -> None:
            with suppress(BrokenPipeError, ValueError):
                other.communicate(b"\n")

        yield let_go
        let_go()


WAIT = "SOURCES__ZENDESK_SUPPORT__DATABASE_WAIT_MINUTES"
WAITING = re.compile(
    r"warning: The database \S+ is in use by \S+ \(process \d+\): waiting until it is closed there, for \S+ minutes "
    r"at most \(database_wait_minutes\)\."
)


def test_a_database_in_use_is_waited_for(
    configured: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(WAIT, "1")
    assert cli.duckdb(STREAMS) == 0
    with holding() as let_go:
        threading.Timer(2, let_go).start()
        assert cli.duckdb(STREAMS) == 0
    assert len(WAITING.findall(capsys.readouterr().err)) == 1
    with holding() as let_go:
        threading.Timer(2, let_go).start()
        assert cli.duckdb([*STREAMS, "--verify"]) == 0
    assert len(WAITING.findall(capsys.readouterr().err)) == 1


def test_a_database_that_is_taken_while_zendesk_is_read_costs_nothing_but_the_run(
    configured: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.duckdb(STREAMS) == 0
    configured.mutate("update_tickets", count=5)
    monkeypatch.setenv(WAIT, "0.02")
    extract = Pipeline.extract
    with ExitStack() as stack:

        def extracted(self: Pipeline, *arguments: Any, **options: Any) -> Any:
            done = extract(self, *arguments, **options)
            stack.enter_context(holding())
            return done

        monkeypatch.setattr(Pipeline, "extract", extracted)
        assert cli.duckdb(STREAMS) == 1
    shown = capsys.readouterr().err
    assert "What was read since is kept, and loaded first by the next run." in shown, shown
    monkeypatch.setattr(Pipeline, "extract", extract)
    before = len(configured.requests())
    assert_complete(configured)
    assert len(configured.requests()) - before <= 6


def test_a_database_in_use_is_named_and_the_next_run_completes_the_tables(
    configured: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """L21, L38."""
    monkeypatch.setenv(WAIT, "0.02")
    assert cli.duckdb(STREAMS) == 0
    configured.mutate("update_tickets", count=5)
    capsys.readouterr()
    with holding():
        assert cli.duckdb([*STREAMS, "--verify"]) == 1
        assert says("the database is in use", told(capsys.readouterr().err))
        assert cli.duckdb(STREAMS) == 1
    shown = capsys.readouterr()
    assert says("the database is in use", told(shown.err)), shown.err
    assert shown.out == ""
    assert_complete(configured)


@pytest.mark.parametrize(("path", "mode"), [("zendesk.duckdb", 0o444), (".", 0o555)], ids=["the file", "the folder"])
def test_a_database_that_may_not_be_written_is_named(configured: Simulator, home: Path, path: str, mode: int) -> None:
    """L21."""
    if path != ".":
        assert cli.duckdb(STREAMS) == 0
        configured.mutate("update_tickets", count=5)
    before = (home / path).stat().st_mode
    os.chmod(home / path, mode)
    done = script(PLAIN, *STREAMS)
    os.chmod(home / path, before)
    assert done.returncode == 1
    assert says("the database or the working folder is read-only", told(done.stderr)), done.stderr
    assert_complete(configured)


def test_a_file_that_is_no_database_is_named(
    configured: Simulator, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "zendesk.duckdb").write_text("a shopping list" * 1000)
    assert cli.duckdb(STREAMS) == 2
    assert says("a database that is none", capsys.readouterr().err.removeprefix("error: "))
    assert configured.requests() == []
    (home / "zendesk.duckdb").unlink()
    assert_complete(configured)


def test_a_table_that_refuses_rows_gets_them_with_the_next_run(configured: Simulator) -> None:
    """L21, L38. Positions move back with a package that is given up."""
    assert cli.duckdb(STREAMS) == 0
    configured.mutate("update_tickets", count=5)
    with duckdb.connect("zendesk.duckdb") as connection:
        connection.execute("ALTER TABLE zendesk_support.tickets RENAME TO kept")
        connection.execute("CREATE VIEW zendesk_support.tickets AS SELECT * FROM zendesk_support.kept")
    done = script(PLAIN, *STREAMS)
    assert done.returncode == 1
    assert says("the destination refuses", told(done.stderr)), done.stderr
    with duckdb.connect("zendesk.duckdb") as connection:
        connection.execute("DROP VIEW zendesk_support.tickets")
        connection.execute("ALTER TABLE zendesk_support.kept RENAME TO tickets")
    assert_complete(configured)


def test_readers_share_a_connection_that_is_closed_behind_the_last_and_after_an_error(tmp_path: Path) -> None:
    client = Counted(tmp_path)
    turns = DestinationLock()
    begun = threading.Event()

    def read(fails: bool) -> None:
        with suppress(ZeroDivisionError), turns.for_reading(client):
            begun.wait(10)
            client.found += client.connection.sql("SELECT 1").fetchall()
            1 // (not fails)

    for fails, connections in ((False, 1), (True, 5)):
        begun.clear()
        client.opened = 0
        readers = [threading.Thread(target=read, args=(fails,)) for _ in range(5)]
        for reader in readers:
            reader.start()
        while turns._readers < 5:
            time.sleep(0.01)
        begun.set()
        for reader in readers:
            reader.join()
        assert (client.opened, client.connection) == (connections, None)
    assert len(client.found) == 10


def test_loading_closes_the_connection_of_readers_that_wait(tmp_path: Path) -> None:
    client, turns = Counted(tmp_path), DestinationLock()
    with turns.for_reading(client):
        turns._readers += 1
    assert client.connection is not None
    with turns.for_loading():
        assert client.connection is None


class Counted:
    """A client of a DuckDB file."""

    def __init__(self, folder: Path) -> None:
        self.file = str(folder / "counted.duckdb")
        self.opened = 0
        self.connection: Any = None
        self.found: list[Any] = []

    def open_connection(self) -> None:
        assert self.connection is None
        self.connection = duckdb.connect(self.file)
        self.opened += 1

    def close_connection(self) -> None:
        self.connection.close()
        self.connection = None


def test_a_demo_in_a_folder_that_may_not_be_written_is_named(home: Path) -> None:
    os.chmod(home, 0o555)
    done = script(PLAIN, "--demo")
    os.chmod(home, 0o755)
    assert done.returncode == 1
    assert says("the database or the working folder is read-only", told(done.stderr)), done.stderr
