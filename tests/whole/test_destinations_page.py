"""What docs/destinations.md says is what happens."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from installed import installed
from repository import ROOT
from support import environment_of

from zendesk_support.simulator import Simulator

PAGE = (ROOT / "docs" / "destinations.md").read_text()
COMPARE = """
import sys
from support import assert_whole
from zendesk_support.simulator import RemoteSimulator

assert not report.failed, report.failed
assert_whole(pipeline, RemoteSimulator(sys.argv[1]), *report.streams)
again = sync(pipeline, zendesk_support_source().with_resources(*report.streams))
print({name: (stream.rows, again.streams[name].rows) for name, stream in report.streams.items()})
"""


def test_the_example_of_another_destination_keeps_whole_tables(
    account: Simulator, home: Path, request: pytest.FixtureRequest
) -> None:
    """L15."""
    packages = installed(request.config.cache.mkdir("packages"), "duckdb==1.5.5", "duckdb-extension-ducklake==1.5.5")
    (extension,) = packages.rglob("ducklake.duckdb_extension")
    [(platform,)] = duckdb.sql("PRAGMA platform").fetchall()
    extensions = home / ".duckdb" / "extensions" / "v1.5.5" / platform
    extensions.mkdir(parents=True)
    shutil.copy(extension, extensions)
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (home / "example.py").write_text(example + COMPARE)
    environment = {
        **os.environ,
        "HOME": str(home),
        "PYTHONPATH": f"{packages}{os.pathsep}{ROOT / 'tests' / 'helpers'}",
        **environment_of(account),
    }

    def run() -> str:
        command = [sys.executable, "example.py", account.base_url]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run()
    account.mutate("update_tickets", count=3)
    account.mutate("delete_tickets", count=2)
    account.mutate("remove_rows", stream="group_memberships", count=2)
    assert "'group_memberships': (2, 0)" in run()
