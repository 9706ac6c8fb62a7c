"""Settings of the destination: misspelt, or half a connection string."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from documented import says

from zendesk_support import cli
from zendesk_support.simulator import Simulator

SECRET = "hunter-two"


def refused(arguments: list[str], destination: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What the command says, having loaded nothing."""
    assert cli.main(destination, [*arguments, "--streams", "tickets"]) == 2
    shown = capsys.readouterr()
    assert SECRET not in shown.err + shown.out
    return " ".join(shown.err.removeprefix("error: ").split())


@pytest.mark.parametrize(
    ("destination", "name", "nearest"),
    [
        ("duckdb", "CREDENTIAL", "credentials"),
        ("duckdb", "CREDENTIALS__GLOBAL_CONFG", "credentials.global_config"),
        ("postgres", "CREATE_INDEX", "create_indexes"),
        ("postgres", "CREDENTIALS__PASWORD", "credentials.password"),
        ("bigquery", "LOCATON", "location"),
        ("bigquery", "CREDENTIALS__PROJECTID", "credentials.project_id"),
    ],
)
def test_a_misspelt_setting_of_the_destination_is_refused_with_the_nearest_name(
    configured: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    destination: str,
    name: str,
    nearest: str,
) -> None:
    before = len(configured.requests())
    monkeypatch.setenv(f"DESTINATION__{destination.upper()}__{name}", SECRET)
    told = refused([], destination, capsys)
    assert says("a misspelt setting of the destination", told), told
    assert f"Did you mean {nearest}?" in told
    assert len(configured.requests()) == before


def test_a_misspelt_setting_in_a_file_is_refused(
    configured: Simulator, config_file: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    config_file("[destination.duckdb]\ncreate_indexs = true")
    told = refused([], "duckdb", capsys)
    assert told.startswith("destination.duckdb.create_indexs: there is no setting create_indexs."), told


def test_what_a_key_file_of_google_holds_is_no_misspelt_setting(
    monkeypatch: pytest.MonkeyPatch, configured: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("TYPE", "PRIVATE_KEY_ID", "AUTH_URI", "PROJECT_ID"):
        monkeypatch.setenv(f"DESTINATION__BIGQUERY__CREDENTIALS__{name}", "x")
    assert "there is no setting" not in refused([], "bigquery", capsys)


@pytest.mark.parametrize(
    ("text", "lacking"),
    [
        ("postgresql://loader@db.example.com/warehouse", "password"),
        (f"postgresql://loader:{SECRET}@db.example.com", "database"),
        ("postgresql://db.example.com", "username and password and database"),
    ],
)
def test_a_connection_string_that_lacks_a_part_is_refused(
    configured: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str, lacking: str
) -> None:
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", text)
    told = refused([], "postgres", capsys)
    assert says("half a connection string", told), told
    assert f"lacks {lacking}." in told


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"postgresql://loader:{SECRET}@{SECRET}@127.0.0.1:1/warehouse", "holds an @, which is written %40"),
        (f"postgresql://loader:{SECRET}@127.0.0.1:{SECRET}/warehouse", "look at its port"),
        (f"postgresql://loader:{SECRET}@127.0.0.1:1/warehouse?connect_timeout={SECRET}", "No connection to Postgres"),
    ],
)
def test_a_connection_string_that_is_wrong_somewhere_is_refused_without_a_secret(
    configured: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str, expected: str
) -> None:
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", text)
    assert expected in refused([], "postgres", capsys)


def test_a_part_that_is_missing_beside_others_is_named(
    configured: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("HOST", "USERNAME", "PASSWORD"):
        monkeypatch.setenv(f"DESTINATION__POSTGRES__CREDENTIALS__{name}", SECRET)
    told = refused([], "postgres", capsys)
    assert told.startswith("DESTINATION__POSTGRES__CREDENTIALS__DATABASE is not set, beside username, password, host.")


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("DESTINATION__DUKDB__CREDENTIALS", "destination.duckdb"),
        ("SOURCES__ZENDESK_SUPORT__START_DATE", "sources.zendesk_support"),
    ],
)
def test_a_misspelt_section_is_refused(
    configured: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, nearest: str
) -> None:
    monkeypatch.setenv(name, "2020-01-01")
    assert f"Did you mean {nearest}?" in refused([], "duckdb", capsys)


def test_a_section_that_is_named_after_ours_is_left_alone(
    configured: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__ZENDESK_SUPPORT_EU__START_DATE", "2020-01-01")
    assert cli.duckdb(["--streams", "groups", "-q"]) == 0


def test_a_name_that_is_like_no_other_gets_no_suggestion(
    configured: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DESTINATION__DUCKDB__ZZZZ", "1")
    told = refused([], "duckdb", capsys)
    assert "there is no setting zzzz. a DuckDB file's settings" in told


def test_the_file_that_dlts_own_setting_names_is_loaded(
    configured: Simulator, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", "other.duckdb")
    assert cli.duckdb(["--streams", "groups", "-q"]) == 0
    assert (home / "other.duckdb").exists()
    assert not (home / "zendesk.duckdb").exists()


@pytest.mark.parametrize("text", [f"mysql://loader:{SECRET}@db.example.com/warehouse", SECRET])
def test_a_connection_string_of_another_database_is_refused(
    configured: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", text)
    told = refused([], "postgres", capsys)
    assert says("a connection string of another database", told), told
