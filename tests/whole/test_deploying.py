"""What docs/containers.md offers: the files are well-formed, agree with each other, and hold no credentials."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from dockerfile import is_sent, steps
from postgres_server import PostgresServer
from repository import ROOT
from support import assert_counted, environment_of

from zendesk_support.simulator import Simulator

DEPLOY = ROOT / "deploy"
DOCKERFILE = [*steps((ROOT / "Dockerfile").read_text())]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
BIN = Path(sys.executable).parent
STREAMS = ("tickets", "users", "groups", "macros")


def pins(path: Path) -> set[str]:
    """Each version of a file with its hashes; where it is for is told more shortly where fewer packages ask for it."""
    return {re.sub(r" ; .*", " \\\\", part.strip()) for part in re.split(r"\n(?=\S)", path.read_text())}


def value(name: str) -> str:
    """What follows an instruction of the Dockerfile's last stage."""
    return [rest for found, rest in DOCKERFILE if found == name][-1]


@pytest.mark.parametrize("name", ["requirements.txt", "build.txt"])
def test_the_image_has_what_the_tests_have(name: str) -> None:
    """The versions and hashes are those of constraints.txt."""
    here, pinned = pins(DEPLOY / name), pins(ROOT / "constraints.txt")
    assert here
    assert here <= pinned


def test_the_compose_file_is_one() -> None:
    command = [BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", ROOT / "compose.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_compose_and_dockerfile_agree() -> None:
    service = COMPOSE["services"]["zendesk"]
    environment = dict(word.split("=", 1) for word in value("ENV").split())
    [secret] = service["secrets"]
    assert Path(secret["target"]) == Path(environment["DLT_CONFIG_FOLDER"]) / "secrets.toml"
    assert [volume.split(":")[1] for volume in service["volumes"]] == [value("VOLUME")]
    assert Path(environment["DLT_DATA_DIR"]).is_relative_to(value("VOLUME"))
    user, group = value("USER").split(":")
    [status] = re.findall(r'"(/run/\S+/status.json)"', value("CMD"))
    assert f"{Path(status).parent}:uid={user},gid={group},mode=0755" in service["tmpfs"]
    assert f'"{status}"' in value("HEALTHCHECK")
    assert user != "0"


def test_no_credential_stands_in_the_files_and_none_gets_into_an_image() -> None:
    for service in COMPOSE["services"].values():
        named = [name for name in service["environment"] if re.search("PASSWORD|SECRET|TOKEN", name)]
        assert all(name.endswith("_FILE") for name in named)
    assert not any(is_sent(path) for path in ("secrets.toml", "postgres_password", ".env", ".dlt", ".git"))
    files = [secret["file"].removeprefix("./") for secret in COMPOSE["secrets"].values()]
    assert {f"/{name}" for name in [*files, ".env"]} <= set((ROOT / ".gitignore").read_text().split())


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd is installed here")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    """The program they start is another one, which is there."""
    units = []
    for path in [*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")]:
        units.append(tmp_path / path.name)
        units[-1].write_text(re.sub(r"ExecStart=\S+", f"ExecStart={sys.executable}", path.read_text()))
    assert len(units) == 3
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_line_for_cron_loads(tmp_path: Path, account: Simulator, postgres: PostgresServer) -> None:
    [line] = [text for text in (DEPLOY / "zendesk.cron").read_text().splitlines() if " * * " in text]
    user, command = line.split(maxsplit=6)[5:]
    assert user == "zendesk"
    assert "%" not in command  # cron takes it for the end of a line
    home = {"/var/lib/zendesk": "home", "/etc/zendesk": "settings"}
    for folder, name in home.items():
        (tmp_path / name).mkdir()
        command = command.replace(folder, str(tmp_path / name))
    settings = environment_of(account, STREAMS__LOAD=json.dumps(STREAMS))
    settings |= {"DESTINATION__POSTGRES__CREDENTIALS": postgres.url, "DLT_DATA_DIR": "dlt"}
    lines = [f"{name}='{given}'" for name, given in settings.items()]
    (tmp_path / "settings" / "environment").write_text("\n".join(lines))
    for schema in ("zendesk_support", "zendesk_support_staging"):  # another test of this server may have left them
        postgres.query(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    done = subprocess.run(
        ["/bin/sh", "-c", command.replace("/opt/zendesk/bin", str(BIN))],
        env={"PATH": os.defpath, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert_counted(postgres, "zendesk_support", account, *STREAMS)
