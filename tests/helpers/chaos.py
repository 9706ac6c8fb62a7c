"""Syncs as users run them, in a process of their own, that are killed at chosen moments."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import dlt
from dlt.pipeline.pipeline import Pipeline
from forked import Forked
from repository import ROOT
from support import assert_whole, environment_of

from zendesk_support.simulator import Simulator
from zendesk_support.simulator.server.contrary import HOWS

SCRIPT = ROOT / "pipelines" / "zendesk_to_duckdb.py"
STAGES = ("extract", "normalize", "load")
PATIENCE = 300.0

MUTATIONS: tuple[tuple[str, dict[str, object]], ...] = (
    ("update_tickets", {"count": 12}),
    ("system_update_tickets", {"count": 5}),
    ("create_tickets", {"count": 6}),
    ("delete_tickets", {"count": 2}),
    ("redact_comments", {"count": 2}),
    ("make_comments_private", {"count": 1}),
    ("bulk_update", {"count": 60}),
    ("update_users", {"count": 4}),
    ("create_users", {"count": 3}),
    ("update_organizations", {"count": 2}),
    ("update_rows", {"stream": "macros"}),
    ("remove_rows", {"stream": "group_memberships"}),
    ("create_rows", {"stream": "organization_memberships"}),
    ("update_rows", {"stream": "articles"}),
    ("archive_articles", {}),
    ("vote_articles", {"count": 2}),
    ("remove_rows", {"stream": "user_identities"}),
    ("log_audits", {}),
    ("create_custom_object_records", {"count": 4}),
    ("update_custom_object_records", {"count": 5}),
    ("delete_custom_object_records", {"count": 3}),
    ("send_surveys", {"count": 4}),
    ("answer_surveys", {"count": 3}),
    ("create_side_conversations", {"count": 2}),
    ("reply_side_conversations", {"count": 2}),
    ("late_row", {"stream": "tickets", "age": 90}),
    ("late_row", {"stream": "users", "age": 300}),
    ("late_row", {"stream": "organizations", "age": 30}),
    ("late_row", {"stream": "ticket_events", "age": 300}),
)

BROKEN: tuple[tuple[str, dict[str, object]], ...] = (
    ("reset", {}),
    ("empty", {}),
    ("html", {}),
    ("truncate", {}),
    ("truncated_json", {}),
    ("bad_gzip", {}),
    ("cut_chunk", {}),
    ("expire_token", {}),
    ("invalid_cursor", {"route": "incremental_tickets_cursor"}),
    ("heavy_page", {"route": "incremental_*", "per_page": 500}),
    ("start_time_too_recent", {"route": "incremental_*"}),
)
"""Answers that are none, or cut, or take something back."""
FAULTS: tuple[tuple[str, dict[str, object]], ...] = (
    ("status", {"status": 500}),
    ("status", {"status": 502}),
    ("status", {"status": 503}),
    ("status", {"status": 400}),
    ("status_429", {"retry_after": "5"}),
    *BROKEN,
    # Rows stamped ahead are left out: the tables would hold what the answers said, and not what the account has.
    *(("contrary", {"how": how}) for how in HOWS if how != "ahead"),
    ("emptied", {"route": "group_memberships"}),
    ("without", {"route": "incremental_users_cursor", "key": "identities"}),
    ("status", {"status": 403, "route": "/api/v2/help_center/*", "brand": 1}),
)


def is_expected(code: int, printed: str) -> bool:
    """Whether a sync ended as one may in all this: loaded, incomplete, killed, or its token request refused (400)."""
    return code in (0, 1, -signal.SIGKILL) or (code == 2 and "Zendesk refused the client_credentials grant" in printed)


class Syncs:
    """A pipeline into a DuckDB file, run by its script."""

    def __init__(self, account: Simulator, folder: Path, streams: Sequence[str] = (), **settings: str) -> None:
        self.account = account
        self.folder = folder
        self.arguments = ["--progress", "off", *(["--streams", *streams] if streams else [])]
        self.environment = {
            **os.environ,
            "DLT_DATA_DIR": str(folder / "dlt"),
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            **environment_of(account, CHECKPOINT_MINUTES="0.02", **settings),
        }

    @property
    def working_dir(self) -> Path:
        return self.folder / "dlt" / "pipelines" / "zendesk_support"

    @property
    def pipeline(self) -> Pipeline:
        """The pipeline as its last run left it."""
        return dlt.pipeline(
            "zendesk_support",
            pipelines_dir=str(self.folder / "dlt" / "pipelines"),
            destination=dlt.destinations.duckdb(str(self.folder / "zendesk.duckdb")),
            dataset_name="zendesk_support",
        )

    def start(self, *arguments: str) -> Forked:
        return Forked(SCRIPT, [*self.arguments, *arguments], self.environment, self.folder)

    def run(self, *arguments: str) -> tuple[int, str]:
        """A whole sync: its exit code and what it printed."""
        process = self.start(*arguments)
        try:
            printed, _ = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
        return process.returncode, printed

    def complete(self, attempts: int = 4) -> None:
        """Sync until one says that everything is loaded."""
        printed = ""
        for _ in range(attempts):
            code, printed = self.run()
            if code == 0:
                return
        raise AssertionError(f"no sync was complete in {attempts} attempts; the last said:\n{printed}")

    def stop(self, when: Callable[[], bool], number: signal.Signals = signal.SIGKILL) -> tuple[int, str]:
        """A sync that gets a signal at some moment; its exit code (0 where it ended before) and what it printed."""
        process = self.start()
        deadline = time.monotonic() + PATIENCE
        try:
            while process.poll() is None and not when() and time.monotonic() < deadline:
                time.sleep(0.002)
            process.send_signal(number)
            printed, _ = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
        return process.returncode, printed

    def moment(self, stage: str, chance: random.Random) -> Callable[[], bool]:
        """Some moment within a stage of a sync."""
        asked = len(self.account.requests()) + chance.choice((1, 3, 10, 30, 60, 90))
        delay = chance.random() * 0.4
        seen: list[float] = []

        def reached() -> bool:
            if not seen and self._at(stage, asked):
                seen.append(time.monotonic())
            return bool(seen) and time.monotonic() >= seen[0] + delay

        return reached

    def _at(self, stage: str, asked: int) -> bool:
        if stage == "extract":
            return len(self.account.requests()) >= asked
        pattern = "normalize/extracted/*" if stage == "normalize" else "load/normalized/*/started_jobs/*"
        return any(self.working_dir.glob(pattern))

    def assert_whole(self, *streams: str) -> None:
        assert_whole(self.pipeline, self.account, *streams)
