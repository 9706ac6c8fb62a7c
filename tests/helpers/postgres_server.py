"""A Postgres server of the tests' own, from the binaries installed on this machine."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest

USER = "loader"
DATABASE = "postgres"
# Postgres refuses to run as root.
RUN_AS: dict[str, Any] = {"user": "nobody", "group": "nogroup"} if os.getuid() == 0 else {}
SETTINGS = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=off",
    "full_page_writes=off",
    "autovacuum=off",
    "jit=off",
    "max_connections=400",
)


def binaries() -> Path | None:
    """The newest server's programs, or None."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    found = shutil.which("postgres") or (installed[-1] if installed else None)
    return Path(found).parent if found else None


class PostgresServer:
    """A server on a free port that trusts everybody on this machine."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._home = Path(tempfile.mkdtemp(prefix="zendesk-postgres-"))
        self._log = (self._home / "log").open("wb")
        if RUN_AS:
            shutil.chown(self._home, **RUN_AS)
        initdb = [
            programs / "initdb",
            "--no-sync",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            f"--username={USER}",
        ]
        subprocess.run([*initdb, self._home / "data"], cwd=self._home, stdout=self._log, check=True, **RUN_AS)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self.start()

    @property
    def url(self) -> str:
        """Where to connect to; any password will do."""
        return f"postgresql://{USER}:any@127.0.0.1:{self._port}/{DATABASE}"

    def start(self) -> None:
        """Start to serve, at first or after a crash."""
        command = [self._programs / "postgres", "-D", self._home / "data", "-p", str(self._port)]
        command += [word for setting in SETTINGS for word in ("-c", setting)]
        self._server = subprocess.Popen(command, cwd=self._home, stdout=self._log, stderr=subprocess.STDOUT, **RUN_AS)
        deadline = time.monotonic() + 60
        while not self._answers():
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self._home / "log").read_text())
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            return self.query("SELECT true") == [(True,)]
        except psycopg2.OperationalError:
            return False

    def crash(self) -> None:
        """End the server without a shutdown."""
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait()

    @contextmanager
    def locked(self, table: str) -> Iterator[None]:
        """Nobody else reads or writes a table."""
        connection = psycopg2.connect(self.url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
                yield
        finally:
            connection.close()

    def close(self) -> None:
        """End the server and remove its data."""
        self.crash()
        self._log.close()
        shutil.rmtree(self._home, ignore_errors=True)

    def query(self, sql: str) -> list[Any]:
        """The rows of a query, in a connection of its own."""
        connection = psycopg2.connect(self.url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()


@contextmanager
def running() -> Iterator[PostgresServer]:
    """A server; the test is skipped where none is installed."""
    programs = binaries()
    if programs is None:
        pytest.skip("no Postgres server is installed here: apt-get install postgresql")
    server = PostgresServer(programs)
    try:
        yield server
    finally:
        server.close()
