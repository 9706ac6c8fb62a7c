"""The recipes of docs/work_on_rows.md, run as they stand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import dlt
import pytest
from repository import ROOT
from support import environment_of, simulated

PAGE = ROOT / "docs" / "work_on_rows.md"


def test_the_recipes_do_what_they_say(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account = simulated().start()
    for name, value in environment_of(account).items():
        monkeypatch.setenv(name, value)
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    assert len(blocks) == 7
    names: dict[str, Any] = {"__name__": __name__}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    account.stop()

    def ask(query: str) -> Any:
        with dlt.attach("zendesk").sql_client() as client:
            return (client.execute_sql(query) or [])[0]

    users, mails, hashed, tags = ask(
        "SELECT count(*), count(email), count(*) FILTER (length(email) = 32 AND email NOT LIKE '%@%'), "
        "count(*) FILTER (json_type(tags) = 'ARRAY') FROM users"
    )
    assert (users, mails) == (30, hashed)
    assert mails > 20
    assert tags == users
    columns = ask("SELECT list(column_name) FROM duckdb_columns() WHERE table_name = 'users' AND NOT internal")[0]
    assert {"phone", "notes"}.isdisjoint(columns) or ask("SELECT count(phone) + count(notes) FROM users")[0] == 0
    assert ask("SELECT count(*), count(channel) FROM tickets")[0] == 60
    assert ask("SELECT count(*) FROM tickets WHERE channel IS DISTINCT FROM via ->> 'channel'")[0] == 0
    assert ask("SELECT count(*) FROM domains") == ask("SELECT count(*) FROM organizations")
    assert ask("SELECT count(DISTINCT stream) FROM sync_report")[0] == 4
    assert capsys.readouterr().out.strip()
