"""The commands and code of docs/dlt_tools.md, on what the source loads."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from repository import ROOT
from support import load, pipeline

from zendesk_support.simulator import Simulator
from zendesk_support.streams import CATALOGUE

PAGE = (ROOT / "docs" / "dlt_tools.md").read_text()
COMMANDS = re.findall(r"^(dlt pipeline zendesk_demo [^\n]*)\n```\n\n```text\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL)
STREAMS = ("tickets", "ticket_metrics", "ticket_skips", "article_votes")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def demo(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path, "zendesk_demo")
    # The stream that ends first, whichever it is, counts the table of reports as its own, too.
    for streams in (("ticket_skips",), STREAMS):
        load(target, account, *streams)
        account.mutate("update_tickets", count=3)


def run(*arguments: str) -> str:
    environment = {**os.environ, "RUNTIME__DLTHUB_TELEMETRY": "false", "COLUMNS": "200"}
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def dlt(command: str) -> str:
    return run(sys.executable, "-m", "dlt._workspace.cli._dlt", *command.removeprefix("dlt ").split())


def test_the_commands_print_what_is_shown(demo: None) -> None:
    assert len(COMMANDS) == 2
    for command, shown in COMMANDS:
        printed = dlt(command)
        for line in shown.splitlines():
            assert line.partition("…")[0] in printed, line
    for name, told in (("trace", "tickets"), ("load-package", "LOADED")):
        assert f"`dlt pipeline zendesk_demo {name}`" in PAGE
        assert told in dlt(f"dlt pipeline zendesk_demo {name}")
    assert '"positions"' in dlt("dlt pipeline -v zendesk_demo info").replace("'", '"')


def test_every_table_and_relation_is_in_the_diagram(tmp_path: Path, account: Simulator) -> None:
    load(pipeline(tmp_path, "zendesk_demo"), account)
    whole = dlt("dlt pipeline zendesk_demo schema --format mermaid")
    tables = set(re.findall(r"^    (\w+)\{$", whole, re.MULTILINE))
    assert tables == {*CATALOGUE, "sync_report", "_dlt_version", "_dlt_loads", "_dlt_pipeline_state"}
    drawn = set(re.findall(r"^    (\w+) \}\|--\|\| (\w+) : \"(\w+)\"$", whole, re.MULTILINE))
    expected = {(stream.name, to, column) for stream in CATALOGUE.values() for column, to in stream.references.items()}
    assert {relation for relation in drawn if not relation[2].startswith("_dlt")} == expected
    assert {to for _, to, _ in expected} <= tables


def test_the_code_runs(demo: None) -> None:
    assert len(BLOCKS) == 2
    diagram, data = (run(sys.executable, "-c", block) for block in BLOCKS)
    assert 'tickets }|--|| users : "requester_id"' in diagram
    assert "_dlt_loads" not in diagram
    assert "('tickets', 60)" in data
