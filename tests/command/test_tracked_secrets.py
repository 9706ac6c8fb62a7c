"""Credentials in a file that git tracks are warned of once; wherever else they come from, nothing is said."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from documented import says

from zendesk_support import cli
from zendesk_support.command.tracked_secrets import holds_credentials
from zendesk_support.simulator import Simulator

ARGUMENTS = ("--streams", "groups", "--progress", "off")


@pytest.fixture
def told(
    home: Path,
    configured: Simulator,
    config_file: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., str]:
    """What a run prints as errors, its credentials in a file that git tracks or does not."""

    def run(tracked: bool) -> str:
        lines = ["[sources.zendesk_support.credentials]"]
        for name in ("client_id", "client_secret"):
            monkeypatch.delenv(f"SOURCES__ZENDESK_SUPPORT__CREDENTIALS__{name.upper()}")
            lines.append(f'{name} = "{configured.credentials[name]}"')
        config_file("\n".join(lines), "secrets.toml")
        subprocess.run(["git", "init", "-q", str(home)], check=True)
        if tracked:
            subprocess.run(["git", "-C", str(home), "add", ".dlt/secrets.toml"], check=True)
        assert cli.duckdb(ARGUMENTS) == 0
        return capsys.readouterr().err

    return run


def test_credentials_that_git_tracks_are_warned_of(told: Callable[..., str], configured: Simulator) -> None:
    warning = told(tracked=True)
    assert says("credentials in a file that git tracks", warning), warning
    assert configured.credentials["client_secret"] not in warning


def test_credentials_in_a_file_of_ones_own_are_not(told: Callable[..., str]) -> None:
    assert "git" not in told(tracked=False)


@pytest.mark.parametrize(
    ("line", "holds"),
    [('hash_salt = "0123456789abcdef"', True), ('hash_salt = ""', False), ('subdomain = "acme"', False)],
)
def test_the_salt_of_hashes_counts_as_one(tmp_path: Path, line: str, holds: bool) -> None:
    file = tmp_path / "secrets.toml"
    file.write_text(f"[sources.zendesk_support]\n{line}\n")
    assert holds_credentials(file) is holds
