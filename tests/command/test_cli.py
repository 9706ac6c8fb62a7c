"""The command line: what it loads, what it prints, how it exits."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import duckdb
import pytest
from documented import says
from repository import ROOT
from support import environment_of, pipeline, source, truth

import zendesk_support
from zendesk_support import cli, sync
from zendesk_support.api import first_contact
from zendesk_support.loading.default_set import STATE_KEY
from zendesk_support.simulator import Simulator
from zendesk_support.streams import CATALOGUE
from zendesk_support.streams.selection import EARLIER, selected

SCRIPT = ROOT / "pipelines" / "zendesk_to_duckdb.py"


def call(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script as a user does."""
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def rows(query: str) -> list[Any]:
    """Ask the default database."""
    with duckdb.connect("zendesk.duckdb", read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_the_demo_needs_no_account(home: Path) -> None:
    done = call("--demo", "--streams", "tickets", "ticket_metrics", "ticket_comments", "organizations", "users")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Rows changed in the second run: tickets" in done.stdout
    assert "Tickets by status" in done.stdout
    assert (home / "zendesk_demo.duckdb").exists()


def test_without_credentials_it_names_the_keys_and_the_demo(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOURCES__ZENDESK_SUPPORT__SUBDOMAIN", "acme")
    assert cli.duckdb([]) == 2
    told = capsys.readouterr().err
    assert "Traceback" not in told
    for line in (
        "No Zendesk credentials are set.",
        "[sources.zendesk_support.credentials]",
        'client_id = "..."',
        'client_secret = "..."',
        "SOURCES__ZENDESK_SUPPORT__CREDENTIALS__CLIENT_ID",
        "SOURCES__ZENDESK_SUPPORT__CREDENTIALS__CLIENT_SECRET",
        "docs/credentials.md has how to get them.",
        "Without a Zendesk account, try --demo.",
    ):
        assert line in told


def test_the_script_loads_what_it_is_asked_for(account: Simulator) -> None:
    done = call("--streams", "groups", "user_fields", "--progress", "off", **environment_of(account))
    assert done.returncode == 0, done.stderr
    assert rows("SELECT count(*) FROM zendesk_support.groups") == [(len(truth(account, "groups")),)]
    words = " ".join(done.stdout.split())
    assert f"groups {len(truth(account, 'groups'))} " in words
    assert "loaded" in words


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--streams", "ticket"], "--streams ticket: there is no such stream or family. Did you mean tickets?"),
        (
            ["--streams", "help_centre"],
            "--streams help_centre: there is no such stream or family. Did you mean help_",
        ),
        (
            ["--exclude", "nothing"],
            "--exclude nothing: there is no such stream or family. --list-streams --streams all",
        ),
        (["--streams", "core", "--exclude", "core"], "--exclude leaves no stream to load."),
        (["--streams", "users", "--exclude", "users"], "--exclude leaves no stream to load."),
        (["--start-date", "soon"], 'start_date = "soon" is not a date. Examples: "2024-01-31"'),
        (["--start-date", "2024-01-02", "--end-date", "2024-01-01"], 'end_date = "2024-01-01" is not after'),
        (["--database", "z.duckdb", "--dataset", "z"], "--database z.duckdb and --dataset z have one name"),
        (["--database", "no/x.duckdb"], "--database no/x.duckdb: there is no folder no. Make it first."),
        (["--database", "."], "--database . is a folder. Example: --database zendesk.duckdb"),
        (["--database", __file__], "is no DuckDB file. Example: --database zendesk.duckdb"),
        (["--streams", "groups,ticket"], "--streams ticket: there is no such stream"),
        (["--streams", ","], "--streams names no stream. Example: --streams tickets users"),
        (["--streams", ""], "--streams names no stream."),
        (["--demo", "--check"], "--demo and --check do not go together."),
        (["--check", "--verify"], "--check and --verify do not go together."),
        (["--check", "--full-refresh"], "--check and --full-refresh do not go together."),
        (["--demo", "--since", "2024-01-31"], "--since is for --verify."),
    ],
)
def test_wrong_use_exits_with_2_and_says_what_is_right(
    configured: Simulator, arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """L34."""
    assert cli.duckdb(arguments) == 2
    told = capsys.readouterr().err
    assert expected in told
    assert "Traceback" not in told
    assert configured.requests() == []
    if "folder. " in told or "no DuckDB file" in told:
        assert says("a database that is none", told.removeprefix("error: "))


def test_a_setting_of_the_wrong_type_exits_with_2(
    configured: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOURCES__ZENDESK_SUPPORT__QUOTA_SHARE", "half")
    assert cli.duckdb(["--streams", "groups"]) == 2
    assert "quota_share" in capsys.readouterr().err


def test_an_unknown_option_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.duckdb(["--everything"])
    assert caught.value.code == 2


@pytest.mark.parametrize("words", [[], ["default"], ["custom_objects", "users", "groups"]])
def test_the_catalogue_is_listed(words: list[str], configured: Simulator, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.duckdb(["--list-streams", *(["--streams", *words] if words else [])]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()[1:] if line and line[0] != " "]
    listed = {line[0]: line[1:3] for line in lines if line[0] in CATALOGUE}
    assert list(listed) == list(selected(words) if words else CATALOGUE)
    asked = [name for name in listed if CATALOGUE[name].default_set is None]
    assert [name for name, (mark, _) in listed.items() if mark == "*"] == asked
    assert (["*", "loaded", "only"] in [line[:3] for line in lines]) == bool(asked)
    families = {name: next(word for word in words if word != "*") for name, words in listed.items()}
    assert families == {name: CATALOGUE[name].family for name in listed}
    assert configured.requests() == []


def test_excluded_streams_are_left_out(configured: Simulator) -> None:
    kept = ("groups", "user_fields")
    assert cli.duckdb(["--progress", "off", "--exclude", *(name for name in CATALOGUE if name not in kept)]) == 0
    found = {name for (name,) in rows("SELECT stream FROM zendesk_support.sync_report")}
    assert found == set(kept)


def test_families_are_loaded_and_left_out(configured: Simulator) -> None:
    left_out = ["custom_object_records", "configuration"]
    assert cli.duckdb(["--progress", "off", "--streams", "custom_objects", "tags", "--exclude", *left_out]) == 0
    found = {name for (name,) in rows("SELECT stream FROM zendesk_support.sync_report")}
    assert found == {"custom_objects", "custom_object_fields"}


def test_the_check_tries_each_stream_and_loads_nothing(
    configured: Simulator, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.duckdb(["--check", "--streams", "tickets", "groups", "articles"]) == 0
    words = capsys.readouterr().out.split()
    assert [word for word in words if word == "ok"] == ["ok"] * 3
    assert not (home / "zendesk.duckdb").exists()
    assert len(configured.requests()) <= 7


def test_the_check_says_of_each_stream_its_family_and_what_it_costs(
    configured: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("tickets", "ticket_metrics", "webhooks", "custom_object_records")
    assert cli.duckdb(["--check", "--streams", *names]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    costs = {name: CATALOGUE[name].feeds[0].endpoint.cost for name in names} | {
        "ticket_metrics": "none: read with tickets"
    }
    for name in names:
        every = f" ({CATALOGUE[name].cadence})" if CATALOGUE[name].cadence else ""
        told = f"{name} ok {CATALOGUE[name].family}{every} {costs[name]}"
        assert [line for line in lines if told.startswith(line) and len(line) > len(told) // 2], told


def test_the_check_says_which_trial_a_family_leaves_out(
    configured: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.duckdb(["--check", "--streams", "help_center"]) == 0
    assert "help_center_votes: a trial, loaded only where it is named itself" in capsys.readouterr().out
    assert cli.duckdb(["--check", "--streams", "articles"]) == 0
    assert "help_center_votes" not in capsys.readouterr().out


def test_the_check_asks_what_the_pipeline_loads(
    configured: Simulator, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pipeline of an earlier version goes on with the streams of its own default set."""
    target = pipeline(home, "zendesk_support")
    sync(target, source(configured, streams=["groups"]))
    assert newer_are_checked(capsys)
    with target.managed_state() as state:
        state["sources"]["zendesk_support"][STATE_KEY] = EARLIER
    assert not newer_are_checked(capsys)


def newer_are_checked(capsys: pytest.CaptureFixture[str]) -> bool:
    """Whether a check of nothing named tries a stream of the newest default set."""
    assert cli.duckdb(["--check"]) == 0
    found = capsys.readouterr().out.split()
    assert "groups" in found
    return "custom_statuses" in found


def test_the_check_says_which_streams_the_plan_lacks(
    simulate: Callable[..., Simulator], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account = simulate(gates={"ticket_forms": 403})
    for name, value in environment_of(account).items():
        monkeypatch.setenv(name, value)
    arguments = ["--check", "--streams", "groups", "ticket_forms"]
    assert cli.duckdb(arguments) == 0
    words = " ".join(capsys.readouterr().out.split())
    assert words.startswith("127.0.0.1, role admin, scope read, 700 requests a minute (plan Enterprise) stream")
    assert "groups ok" in words
    assert "ticket_forms no" in words
    assert "ticket_forms: Zendesk refused `ticket_forms` (403:" in words
    assert cli.duckdb([*arguments, "--strict"]) == 1


@pytest.mark.parametrize(
    ("credentials", "expected"),
    [
        ({"ACCESS_TOKEN": "expired-token"}, "as to an anonymous user"),
        ({"EMAIL": "a@example.com", "API_TOKEN": "wrong-token"}, "as to an anonymous user"),
        ({"CLIENT_ID": "simulator-client-id", "CLIENT_SECRET": "wrong-secret"}, "refused the client_credentials grant"),
    ],
)
def test_the_check_finds_credentials_that_zendesk_answers_as_anonymous(
    account: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    credentials: dict[str, str],
    expected: str,
) -> None:
    """L32."""
    monkeypatch.setenv("SOURCES__ZENDESK_SUPPORT__BASE_URL", account.base_url)
    for name, value in credentials.items():
        monkeypatch.setenv(f"SOURCES__ZENDESK_SUPPORT__CREDENTIALS__{name}", value)
    assert cli.duckdb(["--check", "--streams", "groups"]) == 2
    told = capsys.readouterr().err
    assert expected in told
    assert "docs/credentials.md has how" in " ".join(told.split())
    assert "wrong-" not in told
    assert "expired-token" not in told


@pytest.mark.parametrize("status", [403, 404])
def test_a_stream_the_plan_lacks_does_not_stop_the_others(
    simulate: Callable[..., Simulator],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    status: int,
) -> None:
    """L20."""
    account = simulate(gates={"ticket_forms": status})
    for name, value in environment_of(account).items():
        monkeypatch.setenv(name, value)
    arguments = ["--streams", "groups", "ticket_forms", "--progress", "off"]
    assert cli.duckdb(arguments) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert f"ticket_forms: Zendesk refused `ticket_forms` ({status}:" in told
    assert rows("SELECT count(*) FROM zendesk_support.groups") == [(len(truth(account, "groups")),)]
    assert rows("SELECT stream, status FROM zendesk_support.sync_report ORDER BY 1") == [
        ("groups", "loaded"),
        ("ticket_forms", "unavailable"),
    ]
    assert cli.duckdb([*arguments, "--strict"]) == 1


@pytest.mark.parametrize("option", [[], ["--check"]])
def test_credentials_that_lose_streams_of_every_plan_exit_with_1(
    simulate: Callable[..., Simulator],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    option: list[str],
) -> None:
    account = simulate(gates={"incremental_tickets_cursor": 403, "incremental_users_cursor": 403, "ticket_forms": 403})
    for name, value in environment_of(account).items():
        monkeypatch.setenv(name, value)
    streams = ["groups", "ticket_forms", "tickets", "users"]
    assert cli.duckdb([*option, "--progress", "off", "--streams", *streams]) == 1
    told = capsys.readouterr()
    words = " ".join(told.err.split())
    assert says("the credentials may not read a stream that every plan has", words.removeprefix("error: "))
    who = "127.0.0.1, role admin, scope read, 700 requests a minute (plan Enterprise)"
    assert f"({who}) may not read tickets, users, which" in words
    assert "ticket_forms" not in told.err
    assert told.out.count("(403:") == 1
    assert "tickets, users, ticket_forms: Zendesk refused them" in told.out or option


@pytest.mark.parametrize("option", [[], ["--check"]])
@pytest.mark.parametrize(("stream", "code"), [("groups", 1), ("ticket_forms", 0)])
def test_a_401_of_good_credentials_exits_as_the_refusal_of_a_plan_does(
    configured: Simulator, capsys: pytest.CaptureFixture[str], option: list[str], stream: str, code: int
) -> None:
    """1 for a stream that every plan has, 0 for one that some plans lack, and 1 for both with --strict."""
    configured.fault("status", route=stream, status=401, times=None)
    arguments = [*option, "--progress", "off", "--streams", "brands", stream]
    assert cli.duckdb(arguments) == code
    told = capsys.readouterr()
    assert f"Zendesk refused `{stream}` (401:" in " ".join(told.out.split())
    assert (f"may not read {stream}, which every plan has" in " ".join(told.err.split())) == bool(code)
    assert cli.duckdb([*arguments, "--strict"]) == 1


def test_the_check_says_what_a_narrow_scope_loses(
    simulate: Callable[..., Simulator], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account = simulate()
    for name, value in environment_of(account, SCOPE="tickets:read users:read").items():
        monkeypatch.setenv(name, value)
    streams = ["tickets", "ticket_fields", "users", "macros", "triggers"]
    assert cli.duckdb(["--check", "--streams", *streams]) == 1
    told = capsys.readouterr()
    assert "scope tickets:read users:read" in told.out
    words = " ".join(told.err.split())
    assert "may not read macros, triggers, which every plan has." in words
    assert 'A narrow scope may be why: set scope = "read"' in words


def test_a_verification_of_a_stream_that_the_credentials_lost_exits_with_1(
    configured: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.duckdb(["--streams", "groups", "brands"]) == 0
    configured.fault("status", route="groups", status=403, times=None)
    assert cli.duckdb(["--verify", "--streams", "groups", "brands"]) == 1
    assert "may not read groups, which every plan has." in " ".join(capsys.readouterr().err.split())


def test_web_pages_alone_are_given_up_after_seconds_and_named(
    configured: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(first_contact, "FIRST_CONTACT", 2.0)
    monkeypatch.setenv("SOURCES__ZENDESK_SUPPORT__RETRY_DEADLINE", "100000")
    configured.fault("html", route="*", times=None)
    for option in ([], ["--check"]):
        assert cli.duckdb([*option, "--streams", "groups", "brands"]) == 2
        told = capsys.readouterr()
        assert says("an address that answers with web pages", " ".join(told.err.removeprefix("error: ").split()))
        assert "plan" not in told.out + told.err


def test_refused_credentials_are_told_also_where_the_question_who_they_are_is_refused(
    configured: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configured.fault("status", route="users_me", status=403, times=None)
    for route in ("groups", "brands"):
        configured.fault("status", route=route, status=401, times=None)
    assert cli.duckdb(["--streams", "groups", "brands"]) == 2
    assert "Zendesk refused the credentials (401" in " ".join(capsys.readouterr().err.split())


def test_quiet_prints_failures_only(
    simulate: Callable[..., Simulator], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account = simulate(gates={"ticket_forms": 403})
    for name, value in environment_of(account).items():
        monkeypatch.setenv(name, value)
    for option in ([], ["--verify"]):
        assert cli.duckdb(["-q", *option, "--streams", "groups", "ticket_forms"]) == 0
    assert cli.duckdb(["-q", "--check", "--streams", "groups"]) == 0
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "")


def test_an_interrupt_during_the_imports_leaves_no_trace(account: Simulator) -> None:
    environment = {**os.environ, **environment_of(account)}
    for seconds in (0.3, 0.8):
        with subprocess.Popen([sys.executable, str(SCRIPT)], env=environment, stderr=subprocess.PIPE) as started:
            time.sleep(seconds)
            started.send_signal(signal.SIGINT)
            _, told = started.communicate(timeout=60)
        assert b"Traceback" not in told
        assert started.returncode in (-signal.SIGINT, 130)


def test_a_file_of_settings_that_cannot_be_read_is_named(home: Path) -> None:
    (home / ".dlt").mkdir()
    (home / ".dlt" / "config.toml").write_text('[sources.zendesk_support]\nsubdomain = "acme\n')
    done = call("--check")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "config.toml" in done.stderr


def test_an_account_that_refuses_everything_exits_with_2(
    configured: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    for route in ("groups", "incremental_*", "users_me"):
        configured.fault("status", status=404, body="<html>no</html>", route=route, times=None)
    arguments = ["--progress", "off", "--streams", "groups", "tickets"]
    for option in ([], ["--check"]):
        assert cli.duckdb([*arguments, *option]) == 2
        words, _, _ = " ".join(capsys.readouterr().err.split()).removeprefix("error: ").partition(" Without a Zendesk")
        assert says("an address that is no Zendesk account", words)


def test_time_that_runs_out_has_a_code_of_its_own(configured: Simulator) -> None:
    assert cli.duckdb(["--progress", "off", "--streams", "tickets", "--max-minutes", "0.00001"]) == 3
    assert cli.duckdb(["--progress", "off", "--streams", "tickets"]) == 0


def test_verifying_nothing_exits_with_1_and_makes_no_file(
    configured: Simulator, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.duckdb(["--verify", "--streams", "groups"]) == 1
    assert says("nothing to verify", capsys.readouterr().err.removeprefix("error: "))
    assert not (home / "zendesk.duckdb").exists()
    assert cli.duckdb(["--streams", "groups", "--progress", "off"]) == 0
    assert cli.duckdb(["--verify", "--streams", "groups", "tags"]) == 1
    assert says("nothing to verify", capsys.readouterr().err.removeprefix("error: "))


def test_the_end_says_where_the_data_is_and_folds_what_has_no_news(
    configured: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--streams", "groups,tickets", "--progress", "off"]
    assert cli.duckdb(arguments) == 0
    told = capsys.readouterr().out
    assert re.search(r"^65 rows in \d+ s, \d+ requests, to .*zendesk\.duckdb, schema zendesk_support$", told, re.M)
    query = re.search(r'^Try: duckdb (\S+) "(.+)"$', told, re.M)
    assert query is not None
    with duckdb.connect(query[1], read_only=True) as connection:
        assert connection.execute(query[2]).fetchall()
    assert cli.duckdb(arguments) == 0
    told = capsys.readouterr().out
    assert "2 streams: nothing new (-v lists them)" in told
    assert "tickets " not in told.splitlines()[0]
    assert cli.duckdb([*arguments, "-v"]) == 0
    assert re.search(r"^tickets +0 ", capsys.readouterr().out, re.M)
    assert cli.duckdb([*arguments, "-q"]) == 0
    assert capsys.readouterr().out == ""


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.duckdb(["--version"])
    assert (caught.value.code, capsys.readouterr().out) == (0, f"zendesk-support-dlt {zendesk_support.__version__}\n")


def test_the_package_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "zendesk_support", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, f"zendesk-support-dlt {zendesk_support.__version__}\n")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (
            "https://no-such-host.invalid",
            "no-such-host.invalid cannot be reached: no address (the name does not resolve)",
        ),
        ("https://127.0.0.1:9", "https://127.0.0.1:9 cannot be reached: connection refused"),
    ],
)
def test_a_host_that_was_never_reached_is_given_up_soon(
    configured: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    address: str,
    words: str,
) -> None:
    monkeypatch.setenv("SOURCES__ZENDESK_SUPPORT__BASE_URL", address)
    monkeypatch.setenv("SOURCES__ZENDESK_SUPPORT__CLOCK_SCALE", "1")
    monkeypatch.setattr(first_contact, "FIRST_CONTACT", 2.0)
    began = time.monotonic()
    assert cli.duckdb(["--streams", "groups", "--progress", "off"]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert words in told
    assert says("a host that cannot be reached", told.removeprefix("error: "))
    assert time.monotonic() - began < 60


def test_a_failing_stream_exits_with_1_and_the_others_load(
    configured: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """L20."""
    configured.fault("status", status=418, body="no coffee", route="user_fields", times=None)
    assert cli.duckdb(["--streams", "groups", "user_fields", "--progress", "off"]) == 1
    assert 'user_fields: user_fields: Zendesk answered 418: "no coffee".' in capsys.readouterr().out
    assert rows("SELECT count(*) FROM zendesk_support.groups") == [(len(truth(configured, "groups")),)]
    configured.clear_faults()
    assert cli.duckdb(["--streams", "groups", "user_fields", "--progress", "off"]) == 0
    assert rows("SELECT count(*) FROM zendesk_support.user_fields") == [(len(truth(configured, "user_fields")),)]


def test_one_reason_of_many_streams_is_told_once(configured: Simulator, capsys: pytest.CaptureFixture[str]) -> None:
    configured.fault("status", status=418, body="no coffee", route="*_fields", times=None)
    assert cli.duckdb(["--streams", "user_fields", "ticket_fields", "--progress", "off"]) == 1
    assert capsys.readouterr().out.count("no coffee") == 2
    configured.clear_faults()
    configured.fault("html", route="oauth_tokens", times=None)
    assert cli.duckdb(["--streams", "user_fields", "ticket_fields", "--progress", "off"]) == 1
    told = capsys.readouterr().out
    assert "ticket_fields, user_fields: oauth/tokens: no usable answer" in told
    assert told.count("oauth/tokens") == 1


def test_credentials_that_zendesk_refuses_exit_with_2_and_one_message(
    configured: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """L34, L35."""
    monkeypatch.setenv("SOURCES__ZENDESK_SUPPORT__CREDENTIALS__CLIENT_SECRET", "wrong-secret")
    assert cli.duckdb(["--streams", "groups", "user_fields", "--progress", "off"]) == 2
    told = capsys.readouterr()
    assert told.err.count("refused the client_credentials grant") == 1
    assert "Traceback" not in told.err
    assert told.out == ""
    assert "wrong-secret" not in told.err
    assert len(configured.requests()) == 1
    assert rows("SELECT table_name FROM information_schema.tables WHERE table_name IN ('groups', 'sync_report')") == []


def test_a_full_refresh_equals_the_truth_and_keeps_the_reports(configured: Simulator) -> None:
    streams = ("tickets", "groups")
    arguments = ["--streams", *streams, "--progress", "off"]
    assert cli.duckdb(arguments) == 0
    with duckdb.connect("zendesk.duckdb") as connection:
        connection.execute("UPDATE zendesk_support.tickets SET subject = 'spoilt'")
        connection.execute("INSERT INTO zendesk_support.groups (id, _dlt_id, _dlt_load_id) VALUES (1, 'x', '1')")
    assert cli.duckdb([*arguments, "--full-refresh"]) == 0
    for name in streams:
        assert rows(f"SELECT count(*) FROM zendesk_support.{name}") == [(len(truth(configured, name)),)]
    assert rows("SELECT count(*) FROM zendesk_support.tickets WHERE subject = 'spoilt'") == [(0,)]
    assert rows("SELECT stream, count(*) FROM zendesk_support.sync_report GROUP BY 1 ORDER BY 1") == [
        ("groups", 2),
        ("tickets", 2),
    ]
    assert cli.duckdb(arguments) == 0
    assert rows("SELECT rows FROM zendesk_support.sync_report ORDER BY started_at DESC LIMIT 2") == [(0,), (0,)]


def test_a_bounded_period_leaves_positions_alone(tmp_path: Path, configured: Simulator) -> None:
    every = sorted(truth(configured, "tickets").values(), key=lambda row: row["generated_timestamp"])
    middle = every[len(every) // 2]["generated_timestamp"]

    end = datetime.fromtimestamp(middle, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    arguments = ["--streams", "tickets", "--progress", "off"]
    assert cli.duckdb([*arguments, "--start-date", "2016-01-01", "--end-date", end]) == 0
    expected = [row["id"] for row in every if row["generated_timestamp"] < middle]
    assert rows("SELECT id FROM zendesk_support.tickets ORDER BY id") == [(id,) for id in sorted(expected)]
    assert cli.duckdb(arguments) == 0
    assert rows("SELECT count(*) FROM zendesk_support.tickets") == [(len(every),)]
    assert cli.duckdb([*arguments, "--start-date", "2016-01-01", "--end-date", end]) == 0
    assert cli.duckdb(arguments) == 0
    assert rows("SELECT rows FROM zendesk_support.sync_report ORDER BY started_at DESC LIMIT 1") == [(0,)]


def test_a_database_and_a_dataset_of_ones_own(configured: Simulator, home: Path) -> None:
    arguments = ["--streams", "groups", "--progress", "off", "--database", "own.duckdb", "--dataset", "support"]
    assert cli.duckdb([*arguments, "--pipeline-name", "own"]) == 0
    with duckdb.connect("own.duckdb", read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM support.groups").fetchall() == [
            (len(truth(configured, "groups")),)
        ]


def test_the_demo_leaves_tables_alone_that_are_not_its_own(
    configured: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.duckdb(["--streams", "groups", "--progress", "off"]) == 0
    assert cli.duckdb(["--demo", "--streams", "groups", "--database", "zendesk.duckdb"]) == 2
    told = capsys.readouterr().err
    assert "--demo begins with an empty dataset, but zendesk_support in" in told
    assert "Example: --dataset demo" in told
    assert rows("SELECT count(*) FROM zendesk_support.groups") == [(len(truth(configured, "groups")),)]


def test_a_stream_that_is_named_is_due_and_one_of_a_family_is_not(
    account: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in environment_of(account, STREAMS__MACROS__EVERY="100d", STREAMS__GROUPS__EVERY="100d").items():
        monkeypatch.setenv(name, value)
    for given in (["macros", "groups"], ["macros"]):
        assert cli.duckdb(["--streams", *given, "--progress", "off"]) == 0
    assert "not due" not in capsys.readouterr().out
    asked = ["--streams", "configuration", "--exclude", "triggers", "--progress", "off"]
    account.reset_requests()
    assert cli.duckdb(asked) == 0
    assert "1 stream: not due (-v lists them)" in capsys.readouterr().out
    assert "macros" not in {request["route"] for request in account.requests()}
    assert cli.duckdb([*asked, "--verbose"]) == 0
    assert re.search(r"macros +0 +0 +0.0 +not due", capsys.readouterr().out)
    assert cli.duckdb(["--check", "--streams", "macros", "article_comments"]) == 0
    told = capsys.readouterr().out
    assert re.search(r"macros +ok +configuration +100d ", told)
    assert re.search(r"article_comments +ok +help_center +\(1d\) ", told)
