"""`--every`: one process that keeps syncing, what it tells of itself, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest
import requests
from repository import ROOT
from support import environment_of, truth

from zendesk_support import cli
from zendesk_support.simulator import Simulator

SCRIPT = ROOT / "pipelines" / "zendesk_to_duckdb.py"
STREAMS = ("tickets", "ticket_comments", "ticket_metrics", "users", "macros")
PATIENCE = 60


@contextmanager
def process(account: Simulator, *arguments: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """The script at work, as a supervisor starts it."""
    given = [sys.executable, str(SCRIPT), "--streams", *STREAMS, "--dataset", "warehouse", *arguments]
    environment = {**os.environ, **environment_of(account, **settings)}
    started = subprocess.Popen(
        given, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield started
    finally:
        if started.poll() is None:
            started.kill()
        started.communicate()


def until(found: Callable[[], Any]) -> Any:
    """What is found, once it is."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.05)
    raise AssertionError("it did not come")


def told_by(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.exists() else {"pass": None, "streams": {}}


def succeeded(path: Path) -> set[str]:
    return {name for name, told in told_by(path)["streams"].items() if told["last_success"]}


def number(text: str, name: str, **labels: str) -> float:
    """A metric's value; 0 where it is not there yet."""
    listed = "{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "}" if labels else ""
    found = re.search(rf"^zendesk_support_{re.escape(name + listed)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_a_process_keeps_syncing_tells_of_it_and_ends_at_a_signal(home: Path, account: Simulator) -> None:
    status = home / "status.json"
    with process(account, "--every", "10m", "--status-file", str(status), "--metrics-port", "0") as running:
        assert running.stdout is not None
        address = until(lambda: re.search(r"http://127\.0\.0\.1:\d+/metrics", running.stdout.readline()))[0]
        until(
            lambda: set(STREAMS) <= {name for name, told in told_by(status)["streams"].items() if told["last_success"]}
        )

        def rows() -> float:
            return number(requests.get(address, timeout=5).text, "rows_total", stream="ticket_comments")

        before = rows()
        assert before > 0
        account.mutate("update_tickets", count=3)
        account.advance(120)
        until(lambda: rows() > before)
        metrics = requests.get(address, timeout=5).text
        assert number(metrics, "passes_total") > 1
        assert number(metrics, "requests_total", stream="tickets") > 1
        assert abs(number(metrics, "last_success_timestamp_seconds", stream="tickets") - time.time()) < PATIENCE
        until(lambda: told_by(status)["pass"]["rows"] == 0)
        running.send_signal(signal.SIGTERM)
        out, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == 143
    assert "SIGTERM: stopping" in err
    assert "Traceback" not in err
    assert re.search(r"^\d\d:\d\d:\d\d [\d,]+ rows \(.*ticket_comments \d+.*\), \d+ requests, \d+\.\d s$", out, re.M)
    told = told_by(status)
    assert (told["process"], told["every"], told["pass"]["error"]) == (running.pid, 600, None)
    assert {name: found["status"] for name, found in told["streams"].items()} == dict.fromkeys(STREAMS, "loaded")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_wait_at_once_and_all_is_loaded(home: Path, account: Simulator, number: int) -> None:
    status = home / "status.json"
    with process(account, "--every", "300d", "--status-file", str(status)) as running:
        until(lambda: told_by(status)["pass"])
        began = time.monotonic()
        running.send_signal(number)
        _, err = running.communicate(timeout=PATIENCE)
        assert time.monotonic() - began < 20
    assert (running.returncode, "Traceback" in err) == (128 + number, False)
    with closing(duckdb.connect("zendesk.duckdb", read_only=True)) as connection:
        for name in STREAMS:
            assert connection.execute(f"SELECT count(*) FROM warehouse.{name}").fetchall() == [
                (len(truth(account, name)),)
            ]


def test_a_signal_ends_a_pass_at_a_page_and_the_next_process_goes_on(
    home: Path, simulate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = simulate(tickets=300)
    account.fault("heavy_page", route="incremental_*", per_page=70, times=None)
    account.fault("slow", route="incremental_*", seconds=0.3, times=None)
    with process(account, "--every", "10m") as running:
        until(lambda: len(account.requests()) > 8)
        running.send_signal(signal.SIGTERM)
        _, err = running.communicate(timeout=PATIENCE)
    assert (running.returncode, "Traceback" in err) == (143, False)
    account.clear_faults()
    for name, value in environment_of(account).items():
        monkeypatch.setenv(name, value)
    assert cli.duckdb(["--streams", *STREAMS, "--dataset", "warehouse", "--quiet"]) == 0


def test_wrong_credentials_end_it_with_2(account: Simulator) -> None:
    with process(account, "--every", "1m", CREDENTIALS__CLIENT_SECRET="wrong") as running:
        _, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == 2
    assert "Zendesk refused the client_credentials grant" in err


def test_credentials_that_are_revoked_later_end_it_with_2(home: Path, account: Simulator) -> None:
    status = home / "status.json"
    with process(account, "--every", "10m", "--status-file", str(status)) as running:
        until(lambda: told_by(status)["pass"])
        account.fault("status", status=401, body='{"error": "invalid_token"}', route="*", times=None)
        _, err = running.communicate(timeout=PATIENCE)
    assert (running.returncode, "Traceback" in err) == (2, False)
    assert "Zendesk refused" in err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--every", "often"], '--every = "often" is not a duration'),
        (["--every", "1m", "--max-minutes", "5"], "--max-minutes is for a single run, and goes with no --every."),
        (["--every", "1m", "--end-date", "2026-01-01"], "--end-date is for a single run, and goes with no --every."),
        (["--every", "1m", "--full-refresh"], "--full-refresh and --every do not go together."),
        (["--every", "1m", "--check"], "--check and --every do not go together."),
        (["--status-file", "x"], "--status-file is for --every. Example: --every 1m --status-file /run/zendesk.json"),
        (["--metrics-port", "1"], "--metrics-port is for --every. Example: --every 1m --metrics-port 9464"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.duckdb(arguments) == 2
    assert expected in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--status-file", "nowhere/status.json"], "--status-file nowhere/status.json cannot be written: No such file"),
        (["--metrics-port", "99999999"], "--metrics-port 99999999: "),
    ],
)
def test_what_cannot_be_told_is_refused_before_the_first_request(
    configured: Simulator, arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.duckdb(["--every", "1m", *arguments]) == 2
    assert expected in " ".join(capsys.readouterr().err.split())
    assert configured.requests() == []
