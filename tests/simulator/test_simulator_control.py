"""The simulator from another process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from repository import ROOT
from simulator_client import Client

from zendesk_support.simulator import RemoteSimulator, Simulator
from zendesk_support.simulator.__main__ import main


@pytest.fixture(scope="module")
def remote() -> Iterator[RemoteSimulator]:
    """A simulator in its own process."""
    command = [
        sys.executable,
        "-m",
        "zendesk_support.simulator",
        "--tickets",
        "60",
        "--now",
        "1790000000",
        "--clock-scale",
        "60",
        "--size",
        "users=40",
        "--limit",
        "account=500",
        "--gate",
        "ticket_forms=403",
        "--chat-login",
        "own",
        "--chat-host",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout
    line = process.stdout.readline()
    assert line.startswith("simulator ready at http://127.0.0.1:")
    yield RemoteSimulator(line.split()[-1])
    process.terminate()
    assert process.wait(timeout=10) == 0
    process.stdout.close()


def test_it_agrees_with_one_in_this_process(remote: RemoteSimulator) -> None:
    sim = Simulator(tickets=60, now=1_790_000_000, users=40)
    assert remote.streams() == sim.streams()
    assert remote.mutations() == sim.mutations()
    assert remote.routes() == sim.routes()
    assert remote.truth("tickets") == sim.truth("tickets")
    assert remote.truth("users", ["id"]) == [{"id": row["id"]} for row in sim.truth("users")]
    assert remote.credentials == sim.credentials


def test_everything_can_be_done_from_outside(remote: RemoteSimulator) -> None:
    client = Client(remote)  # type: ignore[arg-type]
    remote.reset_requests()
    assert client.get("/api/v2/groups").status == 200
    assert client.get("/api/v2/ticket_forms").status == 403
    assert [entry["route"] for entry in remote.requests()] == ["groups", "ticket_forms"]
    remote.fault("status", route="groups", status=502)
    assert client.get("/api/v2/groups").status == 502
    remote.clear_faults()
    before = remote.now()
    remote.advance(1000)
    assert remote.now() >= before + 1000
    made = remote.mutate("update_tickets", count=2)["ids"]
    assert len(made) == 2
    remote.on_request(1, "update_users")
    assert client.get("/api/v2/groups").status == 200
    assert 0 <= remote.use_quota("account", 3) < 500
    assert len(remote.brand_urls) == 2
    assert remote.base_url == remote.brand_urls[0]
    token = f"Bearer {remote.credentials['chat_access_token']}"
    assert client.get(f"{remote.chat_url}/roles", auth=token).json == remote.truth("chat_roles")
    assert client.get("/api/v2/chat/roles").status == 401
    with pytest.raises(ValueError, match="unknown mutation"):
        remote.mutate("nonsense")
    client.close()


def test_a_client_can_end_it() -> None:
    command = [sys.executable, "-m", "zendesk_support.simulator", "--tickets", "50"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout
        RemoteSimulator(process.stdout.readline().split()[-1]).shutdown()
        assert process.wait(timeout=10) == 0


def test_an_unknown_family_to_leave_out_is_refused_with_those_that_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["--without", "talk, chatt"])
    assert refused.value.code == 2
    told = capsys.readouterr().err
    assert "usage: python -m zendesk_support.simulator" in told
    assert "--without: unknown family 'chatt'; the families are tickets, " in told


def test_families_to_leave_out_are_named_with_commas_or_blanks(monkeypatch: pytest.MonkeyPatch) -> None:
    class Made(Exception):
        """What a simulator would be made with."""

    def make(*_: Any, **options: Any) -> None:
        raise Made(options["without"])

    monkeypatch.setattr("zendesk_support.simulator.__main__.Simulator", make)
    for text in ("talk, chat", "talk,chat", " talk  chat "):
        with pytest.raises(Made) as made:
            main(["--without", text])
        assert made.value.args == (("talk", "chat"),)
