"""Several accounts in one command: each as if it were alone, and one that fails stops no other."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from repository import ROOT
from support import environment_of_accounts, truth

from zendesk_support import cli, sync_accounts
from zendesk_support.command.accounts import worst
from zendesk_support.command.console import AccountConsole, label
from zendesk_support.errors import ConfigurationError
from zendesk_support.loading.named_accounts import configured_accounts, named_account
from zendesk_support.running.accounts import account_named, known_settings, source_of_account
from zendesk_support.simulator import Simulator
from zendesk_support.streams import CATALOGUE

SCRIPT = ROOT / "pipelines" / "zendesk_to_duckdb.py"
OWN = "SOURCES__ZENDESK_SUPPORT__ACCOUNTS__ACME__"
OF_ALL = "SOURCES__ZENDESK_SUPPORT__"
STREAMS = ("tickets", "groups")
SECRET = "not-a-secret"


@pytest.fixture(scope="module")
def pair() -> Iterator[dict[str, Simulator]]:
    """Two accounts whose ids collide."""
    accounts = {
        name: Simulator(seed=1, tickets=size, clock_scale=600.0) for name, size in (("acme", 30), ("globex", 20))
    }
    for account in accounts.values():
        account.start()
    yield accounts
    for account in accounts.values():
        account.stop()


@pytest.fixture
def configured(pair: dict[str, Simulator], monkeypatch: pytest.MonkeyPatch) -> dict[str, Simulator]:
    """Both accounts, which the environment leads to."""
    for name, value in environment_of_accounts(pair).items():
        monkeypatch.setenv(name, value)
    return pair


def set_all(monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


def ids(file: Path, dataset: str, table: str = "tickets") -> list[int]:
    with duckdb.connect(str(file), read_only=True) as connection:
        return sorted(id for (id,) in connection.execute(f"SELECT id FROM {dataset}.{table}").fetchall())


def known(account: Simulator) -> list[int]:
    return sorted(id for (id,) in truth(account, "tickets"))


def test_all_configured_accounts_are_loaded_each_into_a_dataset_of_its_own(
    configured: dict[str, Simulator], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.duckdb(["--streams", *STREAMS, "--progress", "off"]) == 0
    told = capsys.readouterr().out
    for name, account in configured.items():
        assert ids(home / "zendesk.duckdb", f"zendesk_support_{name}") == known(account)
        assert re.search(rf"^{name}: tickets +{len(known(account))} ", told, re.M)
    asked = {name: len(account.requests()) for name, account in configured.items()}
    configured["globex"].mutate("update_tickets", count=2)
    configured["globex"].advance(120)
    assert cli.duckdb(["--account", "globex", "--streams", "tickets", "--progress", "off"]) == 0
    told = capsys.readouterr().out
    assert re.search(r"^tickets +2 ", told, re.M)  # one account alone is told of as ever
    assert len(configured["acme"].requests()) == asked["acme"]
    assert cli.duckdb(["--verify", "--streams", *STREAMS]) == 0
    told = capsys.readouterr().out
    assert [line for line in told.splitlines() if not line.startswith(("acme: ", "globex: "))] == []
    assert cli.duckdb(["--check", "--account", "acme,globex", "--streams", "groups"]) == 0


def test_an_account_that_fails_stops_no_other(
    configured: dict[str, Simulator],
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(f"{OWN}CREDENTIALS__CLIENT_SECRET", SECRET)
    assert cli.duckdb(["--streams", *STREAMS, "--progress", "off"]) == 2
    told = capsys.readouterr()
    assert ids(home / "zendesk.duckdb", "zendesk_support_globex") == known(configured["globex"])
    assert re.search(r"^acme: error: ", told.err, re.M)
    assert "1 of 2 accounts have ended otherwise than with 0: acme (2)" in told.err
    assert SECRET not in told.err + told.out


def test_each_account_has_a_place_of_its_own_and_falls_back_to_what_all_have(
    configured: dict[str, Simulator], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_all(monkeypatch, **{f"{OWN}DATASET": "sales", f"{OWN}PIPELINE_NAME": "earlier"})
    assert cli.duckdb(["--streams", "groups", "--progress", "off", "--dataset", "zd", "--pipeline-name", "zp"]) == 0
    assert ids(home / "zendesk.duckdb", "sales", "groups") == ids(home / "zendesk.duckdb", "zd_globex", "groups")
    names = {path.name for path in (home / "dlt" / "pipelines").iterdir() if path.is_dir()}
    assert names == {"earlier", "zp_globex"}


def test_python_has_a_door_of_its_own(
    configured: dict[str, Simulator], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dlt

    monkeypatch.setenv(f"{OWN}CREDENTIALS__CLIENT_SECRET", SECRET)
    reports = sync_accounts(dlt.destinations.duckdb(str(home / "py.duckdb")), streams=STREAMS, at_once=1)
    assert list(reports) == ["acme", "globex"]
    assert isinstance(reports["acme"].error, ConfigurationError)
    assert {name: told.status for name, told in reports["globex"].streams.items()} == dict.fromkeys(STREAMS, "loaded")
    assert ids(home / "py.duckdb", "zendesk_support_globex") == known(configured["globex"])


def test_credentials_and_address_of_one_account_never_serve_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account that sets a field of its own has no other field from the settings of all accounts."""
    set_all(
        monkeypatch,
        **{
            f"{OF_ALL}BASE_URL": "http://127.0.0.1:1",
            f"{OF_ALL}SAME_ACCOUNT_AS": "other.example.com",
            f"{OF_ALL}CREDENTIALS__CLIENT_ID": "other",
            f"{OF_ALL}CREDENTIALS__CLIENT_SECRET": SECRET,
            f"{OF_ALL}CHAT__ACCESS_TOKEN": SECRET,
            f"{OF_ALL}DELETES": "mark",
            f"{OF_ALL}STREAMS__LOAD": '["users"]',
            f"{OWN}SUBDOMAIN": "acme",
            f"{OWN}CREDENTIALS__ACCESS_TOKEN": "own",
            f"{OWN}STREAMS__LOAD": '["tickets"]',
            f"{OWN}STREAMS__USERS__EXCLUDE": '["phone"]',
        },
    )
    source = source_of_account(account_named("acme"))
    account = source.account
    assert (account.settings.base_url, account.settings.account) == ("https://acme.zendesk.com", "acme.zendesk.com")
    assert dict(account.credentials) == {"access_token": "own"}
    assert account.chat.access_token is None
    assert account.settings.deletes == "mark"
    assert list(source.selected_streams) == ["tickets"]
    assert source.resources["users"].stream.mask.exclude == ("phone",)


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"ACME_EU_": "x"}, "each account has a name and a section"),
        ({"ACME-EU__SUBDOMAIN": "acme"}, "acme-eu cannot name an account: small letters"),
        ({"ACME__SUBDOMIAN": "acme"}, "there is no setting subdomian. Did you mean subdomain?"),
        ({"ACME__STREAMS__TICKET__EXCLUDE": "x"}, "there is no setting streams.ticket. Did you mean streams.tickets?"),
        ({"ACME__QUOTA_SHARE": "0.5"}, "the account acme has no subdomain of its own."),
    ],
)
def test_settings_of_an_account_are_checked(
    setting: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_all(monkeypatch, **{f"{OF_ALL}ACCOUNTS__{name}": value for name, value in setting.items()})
    with pytest.raises(ConfigurationError) as refused:
        [named_account(name, known_settings(), CATALOGUE) for name in configured_accounts()]
    assert told in str(refused.value)


def test_files_configure_accounts(config_file: Callable[..., None]) -> None:
    config_file(
        '[sources.zendesk_support]\nstreams = ["groups"]\n'
        '[sources.zendesk_support.accounts.zeta]\nsubdomain = "zeta"\n'
        '[sources.zendesk_support.accounts.acme]\nsubdomain = "acme-eu"\n'
        '[sources.zendesk_support.accounts.acme.streams.users]\nexclude = ["phone"]'
    )
    config_file('[sources.zendesk_support.accounts.acme.credentials]\naccess_token = "own"', "secrets.toml")
    assert configured_accounts() == ("acme", "zeta")
    source = source_of_account(account_named("acme"))
    assert source.account.settings.account == "acme-eu.zendesk.com"
    assert list(source.selected_streams) == ["groups"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["--account", "acne"],
            "--account acne: there is no such account. Did you mean acme? Configured: acme, globex.",
        ),
        (["--account", ","], "--account names no account."),
        (["--account", "acme", "--demo"], "--account is for configured accounts."),
        (["--account", "acme", "--at-once", "2"], "--at-once 2: it is for several accounts."),
        (["--at-once", "0"], "--at-once 0: at least one account at a time."),
        (["--every", "1m", "--at-once", "2"], "with --every all accounts are loaded at the same time"),
        (
            ["--every", "1m", "--metrics-port", "9464"],
            "--metrics-port 9464 is for one account: run a process for each.",
        ),
        (["--progress", "tqdm"], "--progress tqdm is for one account"),
        (["--streams", "ticket"], "--streams ticket: there is no such stream or family."),
    ],
)
def test_what_several_accounts_cannot_have_is_refused(
    configured: dict[str, Simulator], arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.duckdb(arguments) == 2
    assert told in capsys.readouterr().err


def test_lines_of_an_account_begin_with_its_name_and_no_display_is_live(capsys: pytest.CaptureFixture[str]) -> None:
    console = AccountConsole(force_terminal=True, no_color=True)
    assert console.is_terminal
    token = label.set("acme")
    try:
        assert not console.is_terminal
        console.print("one\ntwo", highlight=False)
    finally:
        label.reset(token)
    assert capsys.readouterr().out == "acme: one\nacme: two\n"


def test_the_worst_exit_code_is_that_of_all() -> None:
    assert [worst(codes) for codes in ([0, 3, 0], [3, 1, 0], [1, 2, 3], [2, 130, 0])] == [3, 1, 2, 130]


def test_processes_that_keep_syncing_end_all_accounts_at_a_signal(configured: dict[str, Simulator], home: Path) -> None:
    arguments = ["--streams", *STREAMS, "--every", "300d", "--status-file", "status.json"]
    started = subprocess.Popen(
        [sys.executable, str(SCRIPT), *arguments],
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    files = {name: home / f"status.{name}.json" for name in configured}
    until = time.monotonic() + 60

    def ready(file: Path) -> Any:
        return file.exists() and json.loads(file.read_text())["pass"]

    while not all(map(ready, files.values())) and time.monotonic() < until:
        time.sleep(0.1)
    started.send_signal(signal.SIGTERM)
    out, err = started.communicate(timeout=60)
    assert (started.returncode, "Traceback" in err) == (143, False)
    for name, account in configured.items():
        assert re.search(rf"^{name}: \d\d:\d\d:\d\d [\d,]+ rows", out, re.M)
        assert ids(home / "zendesk.duckdb", f"zendesk_support_{name}") == known(account)
