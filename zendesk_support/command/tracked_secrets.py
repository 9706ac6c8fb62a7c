"""Finds credentials in files that git tracks: the next push would publish them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import dlt
import tomlkit
from tomlkit.exceptions import TOMLKitError

from zendesk_support.loading.setting_names import leaves

SECONDS = 5
SECRETS = ("hash_salt", "access_token")


def tracked_secrets() -> list[Path]:
    """Configuration files of this run that hold credentials and are tracked by git; empty where there is no git."""
    return [file for file in files() if holds_credentials(file) and is_tracked(file)]


def files() -> Iterator[Path]:
    """The configuration files that dlt reads."""
    for provider in dlt.config.config_providers:
        yield from map(Path, getattr(provider, "present_locations", ()))


def holds_credentials(file: Path) -> bool:
    """Whether a value is set in a section of credentials, the salt of hashes, or a token elsewhere."""
    try:
        tree = tomlkit.parse(file.read_text(encoding="utf-8")).unwrap()
    except (OSError, ValueError, TOMLKitError):
        return False
    secrets = (value for path, value in leaves(tree, ()) if "credentials" in path or path[-1] in SECRETS)
    return any(value not in ("", None) for value in secrets)


def is_tracked(file: Path) -> bool:
    """Whether git tracks a file."""
    command = ["git", "-C", str(file.parent), "ls-files", "--error-unmatch", file.name]
    try:
        return subprocess.run(command, capture_output=True, timeout=SECONDS, check=False).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False
