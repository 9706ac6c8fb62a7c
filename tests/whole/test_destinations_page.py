"""What docs/destinations.md says is what happens."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from installed import installed
from repository import ROOT
from support import environment_of

from zendesk_support.simulator import Simulator

DUCKDB = "1.5.5"
PAGE = (ROOT / "docs" / "destinations.md").read_text()
COMPARE = """
import sys
from support import assert_whole
from zendesk_support.simulator import RemoteSimulator

assert not report.failed, report.failed
assert_whole(pipeline, RemoteSimulator(sys.argv[1]), *report.streams)
again = sync(pipeline, zendesk_support_source().with_resources(*report.streams))
with pipeline.sql_client() as client:
    wide, narrow = (client.execute_sql(f"SELECT count(*) FROM {name}") for name in ("tickets_wide", "tickets"))
    assert wide == narrow
print({name: (stream.rows, again.streams[name].rows) for name, stream in report.streams.items()})
"""


EXTENSIONS = ("delta", "iceberg", "avro")
LAKE = ("deltalake==1.6.6", "pyiceberg[sql-sqlite]==0.12.0", "pyiceberg-core==0.11.0")
FORMATS = """
import sys
from support import assert_whole
from zendesk_support import verify
from zendesk_support.simulator import RemoteSimulator

account, names = RemoteSimulator(sys.argv[1]), list(report.streams)
for _ in range(2):
    assert not report.failed, report.failed
    assert_whole(pipeline, account, *names)
    for kind in ("update_tickets", "delete_tickets", "redact_comments", "scrub_tickets"):
        account.mutate(kind, count=2)
    for kind in ("create_rows", "update_rows", "remove_rows"):
        account.mutate(kind, stream="macros", count=2)
    account.advance(120)
    report = sync(pipeline, source)
assert_whole(pipeline, account, *names)
again = sync(pipeline, source)
print({name: stream.rows for name, stream in again.streams.items() if stream.rows})
print({result.verdict for result in verify(pipeline, source, keys=True)})
"""


def example(word: str) -> str:
    """The one example on the page with a word."""
    (found,) = (text for text in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if word in text)
    return str(found)


def run(home: Path, packages: Path, script: str, account: Simulator, **settings: str) -> str:
    """What a script prints, with other packages and the DuckDB extensions among them."""
    [(platform,)] = duckdb.sql("PRAGMA platform").fetchall()
    extensions = home / ".duckdb" / "extensions" / f"v{DUCKDB}" / platform
    extensions.mkdir(parents=True, exist_ok=True)
    for extension in packages.rglob("*.duckdb_extension"):
        if not (extensions / extension.name).exists():
            (extensions / extension.name).symlink_to(extension)
    (home / "example.py").write_text(script)
    environment = {
        **os.environ,
        "HOME": str(home),
        "PYTHONPATH": f"{packages}{os.pathsep}{ROOT / 'tests' / 'helpers'}",
        **environment_of(account),
        **settings,
    }
    command = [sys.executable, "example.py", account.base_url]
    done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_example_of_ducklake_keeps_whole_tables(
    account: Simulator, home: Path, request: pytest.FixtureRequest
) -> None:
    """L15."""
    packages = installed(
        request.config.cache.mkdir("packages"), f"duckdb=={DUCKDB}", f"duckdb-extension-ducklake=={DUCKDB}"
    )
    script, views = example("ducklake") + COMPARE, {"SOURCES__ZENDESK_SUPPORT__VIEWS": "on"}
    run(home, packages, script, account, **views)
    account.mutate("update_tickets", count=3)
    account.mutate("delete_tickets", count=2)
    account.mutate("remove_rows", stream="group_memberships", count=2)
    assert "'group_memberships': (2, 0)" in run(home, packages, script, account, **views)
    assert (home / "zendesk_files").is_dir()


@pytest.mark.lake
@pytest.mark.parametrize("table_format", ["delta", "iceberg"])
def test_the_example_of_open_tables_keeps_whole_tables(
    account: Simulator, home: Path, request: pytest.FixtureRequest, table_format: str
) -> None:
    """L15."""
    extensions = [f"duckdb-extension-{name}=={DUCKDB}" for name in EXTENSIONS]
    packages = installed(request.config.cache.mkdir("packages"), f"duckdb=={DUCKDB}", *extensions, *LAKE)
    script = example("table_format").replace("delta", table_format, 1) + FORMATS
    catalog = {"type": "sql", "uri": f"sqlite:///{home}/catalog.db", "warehouse": f"file://{home}/zendesk_lake"}
    named = {"ICEBERG_CATALOG__ICEBERG_CATALOG_CONFIG": json.dumps(catalog)}
    assert run(home, packages, script, account, **named) == "{}\n{'ok'}\n"
    assert (home / "zendesk_lake").is_dir()
