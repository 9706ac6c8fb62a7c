"""What a process that keeps syncing tells of itself: a file for health checks, and numbers for Prometheus."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

from zendesk_support.command.console import warn
from zendesk_support.errors import ConfigurationError
from zendesk_support.loading.account import Account
from zendesk_support.report import Report, now

LOOPBACK = "127.0.0.1"


class StatusFile:
    """A JSON file that says when the last pass was, and when each stream was last read to its end."""

    def __init__(self, path: Path, every: float) -> None:
        """Begin.

        Raises:
            ConfigurationError: it cannot be written.
        """
        self._path = path
        self._told: dict[str, Any] = {"process": os.getpid(), "every": every, "pass": None, "streams": {}}
        try:
            self._write()
        except OSError as error:
            raise ConfigurationError(f"--status-file {path} cannot be written: {error.strerror}.") from None

    def add(self, report: Report, began: datetime) -> None:
        """Tell of a pass."""
        streams = self._told["streams"]
        for name, told in report.streams.items():
            known = streams.setdefault(name, {"status": None, "last_success": None, "message": None})
            if told.status == "loaded" and report.error is None:
                known["last_success"] = (told.finished_at or now()).isoformat()
            if told.status != "not due":
                known |= {"status": told.status, "message": told.message}
        self._told["pass"] = {
            "began": began.isoformat(),
            "ended": now().isoformat(),
            "rows": sum(told.rows for told in report.streams.values()),
            "error": str(report.error) if report.error is not None else None,
        }
        try:
            self._write()
        except OSError as error:
            warn(f"--status-file {self._path} cannot be written: {error.strerror}")

    def _write(self) -> None:
        """Put a whole new file in the place of the old one: who reads it never finds half of one."""
        beside = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        beside.write_text(json.dumps(self._told, indent=2) + "\n")
        beside.replace(self._path)


class Metrics:
    """Numbers in Prometheus' text format, at a port of this machine alone."""

    def __init__(self, port: int, account: Account) -> None:
        """Serve them.

        Raises:
            ConfigurationError: the port is taken, or no port.
        """
        from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

        self._account = account
        self._waited: defaultdict[str, float] = defaultdict(float)
        registry = CollectorRegistry()

        def made(kind: Any, name: str, told: str, *labels: str) -> Any:
            return kind(f"zendesk_support_{name}", told, labels, registry=registry)

        self._passes = made(Counter, "passes", "Passes that came to their end")
        self._failed_passes = made(Counter, "failed_passes", "Passes whose rows could not be loaded")
        self._last_pass = made(Gauge, "last_pass_timestamp_seconds", "When the last pass ended, Unix seconds")
        self._success = made(Gauge, "last_success_timestamp_seconds", "When a stream was last read whole", "stream")
        self._rows = made(Counter, "rows", "Rows handed to the destination", "stream")
        self._requests = made(Counter, "requests", "Requests sent; a shared pass counts for its first stream", "stream")
        self._failures = made(Counter, "failures", "Passes over a stream that failed", "stream")
        self._quota = made(Counter, "quota_waited_seconds", "Seconds that requests waited for a limit", "limit")
        try:
            self._server, self._thread = start_http_server(port, LOOPBACK, registry)
        except (OSError, OverflowError) as error:
            told = getattr(error, "strerror", None) or error
            raise ConfigurationError(
                f"--metrics-port {port}: {told}. Example: --metrics-port 9464, where no other program has it."
            ) from None

    @property
    def port(self) -> int:
        """Where they are served."""
        return int(self._server.server_port)

    def add(self, report: Report, began: datetime) -> None:
        """Count a pass."""
        (self._failed_passes if report.error is not None else self._passes).inc()
        self._last_pass.set(now().timestamp())
        for name, told in report.streams.items():
            if told.status == "not due":
                continue
            self._requests.labels(name).inc(told.requests)
            self._rows.labels(name).inc(told.rows if report.error is None else 0)
            self._failures.labels(name).inc(told.status == "failed")
            if told.status == "loaded" and report.error is None:
                self._success.labels(name).set((told.finished_at or now()).timestamp())
        for limit, seconds in self._account.limiter.waited().items():
            self._quota.labels(limit).inc(seconds - self._waited[limit])
            self._waited[limit] = seconds

    def close(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
