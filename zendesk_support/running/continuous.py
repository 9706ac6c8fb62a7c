"""Keeps syncing in one process: connections, token, quota and schema stay, and a pass without news costs no package."""

from __future__ import annotations

import random
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline

from zendesk_support.api.tokens import TokenVault
from zendesk_support.checkpoints import Checkpoints
from zendesk_support.dlt_internals import DestinationException, get_resolved_traces
from zendesk_support.errors import AlreadyRunningError, ConfigurationError, ZendeskError
from zendesk_support.loading.account import Session
from zendesk_support.loading.cadence import COMPLETED, not_due, tell, with_defaults
from zendesk_support.loading.destination_state import state_of
from zendesk_support.loading.positions import LAYOUT, POSITIONS
from zendesk_support.loading.resource_run import Recipe, ResourceRun
from zendesk_support.loading.stream_resource import StreamResource
from zendesk_support.loading.target import Between
from zendesk_support.report import Report, StreamReport
from zendesk_support.running.probe import demand_product
from zendesk_support.running.run_lock import only_run
from zendesk_support.running.runner import (
    as_asked,
    begin,
    in_force,
    load_once,
    own_signals,
    set_defaults,
    source_from,
    told_in_words,
    without_refresh,
)
from zendesk_support.settings import duration, positive
from zendesk_support.source import ZendeskSource
from zendesk_support.wide.views import keep_views

STORED_EVERY = 3600.0
"""Seconds after which positions and reports are stored although nothing was loaded."""
REFUSED_AGAIN = 3600.0
"""Seconds after which a stream that the plan or role refuses is asked for again."""
LONGEST_WAIT = 900.0
"""Seconds that passes which fail wait at most, or `every` where that is longer."""
SHORTEST_PACE = 5.0
"""Real seconds that a load takes in what comes, at least."""
LOOK = 0.02
NAP = 0.2


def sync_every(
    pipeline: Pipeline, source: ZendeskSource | StreamResource | Sequence[StreamResource], every: str | float
) -> Generator[Report, None, None]:
    """Sync again and again until a signal comes, or nobody takes the next report.

    Streams with a cadence of their own (`every` in their settings, else that of the catalogue) are left out of passes
    until they are due. Positions that move without rows are stored with the next package, after an hour at the latest.
    A pass that fails is told in its report, and followed by the next after a longer and longer wait. In the main
    thread, the first SIGINT or SIGTERM ends a pass at the next page, and a wait at once.

    Args:
        pipeline: where to.
        source: what, as for `sync`.
        every: how long after the beginning of a pass the next one begins, such as `1m`; numbers are seconds.

    Yields:
        A report of each pass, with its streams; `error` says why what it read could not be loaded.

    Raises:
        AlreadyRunningError: another run of this pipeline, or of these streams into this dataset, is under way.
        ConfigurationError: a setting cannot be used, or Zendesk refuses the credentials.
        PipelineStepFailed: the destination does not answer when it begins.
    """
    is_number = isinstance(every, (int, float))
    seconds = positive("every", every, "60") if is_number else duration("every", every)
    source = source_from(source).clone()
    settings = source.account.settings
    if settings.end is not None:
        raise ConfigurationError("end_date bounds a single run, and goes with no `every`. Example: --every 1m")
    checkpoints = Checkpoints(Report(), settings.checkpoint_minutes * 60, None, with_defaults(settings.every))
    set_defaults()
    with (
        only_run(pipeline, source.selected_streams, apart=settings.shares),
        checkpoints.stop.heeding_signals(),
        own_signals(pipeline),
        without_refresh(pipeline),
        without_traces(pipeline),
    ):
        passes = Passes(pipeline, source, seconds, checkpoints)
        try:
            while not checkpoints.over:
                began = time.monotonic()
                report = passes.run()
                report.signal = checkpoints.received
                yield report
                sleep(began + source.account.clock.real(passes.wait), checkpoints)
                report.signal = checkpoints.received
        finally:
            passes.end()


@contextmanager
def without_traces(pipeline: Pipeline) -> Iterator[None]:
    """Keep no trace of dlt's steps: each is written to disk with the hundred before it, and the schema of each."""
    before, pipeline.config.enable_runtime_trace = pipeline.config.enable_runtime_trace, False
    try:
        yield
    finally:
        pipeline.config.enable_runtime_trace = before


def sleep(until: float, checkpoints: Checkpoints) -> None:
    """Wait until a time by the monotonic clock, or until the sync is over."""
    while not checkpoints.over and (left := until - time.monotonic()) > 0:
        time.sleep(min(NAP, left))


class Passes:
    """The passes of one process, one after the other.

    Attributes:
        wait: seconds of the account's clock from the beginning of the last pass to that of the next.
    """

    def __init__(self, pipeline: Pipeline, source: ZendeskSource, every: float, checkpoints: Checkpoints) -> None:
        self.wait = every
        self._pipeline, self._source, self._every, self._checkpoints = pipeline, source, every, checkpoints
        self._account = source.account
        self._clock = source.account.clock
        longest = source.account.settings.checkpoint_minutes * 60
        self._pace = min(longest, max(SHORTEST_PACE, self._clock.real(every / 2)))
        self._stack = ExitStack()
        self._session: Session | None = None
        self._saved: dict[str, dict[str, Any]] = {}
        self._not_before: dict[str, float] = {}
        self._failures: dict[str | None, int] = {}
        self._reports: dict[str, StreamReport] = {}
        self._stored = self._clock.now()
        self._sealed: str | None = None
        self._is_checked = True

    def run(self) -> Report:
        """One pass.

        Raises:
            AlreadyRunningError: another run has taken the tables over.
            ConfigurationError: no other pass can succeed.
        """
        report = self._checkpoints.report = Report()
        try:
            with in_force(self._checkpoints), told_in_words(self._checkpoints):
                if self._session is None:
                    self._begin()
                else:
                    self._go_on()
        except (AlreadyRunningError, ConfigurationError):
            raise
        except (PipelineStepFailed, DestinationException, ZendeskError, OSError) as error:
            report.error, report.broken = error, True
            self.end()
        self._plan(report)
        if not self._is_checked and self._session is not None and not self._session.resource_runs:
            self.end()  # the next pass looks whether the destination still has what was loaded
        return report

    def end(self) -> None:
        """Stop what is under way; the next pass, if there is one, begins from what the destination has."""
        self._session = None
        self._saved, self._reports = {}, {}
        self._account.carried.take()
        self._stack.close()

    def _plan(self, report: Report) -> None:
        """Decide when the next pass begins, and how long streams that failed wait."""
        fatal = self._session.transport.fatal_error if self._session is not None else None
        if fatal is not None:
            self.end()
            if isinstance(fatal, ConfigurationError):
                raise fatal
        failed = {stream.stream: REFUSED_AGAIN for stream in report.unavailable}
        failed |= {stream.stream: self._longer(stream.stream) for stream in report.failed}
        read = {name for name, told in report.streams.items() if told.status != "not due"}
        for name in [name for name in self._failures if name in read and name not in failed]:
            del self._failures[name]
        self._not_before = {name: at for name, at in self._not_before.items() if name not in read}
        self._not_before |= {name: self._clock.now() + seconds for name, seconds in failed.items()}
        if report.error is None and fatal is None:
            self._failures.pop(None, None)
            self.wait = self._every
        else:
            self.wait = self._longer(None)

    def _longer(self, name: str | None) -> float:
        """Seconds to wait after one more failure, of a stream or of a whole pass."""
        self._failures[name] = count = self._failures.get(name, 0) + 1
        longest = max(LONGEST_WAIT, self._every)
        return min(longest, self._every * 2.0 ** min(count, 30)) * random.uniform(0.8, 1.0)

    def _begin(self) -> None:
        """The first pass, or the first after a failure: from what the destination has, all of it in one dlt run."""
        self._session = self._account.enter()
        self._stack.callback(self._account.leave, self._session)
        begin(self._pipeline, self._source, is_dropped=False)
        self._is_checked = True
        self._source = as_asked(self._pipeline, self._source)
        waiting = self._waiting(self._source.selected_streams)
        tell(self._checkpoints.report, waiting, self._account.settings.account)
        if due := [name for name in self._source.selected_streams if name not in waiting]:
            self._load(due, self._pace)
        self._saved |= {name: state for name, state in self._states().items() if name in waiting}
        self._work()
        demand_product([told.error for told in self._checkpoints.report.streams.values() if told.status != "not due"])

    def _go_on(self) -> None:
        """A pass of which only what brings rows goes through dlt."""
        session = self._at_work
        session.begin_pass()
        streams = self._source.selected_streams
        idle = {name: found for name, found in streams.items() if name not in session.resource_runs}
        waiting = self._waiting(idle)
        tell(self._checkpoints.report, waiting, self._account.settings.account)
        cold = [name for name in idle if name not in waiting and self._start(name) is None]
        session.start()
        if cold:
            self._load(cold, 0)  # it only begins them
        self._work()

    @property
    def _at_work(self) -> Session:
        assert self._session is not None
        return self._session

    @property
    def _stored_state(self) -> dict[str, Any]:
        return state_of(self._pipeline, self._source.name)

    def _waiting(self, streams: dict[str, StreamResource]) -> dict[str, str]:
        """Streams that are not due, and why."""
        cadences: Any = self._checkpoints.cadences
        found = not_due(self._saved or self._stored_state.get("resources", {}), streams, cadences)
        later = (name for name in streams if self._not_before.get(name, 0.0) > self._clock.now())
        return found | dict.fromkeys(later, "it failed, or was refused, and is tried again later")

    def _start(self, name: str) -> ResourceRun | None:
        """Begin a stream's pass ahead of the next dlt run; None where only such a run can."""
        session = self._at_work
        recipe: Recipe | None = session.recipes.get(name)
        run = recipe.again(session, self._saved[name]) if recipe is not None and name in self._saved else None
        if run is not None:
            session.resource_runs[name] = run
        return run

    def _work(self) -> None:
        """Load what comes, until every reader has come to its end or the next pass is due."""
        until = self._clock.now() + self._every
        while True:
            self._settle(until)
            runs: dict[str, ResourceRun] = self._at_work.resource_runs
            ended = [name for name, run in runs.items() if (run.look() or self._checkpoints.over) and not run.has_news]
            for name in ended:
                self._reports[name] = self._concluded(runs[name])
            if news := [name for name, run in runs.items() if run.has_news]:
                self._load(news, self._pace)
            if not runs or self._checkpoints.over or self._clock.now() >= until:
                break
        for name in self._at_work.resource_runs:
            self._checkpoints.report.streams.pop(name, None)  # it is told once it has ended
        self._store()

    def _settle(self, until: float) -> None:
        """Wait until each reader has rows or has ended, a fraction of a pass at most if others have rows."""
        patience = self._clock.now() + self._every / 8
        while not self._checkpoints.over and (at := self._clock.now()) < until:
            runs: list[ResourceRun] = list(self._at_work.resource_runs.values())
            settled = [run for run in runs if run.look()]
            if len(settled) == len(runs) or (at >= patience and any(run.has_news for run in settled)):
                return
            time.sleep(LOOK)

    def _concluded(self, run: ResourceRun) -> StreamReport:
        """End a stream's pass that has nothing to load."""
        report, name = run.conclude(), run.resource
        if report.status == "failed" and name not in self._failures:
            self._stored -= STORED_EVERY  # who looks at the reports sees it at once
        self._account.carried.states[name] = self._saved[name]
        return report

    def _load(self, names: Sequence[str], within: float) -> None:
        """One dlt run over some streams, which takes in what comes within so many real seconds."""
        source, pipeline = self._source, self._pipeline
        self._checkpoints.begin(within)
        load_once(pipeline, source.with_resources(*source.fed_by(names)))
        self._account.runs.forget()
        get_resolved_traces().clear()
        session = self._at_work
        session.between = Between(pipeline, source.name)
        states = self._states()
        for name in names:
            self._saved[name] = states.get(name, {})
            self._reports.pop(name, None)
            if name in session.resource_runs:
                session.resource_runs[name].go_on(self._saved[name])
        told = self._checkpoints.report.streams
        keep_views(pipeline, source, [name for name in names if name in told and told[name].rows])

    def _states(self) -> dict[str, dict[str, Any]]:
        """What of the streams' states the next pass goes by, as the last load has left them."""
        state = self._stored_state
        self._sealed = state.get(TokenVault.STATE_KEY)
        kept = (POSITIONS, LAYOUT, COMPLETED)
        return {name: {key: own[key] for key in kept if key in own} for name, own in state.get("resources", {}).items()}

    def _store(self) -> None:
        """Store reports and positions of passes that loaded nothing once an hour, a new pair of tokens at once."""
        vault = self._at_work.vault
        if self._clock.now() - self._stored >= STORED_EVERY and self._reports:
            self._account.carried.rows |= {name: report.row() for name, report in self._reports.items()}
            self._load([], 0)
            self._reports = {}
            self._stored, self._is_checked = self._clock.now(), False
        elif vault is not None and vault.sealed != self._sealed:
            self._account.carried.of_source[vault.STATE_KEY] = vault.sealed
            self._load([], 0)


__all__ = ["PipelineStepFailed", "sync_every"]
