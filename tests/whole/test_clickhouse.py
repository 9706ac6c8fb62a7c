"""Whole tables in ClickHouse's engine, through dlt's own destination and its clients."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from environments import environment, kept_in
from installed import installed
from repository import ROOT
from support import environment_of

from zendesk_support.simulator import Simulator

pytestmark = pytest.mark.lake

CLIENTS = ("clickhouse-driver==0.2.11", "clickhouse-connect==1.12.0")
ENGINE = ("chdb==4.4.0", "chdb-core==26.9.0", CLIENTS[0])
SERVER = ROOT / "tests" / "helpers" / "clickhouse_server.py"
SYNCS = """
import json
import sys

import dlt
from support import assert_whole
from zendesk_support import sync, verify, zendesk_support_source
from zendesk_support.simulator import RemoteSimulator

url, port, http_port, *names = sys.argv[1:]
account = RemoteSimulator(url)
server = {"host": "127.0.0.1", "port": int(port), "http_port": int(http_port), "secure": 0, "database": "default"}
warehouse = dlt.destinations.clickhouse(credentials={**server, "username": "default", "password": "any"})
pipeline = dlt.pipeline("house", destination=warehouse, dataset_name="zd")
source = zendesk_support_source().with_resources(*names)
for _ in range(3):
    report = sync(pipeline, source)
    assert not report.failed, {stream.stream: stream.message for stream in report.failed}
    assert_whole(pipeline, account, *names)
    for kind in ("update_tickets", "create_tickets", "delete_tickets", "redact_comments", "scrub_tickets"):
        account.mutate(kind, count=2)
    for stream in ("macros", "group_memberships", "user_identities"):
        for kind in ("create_rows", "update_rows", "remove_rows"):
            account.mutate(kind, stream=stream, count=2)
    account.advance(120)
sync(pipeline, source)
assert_whole(pipeline, account, *names)
again = sync(pipeline, source)
with pipeline.sql_client() as client:
    table = client.make_qualified_table_name("tickets")
    types = client.execute_sql(f"SELECT toTypeName(via), toTypeName(created_at) FROM {table} LIMIT 1")
print(json.dumps({
    "again": {name: stream.rows for name, stream in again.streams.items() if stream.rows},
    "verdicts": sorted({result.verdict for result in verify(pipeline, source, keys=True)}),
    "types": types,
}))
"""
NAMES = (
    "tickets",
    "ticket_events",
    "ticket_comments",
    "ticket_audits",
    "macros",
    "group_memberships",
    "user_identities",
)


@pytest.fixture
def server(pytestconfig: pytest.Config, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The ports of an engine of the test's own."""
    python = environment(kept_in(pytestconfig, "clickhouse"), ENGINE)
    ports = []
    for _ in range(2):
        with socket.create_server(("127.0.0.1", 0)) as free:
            ports.append(str(free.getsockname()[1]))
    serving = subprocess.Popen(
        [python, SERVER, *ports], env={**os.environ, "TZ": "UTC", "TMPDIR": str(tmp_path)}, stdout=subprocess.PIPE
    )
    assert serving.stdout is not None
    assert serving.stdout.readline() == b"serves\n"
    yield ports[0], ports[1]
    serving.kill()
    serving.wait()


def test_clickhouse_keeps_whole_tables(
    server: tuple[str, str], account: Simulator, pytestconfig: pytest.Config
) -> None:
    assert pytestconfig.cache is not None
    packages = installed(pytestconfig.cache.mkdir("packages"), *CLIENTS)
    paths = f"{packages}{os.pathsep}{ROOT / 'tests' / 'helpers'}"
    done = subprocess.run(
        [sys.executable, "-c", SYNCS, account.base_url, *server, *NAMES],
        env={**os.environ, "PYTHONPATH": paths, **environment_of(account)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["again"] == {}
    assert told["types"] == [["Nullable(String)", "Nullable(DateTime64(6, 'UTC'))"]]
    assert set(told["verdicts"]) <= {"ok", "explained"}
