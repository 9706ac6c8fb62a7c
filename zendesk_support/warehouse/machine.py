"""How much memory there is for this process: the machine's, or what its container or control group leaves it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")


def machine_memory() -> int:
    """Bytes of memory of this machine, or of the container or control group if that has less."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([memory, *group_limits()])


def group_limits() -> Iterator[int]:
    """The limits of this process's control groups, of version 1 and 2, and of those that they stand in."""
    for root, name, path in own_groups():
        for folder in (path, *path.parents):
            with suppress(OSError, ValueError):  # no such file, or no limit ("max")
                yield int((root / folder / name).read_text())


def own_groups() -> Iterator[tuple[Path, str, Path]]:
    """Where limits of memory may stand: mount, name of the file, path of the group; within a container it is `.`."""
    yield GROUPS, "memory.max", Path()
    yield GROUPS / "memory", "memory.limit_in_bytes", Path()
    with suppress(OSError):
        for line in OWN_GROUPS.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if not controllers:
                yield GROUPS, "memory.max", Path(path.lstrip("/"))
            elif "memory" in controllers.split(","):
                yield GROUPS / "memory", "memory.limit_in_bytes", Path(path.lstrip("/"))
