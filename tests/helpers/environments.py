"""Virtual environments for programs that cannot share ours, made once and kept."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from filelock import FileLock


def kept_in(config: pytest.Config, name: str) -> Path:
    """The folder for environments of one kind: `ZENDESK_<NAME>`, or one in pytest's cache."""
    given = os.environ.get(f"ZENDESK_{name.upper()}")
    if given:
        return Path(given)
    assert config.cache is not None
    return Path(config.cache.mkdir(name))


def environment(
    place: Path, packages: Sequence[str], interpreter: str = sys.executable, alone: Sequence[str] = ()
) -> Path:
    """The Python of an environment that has these packages; made if it is not there, or has others.

    Args:
        place: folder of the environment.
        packages: requirements as pip takes them, options among them.
        interpreter: the Python to make it with.
        alone: requirements that are installed without what they ask for.
    """
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    note = place / "installed.txt"
    wanted = "\n".join([*packages, *alone])
    place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(place.with_suffix(".lock")):
        if not note.exists() or note.read_text() != wanted:
            if uv := shutil.which("uv"):
                make, install = [uv, "venv", "-q", "--clear", "-p", interpreter], [uv, "pip", "install", "-qp", python]
            else:
                make, install = [interpreter, "-m", "venv", "--clear"], [python, "-m", "pip", "install", "-qq"]
            subprocess.run([*make, place], check=True)
            subprocess.run([*install, *packages], check=True)
            if alone:
                subprocess.run([*install, "--no-deps", *alone], check=True)
            note.write_text(wanted)
    return python


def printed(command: Sequence[str | Path], environment: Mapping[str, str], folder: Path) -> str:
    """What a command prints, errors too; it must succeed."""
    done = subprocess.run(
        command,
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
