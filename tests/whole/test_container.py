"""The Dockerfile: its steps in a folder, and its image where buildah is installed, at work with Postgres."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from dockerfile import Plain
from postgres_server import PostgresServer
from repository import ROOT
from support import assert_counted, environment_of

from zendesk_support.simulator import Simulator

pytestmark = pytest.mark.container
PATIENCE = 120
STREAMS = ("tickets", "users", "groups", "macros")
IMAGE = "zendesk-support-dlt-of-the-tests"
BUILDAH = shutil.which("buildah")
CERTIFICATES = "/etc/ssl/certs:/etc/ssl/certs:ro"
"""A build asks the package index as this machine does."""


def settings(account: Simulator, server: PostgresServer) -> dict[str, str]:
    """The environment of compose.yaml, and what differs with the tests' account and server; passwords are apart."""
    given = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["zendesk"]["environment"]
    port = re.search(r":(\d+)/", server.url)
    assert port is not None
    own = {"HOST": "127.0.0.1", "PORT": port[1], "DATABASE": "postgres"}
    changed = {f"DESTINATION__POSTGRES__CREDENTIALS__{name}": value for name, value in own.items()}
    simulated = environment_of(account, STREAMS__LOAD='["tickets", "users", "groups", "macros"]')
    ours = {**given, **changed, **simulated}
    return {name: value for name, value in ours.items() if not name.endswith(("SUBDOMAIN", "CLIENT_SECRET"))}


def secrets(account: Simulator) -> str:
    """What stands in secrets.toml."""
    return (
        f'[sources.zendesk_support.credentials]\nclient_secret = "{account.credentials["client_secret"]}"\n\n'
        '[destination.postgres.credentials]\npassword = "any"\n'
    )


def until(found: Callable[[], Any], process: subprocess.Popen[str]) -> None:
    """Wait for something."""
    end = time.monotonic() + PATIENCE
    while not found():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.5)


@contextmanager
def started(command: list[str], environment: Mapping[str, str], folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process; it ends with the test."""
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, env=dict(environment), cwd=folder, **pipes)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_the_steps_make_what_syncs_is_well_and_ends_at_sigterm(account: Simulator, postgres: PostgresServer) -> None:
    with tempfile.TemporaryDirectory(prefix="zendesk-image-") as folder:
        made = Plain(Path(folder))
        made.placed("/etc/zendesk/secrets.toml").write_text(secrets(account))
        environment = {**made.environment, **settings(account, postgres)}
        program = shutil.which(made.command[0], path=environment["PATH"])
        assert program is not None
        assert Path(program).is_relative_to(made.root)

        def is_well() -> bool:
            done = subprocess.run([*made.healthcheck], env=environment, capture_output=True, timeout=60)
            return done.returncode == 0

        made.healthcheck[0] = str(Path(program).with_name(made.healthcheck[0]))
        assert not is_well()
        with started([program, *made.command[1:]], environment, made.placed("/data")) as process:
            until(is_well, process)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=PATIENCE)
        assert process.returncode == 143
        assert_counted(postgres, "zendesk_support", account, *STREAMS)
        assert list(made.placed("/data/dlt/pipelines").iterdir())


class Container:
    """A container of the image; its processes are this machine's, without a name space of their own."""

    def __init__(self, image: str) -> None:
        self._name = self.buildah("from", image)

    @staticmethod
    def buildah(*arguments: str) -> str:
        """What buildah prints."""
        command = ["buildah", *arguments]
        environment = {**os.environ, "BUILDAH_ISOLATION": "chroot"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1800)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout.strip()

    def command(self, *words: str, **environment: str) -> list[str]:
        """What runs something in it as its user."""
        given = [f"--env={name}={value}" for name, value in environment.items()]
        return ["buildah", "run", "--isolation=chroot", "--network=host", *given, self._name, "--", *words]

    def run(self, *words: str, **environment: str) -> str:
        done = subprocess.run(self.command(*words, **environment), capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def put(self, file: Path, place: str) -> None:
        self.buildah("copy", "--chown=10001", self._name, str(file), place)

    def close(self) -> None:
        self.buildah("rm", self._name)


@pytest.fixture(scope="module")
def container() -> Iterator[Container]:
    if BUILDAH is None:
        pytest.skip("buildah is not installed here")
    options = ["--network=host", f"--volume={CERTIFICATES}", "--format=docker", "--layers", f"--tag={IMAGE}"]
    Container.buildah("bud", *options, str(ROOT))
    made = Container(IMAGE)
    yield made
    made.close()


def test_the_image_runs_as_nobody_much_and_writes_to_its_volume_alone(container: Container) -> None:
    assert container.run("id", "-u") == "10001"
    assert (
        container.run("sh", "-c", "for place in / /opt/zendesk /etc; do test -w $place && echo $place; done; true")
        == ""
    )
    assert container.run("sh", "-c", "test -w /data && test -w /run/zendesk && pwd") == "/data"
    assert container.run("sh", "-c", "command -v pip pip3 || echo none") == "none"


def test_the_image_runs_the_demo(container: Container) -> None:
    shown = container.run("zendesk-to-duckdb", "--demo", "--streams", "tickets", "users")
    assert "The account changes" in shown


def test_the_image_syncs_is_well_and_ends_at_sigterm(
    tmp_path: Path, container: Container, account: Simulator, postgres: PostgresServer
) -> None:
    (tmp_path / "secrets.toml").write_text(secrets(account))
    container.put(tmp_path / "secrets.toml", "/etc/zendesk/secrets.toml")
    check = container.command("zendesk-healthy", "/run/zendesk/status.json")

    def is_well() -> bool:
        return subprocess.run(check, capture_output=True, timeout=60).returncode == 0

    assert not is_well()
    command = ("zendesk-to-postgres", "--every", "1m", "--status-file", "/run/zendesk/status.json")
    dataset = ("--dataset", "of_a_container")
    with started(container.command(*command, *dataset, **settings(account, postgres)), os.environ, tmp_path) as process:
        until(is_well, process)
        told = yaml.safe_load(container.run("cat", "/run/zendesk/status.json"))
        os.kill(told["process"], signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 143
    assert_counted(postgres, "of_a_container", account, *STREAMS)
