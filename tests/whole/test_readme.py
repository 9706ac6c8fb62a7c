"""What README.md says is what happens."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from repository import ROOT
from support import environment_of

from zendesk_support import reference
from zendesk_support.checkpoints import SIGNALS
from zendesk_support.command.runs import INCOMPLETE, LOADED, OUT_OF_TIME, WRONG_USE
from zendesk_support.settings import Settings
from zendesk_support.simulator import Simulator

README = (ROOT / "README.md").read_text()
DEMO = "pip install -e . && python pipelines/zendesk_to_duckdb.py --demo"
TESTS = 'pip install -e ".[dev]" && pytest'


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def run(arguments: list[str], folder: Path, **environment: str) -> str:
    (folder / "pipelines").symlink_to(ROOT / "pipelines")
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "100", **environment},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_first_command_runs_the_demo_whose_output_is_shown(tmp_path: Path) -> None:
    assert DEMO in blocks("sh")[0]
    output = run(DEMO.partition(" && python ")[2].split(), tmp_path)
    shown = [line for line in blocks("text")[0].splitlines() if re.match(r"ticket_?\w+ +[\d,]+ ", line)]
    assert shown
    for line in shown:
        stream, rows, *_ = line.split()
        assert re.search(rf"^{stream} +{rows} ", output, re.MULTILINE), line
    assert "Rows changed in the second run: tickets 19" in output
    assert (tmp_path / "zendesk_demo.duckdb").exists()
    for title in (
        "Tickets by status",
        "Tickets by product area",
        "First reply",
        "Organizations with the most comments",
    ):
        assert title in output


def test_the_notebook_block_loads_the_streams_it_names(tmp_path: Path, account: Simulator) -> None:
    block, masking = blocks("python")
    script = tmp_path / "notebook.py"
    counts = "print(pipeline.dataset().row_counts().fetchall())\n"
    mails = "print('mails', pipeline.dataset()('SELECT count(email) FROM users').fetchall())\n"
    masked = masking.replace("pipeline.run(source)", 'pipeline.run(source, refresh="drop_resources")')
    script.write_text(block.replace(".df()  # needs pandas", ".fetchall()") + counts + masked + mails)
    output = run([str(script)], tmp_path, **environment_of(account))
    assert "('tickets', 60)" in output
    assert "('users', 30)" in output
    assert "mails [(0,)]" in output


def test_the_stream_tables_are_the_catalogue() -> None:
    assert reference.between_marks(README, reference.readme_table()) == README
    assert (ROOT / "docs" / "streams.md").read_text() == reference.columns_page()
    privacy = (ROOT / "docs" / "privacy.md").read_text()
    assert reference.between_marks(privacy, reference.privacy_table()) == privacy


@pytest.mark.parametrize("name", ["quota_share", "retry_deadline", "request_timeout", "nested", "deletes"])
def test_the_settings_table_shows_the_defaults(name: str) -> None:
    default = getattr(Settings("", 0), name)
    shown = f'"{default}"' if isinstance(default, str) else f"{default:g}"
    assert re.search(rf"^\| `{name}` \| `{re.escape(shown)}(\.0)?` \|", README, re.MULTILINE)


def test_the_exit_codes_are_those_of_the_command() -> None:
    table = README.partition("| exit code | |")[2].partition("\n\n")[0]
    cells = [row.split("|")[1] for row in table.splitlines() if row.startswith("| ")]
    told = {int(code) for cell in cells for code in cell.split(",")}
    by_signal = {128 + number for number in SIGNALS}
    assert told == {LOADED, INCOMPLETE, WRONG_USE, OUT_OF_TIME, *by_signal}


def test_ci_runs_the_tests_as_the_readme_says() -> None:
    assert TESTS in README
    script = (ROOT / ".ci" / "run").read_text()
    assert 'pip install --quiet -e ".[dev]"' in script
    assert script.rstrip().endswith("pytest")
