"""What only Postgres does: its script, its JSON columns, and what happens when the server or the process dies."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from documented import says
from postgres_server import PostgresServer
from repository import ROOT
from support import assert_counted, assert_whole, load, pipeline, rows_of, table, truth

from zendesk_support import cli
from zendesk_support.simulator import Simulator

SCRIPT = ROOT / "pipelines" / "zendesk_to_postgres.py"
CREDENTIALS = "DESTINATION__POSTGRES__CREDENTIALS"
STREAMS = ("tickets", "groups")
ARGUMENTS = ["--progress", "off", "--streams", *STREAMS]


@pytest.fixture
def dataset(configured: Simulator, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A schema of the test's own, and the settings that lead from the account to the server."""
    monkeypatch.setenv(CREDENTIALS, postgres.url)
    return f"cli_{configured.base_url.rpartition(':')[2]}"


def test_the_script_loads_into_the_server_that_the_settings_name(
    account: Simulator, postgres: PostgresServer, dataset: str
) -> None:
    command = [sys.executable, str(SCRIPT), *ARGUMENTS, "--dataset", dataset]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert_counted(postgres, dataset, account, *STREAMS)


def test_the_demo_begins_anew_each_time(
    postgres: PostgresServer, dataset: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--demo", "--streams", "tickets", "ticket_metrics", "--dataset", dataset]
    for _ in range(2):
        assert cli.postgres(arguments) == 0
        shown = capsys.readouterr().out
        assert re.search(r"^tickets +500 .*^tickets +19 ", shown, re.MULTILINE | re.DOTALL)
        for title in ("Tickets by status", "First reply"):
            assert title in shown
        assert "Organizations with the most comments" not in shown
        assert f"/postgres, schema {dataset}." in shown
    assert postgres.query(f"SELECT count(*) FROM {dataset}.tickets") == [(505,)]


def test_nested_values_are_compared_searched_and_indexed(
    tmp_path: Path, account: Simulator, postgres: PostgresServer
) -> None:
    target = pipeline(tmp_path, server=postgres)
    load(target, account, "tickets")
    name = f"{target.dataset_name}.tickets"
    postgres.query(f"CREATE INDEX ON {name} USING gin (tags)")
    rows = truth(account, "tickets").values()
    tag = next(row["tags"][0] for row in rows if row["tags"])
    found = postgres.query(f"""SELECT count(*) FROM {name} WHERE tags @> '["{tag}"]'""")
    assert found == [(sum(tag in row["tags"] for row in rows),)]
    assert postgres.query(f"SELECT count(DISTINCT via ->> 'channel') FROM {name}") == [
        (len({row["via"]["channel"] for row in rows}),)
    ]
    account.mutate("update_tickets", count=3)
    load(target, account, "tickets")
    assert_whole(target, account, "tickets")
    assert (
        len(
            postgres.query(
                f"SELECT * FROM pg_indexes WHERE schemaname = '{target.dataset_name}' AND indexdef LIKE '%gin%'"
            )
        )
        == 1
    )


def test_rows_read_back_keep_json_texts(tmp_path: Path, account: Simulator, postgres: PostgresServer) -> None:
    """L14: a JSON value may itself be a text, a number or null."""
    target = pipeline(tmp_path, server=postgres)
    memberships = account.account.tables["group_memberships"]
    values = dict(zip(memberships.rids, ({"a": 1}, "word", 1.5, [None, "\\u0000 is a text"], "null")))
    for rid, value in values.items():
        memberships.change(rid)["extra"] = value
    account.account.changed()
    load(target, account, "group_memberships", deletes="mark")
    account.mutate("remove_rows", stream="group_memberships", count=len(memberships.rids))
    load(target, account, "group_memberships", deletes="mark")
    rows = table(target, "group_memberships")
    assert {rid: rows[(rid,)]["extra"] for rid in values} == values


@pytest.mark.parametrize(
    ("credentials", "expected"),
    [
        (None, "No credentials for Postgres are set. Set DESTINATION__POSTGRES__CREDENTIALS"),
        ("postgresql://loader:not-a-word@127.0.0.1:1/postgres", "port 1 failed: Connection refused"),
        ("postgresql://loader:not-a-word@127.0.0.1:{port}/nowhere", 'database "nowhere" does not exist'),
        ("somewhere", "postgresql://user:...@host:5432/database"),
    ],
    ids=["none", "no server", "no database", "no address"],
)
@pytest.mark.parametrize("option", ["--strict", "--demo"])
def test_a_server_that_does_not_answer_is_told_before_the_first_request(
    account: Simulator,
    postgres: PostgresServer,
    dataset: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    credentials: str | None,
    expected: str,
    option: str,
) -> None:
    """L34."""
    monkeypatch.delenv(CREDENTIALS)
    if credentials is not None:
        monkeypatch.setenv(CREDENTIALS, credentials.format(port=postgres.url.rpartition(":")[2].partition("/")[0]))
    assert cli.postgres([*ARGUMENTS, option]) == 2
    told = capsys.readouterr().err
    assert expected in told
    assert "DESTINATION__POSTGRES__CREDENTIALS" in told
    assert "not-a-word" not in told
    assert "try --demo" not in told
    assert account.requests() == []


def test_a_user_who_may_make_no_schema_is_told_which_right_to_ask_for(
    account: Simulator, postgres: PostgresServer, dataset: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    role = f"loader_{dataset}"
    postgres.query(f"CREATE ROLE {role} LOGIN PASSWORD 'not-a-word'")
    host = postgres.url.rpartition("@")[2]
    monkeypatch.setenv(CREDENTIALS, f"postgresql://{role}:not-a-word@{host}")
    assert cli.postgres([*ARGUMENTS, "--dataset", dataset]) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert says("no right to make a schema", told.partition(" What earlier")[0]), told
    assert account.requests() == []


@pytest.mark.parametrize("module", ["psycopg2", "adbc_driver_postgresql"])
def test_a_missing_package_is_told_with_the_command_that_installs_it(
    account: Simulator,
    dataset: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    module: str,
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    assert cli.postgres(ARGUMENTS) == 2
    assert f"install {module}: pip install -e '.[postgres]'" in capsys.readouterr().err
    assert account.requests() == []


def test_a_server_that_dies_while_zendesk_is_read_costs_nothing_but_the_run(
    account: Simulator, postgres: PostgresServer, dataset: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [*ARGUMENTS, "--dataset", dataset]
    assert cli.postgres(arguments) == 0
    account.mutate("update_tickets", count=5)
    handle = account.api.handle

    def dying(request: Any) -> Any:
        reply = handle(request)
        if request.route == "incremental_tickets_cursor":
            postgres.crash()
        return reply

    account.api.handle = dying  # type: ignore[method-assign]
    try:
        assert cli.postgres(arguments) == 1
    finally:
        account.api.handle = handle  # type: ignore[method-assign]
        postgres.start()
    told = "".join(capsys.readouterr())
    assert "Connection refused" in told
    assert "Traceback" not in told
    assert cli.postgres(arguments) == 0
    assert_counted(postgres, dataset, account, *STREAMS)


def test_a_process_killed_while_it_loads_is_made_good_by_the_next(
    account: Simulator, postgres: PostgresServer, dataset: str
) -> None:
    """L03, L21."""
    arguments = [*ARGUMENTS, "--dataset", dataset]
    assert cli.postgres(arguments) == 0
    changed = account.mutate("update_tickets", count=5)["ids"]
    account.mutate("create_rows", stream="groups")
    with postgres.locked(f"{dataset}.tickets"):
        command = [sys.executable, str(SCRIPT), *arguments]
        loading = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        while postgres.query(waiting) == [(0,)]:
            assert loading.poll() is None, "it ended without loading"
            time.sleep(0.05)
        loading.send_signal(signal.SIGKILL)
        loading.wait()
    assert cli.postgres(arguments) == 0
    assert_counted(postgres, dataset, account, *STREAMS)
    expected = {(row["id"], row["subject"]) for row in truth(account, "tickets").values() if row["id"] in changed}
    listed = ", ".join(map(str, changed))
    assert set(postgres.query(f"SELECT id, subject FROM {dataset}.tickets WHERE id IN ({listed})")) == expected
    assert cli.postgres(arguments) == 0
    last = f"SELECT sum(rows) FROM (SELECT rows FROM {dataset}.sync_report ORDER BY started_at DESC LIMIT 2) AS last"
    assert postgres.query(last) == [(0,)]


def test_a_row_that_postgres_refuses_stands_in_no_other_streams_way(
    account: Simulator, postgres: PostgresServer, dataset: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """L21."""
    arguments = [*ARGUMENTS, "--dataset", dataset]
    assert cli.postgres(arguments) == 0
    account.mutate("update_tickets", count=5)
    staged = f"{dataset}_staging.tickets"
    postgres.query(f"ALTER TABLE {staged} ADD CONSTRAINT refusal CHECK (id < 0) NOT VALID")
    assert cli.postgres(arguments) == 1
    assert "violates check constraint" in "".join(capsys.readouterr())
    assert cli.postgres([*arguments, "--exclude", "tickets"]) == 0
    postgres.query(f"ALTER TABLE {staged} DROP CONSTRAINT refusal")
    assert cli.postgres(arguments) == 0
    assert_counted(postgres, dataset, account, *STREAMS)


def test_a_first_load_without_rows_makes_the_tables(
    tmp_path: Path, account: Simulator, postgres: PostgresServer
) -> None:
    target = pipeline(tmp_path, server=postgres)
    load(target, account, "ticket_skips", "tickets", start_date="2015-01-01", end_date="2015-01-02")
    assert rows_of(target, "ticket_skips", "tickets") == {"ticket_skips": [], "tickets": []}
