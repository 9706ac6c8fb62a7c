"""One Zendesk account as a source sees it, and what the streams of one run share."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pyarrow as pa
from dlt.common.configuration.specs import CredentialsConfiguration

from zendesk_support.api.clock import Clock
from zendesk_support.api.credentials import ZendeskChat
from zendesk_support.api.rate_limiter import RateLimiter
from zendesk_support.api.refusals import CHAT
from zendesk_support.api.request import Usage
from zendesk_support.api.tokens import FixedAuth, make_auth
from zendesk_support.api.transport import Transport
from zendesk_support.checkpoints import current_sync
from zendesk_support.dlt_internals import SqlClientBase
from zendesk_support.errors import ConfigurationError
from zendesk_support.loading.batches import Batches, News
from zendesk_support.loading.reader import Progress, Reader, ReaderThreads
from zendesk_support.loading.row_checks import in_words
from zendesk_support.loading.subscription import Subscription
from zendesk_support.loading.target import AT_ONCE, Between, Run, Runs, Target, load_id
from zendesk_support.reading.base import Job, Position
from zendesk_support.reading.parallel import Pools
from zendesk_support.reading.shared import Shared
from zendesk_support.report import Carried, Reports
from zendesk_support.settings import Settings
from zendesk_support.streams.base import Stream
from zendesk_support.warehouse.loaded_table import LoadedTable, table_layout

ENDS_WITHIN = 5.0
CHAT_PATHS = f"/api/v2/{CHAT}"
"""What of the account's API may have a token, and a server, of its own."""


class Account:
    """One Zendesk account as a source sees it: its rate limiter outlives the runs, its connections do not."""

    def __init__(
        self, settings: Settings, credentials: CredentialsConfiguration, chat: ZendeskChat | None = None
    ) -> None:
        self.settings = settings
        self.credentials = credentials
        self.chat = chat or ZendeskChat()
        self.clock = Clock(settings.clock_scale)
        self.limiter = RateLimiter(self.clock, settings.quota_share)
        self.runs = Runs()
        self.carried = Carried()
        self._reports: dict[str | None, Reports] = {}
        self._lock = threading.Lock()
        self._sessions: dict[Any, Session] = {}

    def enter(self) -> Session:
        """Join the sync or run that is under way in this thread, or begin it: what one reads is not another's."""
        key = current_sync.get() or load_id()
        with self._lock:
            if key not in self._sessions:
                self._sessions[key] = Session(self)
            self._sessions[key].users += 1
            return self._sessions[key]

    def reports(self) -> Reports:
        """How the streams of the run under way in this thread have ended."""
        id = load_id()
        with self._lock:
            found = self._reports.setdefault(id, Reports())
            for ended in list(self._reports)[:-AT_ONCE]:
                del self._reports[ended]
            return found

    @contextmanager
    def held_open(self) -> Iterator[None]:
        """Keep one session over several dlt runs: its readers go on while dlt loads."""
        session = self.enter()
        try:
            yield
        finally:
            self.leave(session)

    def progress(self) -> list[Progress]:
        """How far the readers under way have come; none where none is."""
        with self._lock:
            sessions = list(self._sessions.values())
        return [found for session in sessions for found in session.progress()]

    def leave(self, session: Session) -> None:
        """Leave a run; the last one out ends it."""
        with self._lock:
            session.users -= 1
            if session.users:
                return
            self._sessions = {key: other for key, other in self._sessions.items() if other is not session}
        session.close()


class Session:
    """What the streams of one run share: connections, token, answers, readers."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.users = 0
        self.stop = threading.Event()
        self.news = News()
        self.shared = Shared()
        self.pools = Pools()
        # Making its first array, pyarrow imports pandas where that is installed; half imported by a thread, dlt trips
        # over it.
        pa.array([0])
        self.transport = Transport(account.settings, account.clock, account.limiter, self.stop)
        auth, self.vault = make_auth(
            account.credentials,
            account.settings.base_url,
            self.transport.post_token,
            account.clock,
            account.settings.scope,
        )
        self.transport.auth = auth
        if (chat := account.chat).access_token is not None:
            own = FixedAuth(f"Bearer {chat.access_token}", chat.access_token)
            try:
                self.transport.set_apart(CHAT_PATHS, own, chat.base_url)
            except ValueError as error:
                raise ConfigurationError(f"base_url in [sources.zendesk_support.chat]: {error}.") from None
        self.resource_runs: dict[str, Any] = {}
        self.recipes: dict[str, Any] = {}
        self.between: Between | None = None
        self._readers: list[Reader] = []
        self._threads = ReaderThreads()
        self._shown = {bucket: int(waited) for bucket, waited in account.limiter.waited().items()}
        self._client: SqlClientBase[Any] | None = None

    def batches(self) -> Batches:
        """The queue of a stream."""
        return Batches(self.news, self.stop)

    def subscribe(self, subscription: Subscription) -> Reader:
        """Join the reader of the subscription's endpoint, shared where another stream waits for the same one."""
        reader = next((reader for reader in self._readers if reader.takes(subscription)), None)
        if reader is None:
            make_job = partial(self.job, shared=self.shared)
            reader = Reader(subscription.feed.endpoint, subscription.settings, make_job, self.shared)
            self._readers.append(reader)
        reader.subscriptions.append(subscription)
        return reader

    def job(self, settings: Settings, usage: Usage, position: Position, shared: Shared | None = None) -> Job:
        """What an endpoint is read with."""
        return Job(self.transport, settings, usage, shared or self.shared, position, pools=self.pools)

    def begin_pass(self) -> None:
        """Let readers that begin from now on share nothing with those before them."""
        self.shared = Shared(self.transport.server_time)
        self._readers = [reader for reader in self._readers if not reader.done]

    def start(self) -> None:
        """Begin every reader, so that none waits until dlt has come to its stream."""
        for reader in self._readers:
            if not reader.started:
                reader.follow(self._readers)
        self._threads.start(self._readers)

    def destination(self, stream: Stream, target: Target) -> LoadedTable:
        """What the pipeline under way has loaded of a stream; nothing, where all is loaded anew."""
        run: Run | None = self.account.runs.current() or self.between
        if run is None or not target.is_read_back:
            return LoadedTable()
        if self._client is None:
            try:
                self._client = run.pipeline.sql_client(schema_name=run.schema.name)
            except Exception as error:
                if (told := in_words(stream, error)) is error:
                    raise
                raise told from error
        table = table_layout(run.tables, target.table)
        versions_of = stream.key if target.keeps_versions else ()
        settings = self.account.settings
        return LoadedTable(self._client, table, versions_of, settings.database_wait, stream.version, settings.shares)

    def show_waiting(self) -> None:
        """Bring the seconds waited for quota to the progress display."""
        for bucket, waited in self.account.limiter.waited().items():
            if (new := int(waited) - self._shown.get(bucket, 0)) > 0:
                self._shown[bucket] = int(waited)
                if (run := self.account.runs.current()) is not None:
                    run.pipeline.collector.update(f"waiting for {bucket} (s)", new)

    def progress(self) -> list[Progress]:
        """How far each reader has come."""
        return [reader.progress() for reader in list(self._readers)]

    @property
    def refused(self) -> bool:
        """Whether the settings are wrong: Zendesk has answered nothing, and never will."""
        return isinstance(self.transport.fatal_error, ConfigurationError) and not self.transport.accepted

    def close(self) -> None:
        """Stop every thread and connection."""
        self.stop.set()
        self.account.limiter.wake()
        self.news.add(0)
        self.transport.close()
        # A thread that the interpreter ends within pyarrow aborts the process.
        until = time.monotonic() + ENDS_WITHIN
        self._threads.stop(until)
        self.pools.close(until)
