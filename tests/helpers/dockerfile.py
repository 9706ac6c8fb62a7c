"""The Dockerfile's steps, run one after the other in a folder instead of a container."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from repository import ROOT

CONTINUED = re.compile(r"\\\n\s*")
FOLDERS = ("/opt/zendesk", "/etc/zendesk", "/run/zendesk", "/build", "/data")
"""What of a container's file system the steps name."""


def steps(text: str) -> Iterator[tuple[str, str]]:
    """Instructions and what follows them."""
    for line in CONTINUED.sub("", text).splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, rest = line.partition(" ")
            yield name, rest.strip()


class Plain:
    """What the steps have made in a folder.

    Attributes:
        environment: as a container of this image has it.
        command: what it runs, and `healthcheck`, what tells whether that is well.
    """

    def __init__(self, root: Path) -> None:
        """Run the steps; groups and users are not made."""
        self.root = root
        self.environment = dict(os.environ)
        self.command: list[str] = []
        self.healthcheck: list[str] = []
        self.user = ""
        self._folder = root
        self._stages = 0
        for folder in FOLDERS:
            self.placed(folder).mkdir(parents=True)
        for name, rest in steps((ROOT / "Dockerfile").read_text()):
            self._step(name, rest)

    def placed(self, text: str) -> Path:
        """Where a path of the container is."""
        return Path(self.moved(text))

    def moved(self, text: str) -> str:
        """A text whose paths of the container lead into the folder."""
        for folder in FOLDERS:
            text = re.sub(rf"(?<![\w/]){folder}\b", f"{self.root}{folder}", text)
        return text

    def _step(self, name: str, rest: str) -> None:
        if name == "FROM":
            self._stages += 1
        elif name == "WORKDIR":
            self._folder = self.placed(rest)
        elif name == "COPY":
            self._copy(rest.split())
        elif name == "RUN" and not rest.startswith("groupadd"):
            subprocess.run(["sh", "-ec", self.moved(rest)], cwd=self._folder, check=True, capture_output=True)
        elif name == "ENV":
            for assigned in shlex.split(rest):
                key, _, value = assigned.partition("=")
                self.environment[key] = self.moved(value).replace("$PATH", os.environ["PATH"])
        elif name == "CMD":
            self.command = json.loads(self.moved(rest))
        elif name == "HEALTHCHECK":
            self.healthcheck = json.loads(self.moved(rest.partition("CMD ")[2]))
        elif name == "USER":
            self.user = rest
        elif name not in ("ARG", "RUN", "VOLUME", "STOPSIGNAL"):
            raise ValueError(f"what does {name} do?")

    def _copy(self, words: list[str]) -> None:
        """Copy what .dockerignore lets through; what comes from another stage is there."""
        if words[0].startswith("--from="):
            return
        *sources, target = words
        for source in sources:
            assert is_sent(source), f"{source} is ignored"
            place = self._folder / target / (Path(source).name if target == "./" else "")
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / source, place)


def is_sent(path: str) -> bool:
    """Whether a build gets to see a file or folder."""
    sent = True
    for line in (ROOT / ".dockerignore").read_text().split():
        if fnmatch(path, line.removeprefix("!")):
            sent = line.startswith("!")
    return sent
