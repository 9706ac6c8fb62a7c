"""Scripts in processes of their own that need not import anything: each is a fork of one that has done so."""

from __future__ import annotations

import gc
import multiprocessing
import os
import runpy
import signal
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path

IMPORTED = ["forked", "zendesk_support.cli", "dlt.destinations.impl.duckdb.duck", "pyarrow.parquet"]
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(IMPORTED)


def run(script: str, arguments: Sequence[str], environment: Mapping[str, str], folder: str, output: str) -> None:
    """Be a Python that runs a script."""
    gc.freeze()
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = [script, *arguments]
    runpy.run_path(script, run_name="__main__")


class Forked:
    """A process that runs a script, as `subprocess.Popen` would have it, with both outputs in one text."""

    def __init__(self, script: Path, arguments: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        self._output = folder / f"output {os.urandom(4).hex()}"
        given = (str(script), list(arguments), dict(environment), str(folder), str(self._output))
        self._process: ForkServerProcess = CONTEXT.Process(target=run, args=given)
        self._process.start()

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self._process.pid or 0, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str, None]:
        """What it printed, once it has ended."""
        self._process.join(timeout)
        assert self.poll() is not None, f"{timeout} seconds were not enough"
        return self._output.read_text() if self._output.exists() else "", None
