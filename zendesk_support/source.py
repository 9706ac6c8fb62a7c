"""The dlt source."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import dlt
from dlt.common.configuration.specs import BaseConfiguration
from dlt.common.schema import Schema
from dlt.common.typing import TSecretStrValue
from dlt.extract import DltResource, DltSource

from zendesk_support import normalizer
from zendesk_support import settings as checks
from zendesk_support.api.credentials import ZendeskChat, ZendeskCredentials, check_chat, check_credentials
from zendesk_support.dlt_internals import ConfigSectionContext, Container, resource_of_kind, root_of, source_of_kind
from zendesk_support.errors import ConfigurationError
from zendesk_support.loading.account import Account
from zendesk_support.loading.hints import bigquery_layout, columns_of, references_of
from zendesk_support.loading.masking import MASK_HINT
from zendesk_support.loading.resource import extract
from zendesk_support.loading.row_checks import time_value
from zendesk_support.loading.setting_names import LOAD, check_names, check_sections, settings_of_source, stream_settings
from zendesk_support.loading.shared_tables import check_shared, key_of
from zendesk_support.loading.stream_resource import Resources, StreamResource, report_resource
from zendesk_support.loading.stream_settings import cadences, masks, selection, settings_by_stream, sync_modes
from zendesk_support.loading.sync_modes import DISPOSITIONS, MODE_HINT, NESTED_HINT, check_mode
from zendesk_support.records.masks import Mask
from zendesk_support.report import TABLE as REPORT_TABLE
from zendesk_support.settings import Settings
from zendesk_support.streams import CATALOGUE
from zendesk_support.streams.base import Stream
from zendesk_support.streams.selection import default_streams

SECTION = "zendesk_support"
OF_DLT = ("max_table_nesting", "root_key", "schema_contract", "extract", "normalize", "data_writer", "schema")
"""What dlt itself reads in a source's section."""
# dlt turns a setting into the first of its types: as a text it reaches our own checks, whatever was written.
Number = str | float | None


class ZendeskResources(tuple[DltResource, ...]):
    """The resources of a source, and the account they read."""

    account: Account
    by_default = False


class ZendeskSource(DltSource):
    """The source, and the account it reads."""

    account: Account
    by_default = False
    """Whether nobody has said which streams it loads."""

    def __init__(self, schema: Schema, section: str, resources: Sequence[DltResource] = ()) -> None:
        super().__init__(schema, section)
        self._resources = Resources(self.name, section)
        self._resources.add(*resources)

    @classmethod
    def from_data(cls, schema: Schema, section: str, data: Any) -> ZendeskSource:
        """Make the source of what its function returned."""
        if data.account.settings.nested == "tables":
            schema = _keeping_values(schema)
        source = super().from_data(schema, section, data)
        source.account = data.account
        source.by_default = data.by_default
        return source

    def clone(self, with_name: str | None = None) -> ZendeskSource:
        """A copy that reads the same account."""
        copy = ZendeskSource(
            self.schema.clone(with_name=with_name or self.schema.name), self.section, list(self.resources.values())
        )
        copy.account, copy.by_default = self.account, self.by_default
        return copy

    def with_resources(self, *resource_names: str) -> ZendeskSource:
        """A copy that loads some streams, and their reports."""
        named = dict.fromkeys((*resource_names, *({REPORT_TABLE} & set(self.resources))))
        chosen: ZendeskSource = super().with_resources(*named)  # type: ignore[assignment]
        chosen.by_default = False
        return chosen

    def of_default_set(self, number: int) -> ZendeskSource:
        """A copy that loads what a default set has of the selected streams, and all that is made by others."""
        selected = self.selected_resources.items()
        return self.with_resources(
            *(name for name, found in selected if not isinstance(found, StreamResource) or found.stream.is_in(number))
        )

    def fed_by(self, streams: Collection[str]) -> list[str]:
        """Some streams, and the selected resources that are made of their rows."""
        return [name for name, found in self.selected_resources.items() if root_of(found) in streams]

    def decompose(self, strategy: Any) -> list[DltSource]:
        """dlt's parts of the source, each with the reports of its streams."""
        parts: list[DltSource] = super().decompose(strategy)
        return [part for part in parts if set(part.selected_resources) != {REPORT_TABLE}]

    @property
    def selected_streams(self) -> dict[str, StreamResource]:
        """The selected resources that are streams, by name."""
        return {name: found for name, found in self.selected_resources.items() if isinstance(found, StreamResource)}


@source_of_kind(ZendeskSource, name=SECTION, section=SECTION)
def zendesk_support_source(
    subdomain: str | None = None,
    credentials: ZendeskCredentials = dlt.secrets.value,
    start_date: str | datetime | None = None,
    end_date: str | datetime | None = None,
    base_url: str | None = None,
    quota_share: Number = 1.0,
    nested: str = "json",
    help_center_children: str = "all",
    help_center_followers: str = "few",
    ticket_audits: str = "list",
    deletes: str = "remove",
    sync_mode: str | None = None,
    streams: str | list[str] | dict[str, Any] | None = None,
    hash_salt: TSecretStrValue | None = None,
    retry_deadline: Number = 900.0,
    request_timeout: Number = 90.0,
    checkpoint_minutes: Number = 5.0,
    lookback_minutes: Number = 10.0,
    clock_scale: Number = 1.0,
    same_account_as: str | None = None,
    scope: str = "read",
    database_wait_minutes: Number = 5.0,
    views: str = "on",
    into: str = "each",
    order: str = "oldest",
    newest_days: Number = 30,
    chat: ZendeskChat | None = None,
) -> Any:
    """Zendesk Support and Help Center, one resource a stream.

    Building the source makes no request. Every argument can come from dlt's configuration under
    `sources.zendesk_support`.

    Args:
        subdomain: `acme` for https://acme.zendesk.com.
        credentials: OAuth client credentials, refresh token or access token, or e-mail and API token.
        start_date: facts older than this are left out; ISO date or datetime, UTC where it has no zone. Default: two
            years back. Dimensions always load whole.
        end_date: exclusive; makes the run a bounded backfill that reads and keeps no state.
        base_url: a simulator or proxy in place of https://<subdomain>.zendesk.com.
        quota_share: the part of the account's rate limits this source may use, above 0 and up to 1.
        nested: `json` keeps nested values as JSON columns; `tables` lets dlt spread them over child tables.
        help_center_children: `all` reads the comments and attachments of every article and post, `changed` only of
            those that changed themselves since the last sync.
        help_center_followers: `few` reads the followers of sections and topics, `all` those of each article and post as
            well, one request each.
        ticket_audits: `list` reads the feed of recent audits, which leaves out archived tickets; `per_ticket` reads the
            audits of each changed ticket, one request each.
        deletes: `remove` takes rows that Zendesk no longer has out of the table, `mark` keeps them with `_deleted_at`.
        sync_mode: `incremental`, `history`, `incremental_append`, `append` or `overwrite`, for every stream.
        streams: which to load: names, families (`core`, `configuration`, `help_center`, `conversations`,
            `custom_objects`, `talk`, `omnichannel`, `audit`, `chat`), `default` and `all`, such as
            `["default", "custom_objects"]`. Or a table of settings by stream, with that list under `load`: `sync_mode`;
            `every`, such as `1d`: `sync()` leaves the stream out until so long after its last pass; columns and paths
            into nested values that are left out (`exclude`) or replaced by a keyed hash (`hash`); columns left out
            otherwise (`include`), such as
            `{"load": ["core"], "users": {"exclude": ["phone"], "hash": ["email"]}}`.
        hash_salt: the key of those hashes, a secret.
        retry_deadline: seconds of the account's clock for which one request is retried.
        request_timeout: seconds without an answer after which a request counts as failed.
        checkpoint_minutes: how often `sync()` loads what has been read, in minutes.
        lookback_minutes: how long before its position a sync begins to read, so that rows which Zendesk shows late are
            found; 0 for the position's own second only.
        clock_scale: how many of the account's seconds pass in one; other than 1 only for a simulator.
        same_account_as: the host that the tables were loaded from, where the account is now reached by another one.
        scope: what OAuth tokens are asked for; `read` reads every stream.
        database_wait_minutes: how long `sync()` waits for a DuckDB file that another program has open.
        chat: Chat's own `access_token`, used once it refuses the account's credentials, and `base_url`, where it has
            its older address (`https://www.zopim.com/api/v2`).
        views: `on` lets `sync()` keep views such as `tickets_wide`, with a column for each custom field; `off`: none.
        into: `one` lets several accounts share the tables of a dataset: each row has its `account`, which is part of
            the key; `each`: a dataset holds one account.
        order: of a first load of tickets and other exports of facts: `oldest` reads from `start_date` on, `newest`
            the last `newest_days` first, then windows of older time back to `start_date`, and what is new in between.
        newest_days: how many days of each such stream come first.

    Returns:
        The source; pick streams with `with_resources`.

    Raises:
        ConfigurationError: a setting cannot be used; the message shows one that can.
    """
    if own_sections()[0] == SECTION:
        check_sections("sources", SECTION)
    written = list(settings_of_source(*own_sections()))
    check_names(written, (*inspect.signature(zendesk_support_source).parameters, *OF_DLT), CATALOGUE)
    if not (subdomain or base_url):
        # With nothing set at all, one message names everything that is missing.
        check_credentials(credentials)
    url = checks.account_url(subdomain, base_url)
    start, end = checks.period(start_date, end_date)
    scale = checks.positive("clock_scale", clock_scale, "60")
    if scale != 1 and not checks.is_loopback(url):
        raise ConfigurationError(f'clock_scale = "{clock_scale}" is only for a simulator. Example: clock_scale = 1.')
    asked, given = selection(streams, [setting for setting in written if setting.path == ("streams", LOAD)])
    in_files = stream_settings([setting for setting in written if setting.is_in_file])
    own_settings = settings_by_stream(given, in_files, stream_settings(written))
    settings = Settings(
        base_url=url,
        start=start,
        end=end,
        quota_share=checks.fraction("quota_share", quota_share),
        nested=checks.choice("nested", nested, ("json", "tables")),
        help_center_children=checks.choice("help_center_children", help_center_children, ("all", "changed")),
        help_center_followers=checks.choice("help_center_followers", help_center_followers, ("few", "all")),
        ticket_audits=checks.choice("ticket_audits", ticket_audits, ("list", "per_ticket")),
        deletes=checks.choice("deletes", deletes, ("remove", "mark")),
        sync_modes=sync_modes(sync_mode, own_settings),
        every=cadences(own_settings),
        retry_deadline=checks.positive("retry_deadline", retry_deadline, "900"),
        request_timeout=checks.positive("request_timeout", request_timeout, "90"),
        checkpoint_minutes=checks.positive("checkpoint_minutes", checkpoint_minutes, "5"),
        lookback=round(checks.not_negative("lookback_minutes", lookback_minutes, "10") * 60),
        clock_scale=scale,
        same_account_as=same_account_as.strip().lower() if same_account_as else None,
        scope=checks.scope(scope),
        database_wait=checks.not_negative("database_wait_minutes", database_wait_minutes, "5") * 60,
        views=checks.choice("views", views, ("on", "off")),
        into=checks.choice("into", into, ("each", "one")),
        order=checks.choice("order", order, ("oldest", "newest")),
        newest_days=checks.whole_days("newest_days", newest_days),
    )
    check_shared(settings)
    hidden = masks(own_settings, hash_salt)
    account = Account(settings, check_credentials(credentials), check_chat(chat))
    _quiet_arrow_hints()
    loaded = (stream.masked(hidden.get(name, Mask())) for name, stream in CATALOGUE.items())
    resources = resources_of(account, [_resource(stream, account) for stream in loaded])
    _select(resources, asked)
    return resources


def _select(resources: ZendeskResources, asked: Collection[str] | None) -> None:
    """Select the streams that are asked for, or the default ones."""
    resources.by_default = asked is None
    named = default_streams() if asked is None else asked
    for resource in resources:
        resource.selected = resource.name in named or not isinstance(resource, StreamResource)


def resources_of(account: Account, streams: Iterable[DltResource]) -> ZendeskResources:
    """Streams of an account as what the source function returns; last, the one that reports on them."""
    resources = ZendeskResources((*streams, report_resource(account)))
    resources.account = account
    return resources


def source_of(*streams: StreamResource) -> ZendeskSource:
    """A source of resources that were taken out of one, or renamed.

    Raises:
        ConfigurationError: they are of several accounts.
    """
    account, *others = {id(stream.account): stream.account for stream in streams}.values()
    for other in others:
        if other.settings.account != account.settings.account:
            raise ConfigurationError(
                f"resources of {account.settings.account} and of {other.settings.account} cannot be loaded together: "
                "ids of two accounts mean different rows. Load each with a pipeline and a dataset of its own."
            )
    schema = Schema(streams[0].source_name or SECTION)
    return ZendeskSource.from_data(schema, SECTION, resources_of(account, streams))


def _keeping_values(schema: Schema) -> Schema:
    """The schema with a normalizer that changes no value."""
    stored = schema.to_dict()
    stored["normalizers"]["json"] = {"module": normalizer.__name__}
    return Schema.from_dict(stored)  # type: ignore[arg-type]


def _resource(stream: Stream, account: Account) -> StreamResource:
    """A stream as a dlt resource."""
    settings = account.settings
    mode = check_mode(stream, settings.sync_modes[stream.name])
    hints: Any = columns_of(stream, settings, mode)
    merge_key: Any = stream.key if mode == "history" else None
    resource = resource_of_kind(
        StreamResource,
        _rows(stream, account),
        name=stream.name,
        primary_key=key_of(stream, settings),
        merge_key=merge_key,
        write_disposition=DISPOSITIONS[mode],
        columns=hints,
        references=references_of(stream, settings),
        file_format="parquet",
        # Without a cursor there is nothing to configure; dlt need not work that out for each of them.
        spec=BaseConfiguration if stream.cursor is None else None,
    )
    resource.stream, resource.account, resource.mode = stream, account, mode
    hidden: dict[str, Any] = {"description": stream.doc, MODE_HINT: mode, NESTED_HINT: settings.nested}
    if stream.mask:
        hidden[MASK_HINT] = stream.mask.stored
    resource.apply_hints(additional_table_hints=hidden | bigquery_layout(stream, settings))
    return resource  # type: ignore[no-any-return]


def _rows(stream: Stream, account: Account) -> Any:
    """The resource's generator function, with the stream's cursor where it has one."""
    if stream.cursor is None:

        def listed() -> Iterator[Any]:
            yield from extract(stream, account, None)

        return listed
    start = account.settings.start if stream.fact else 0
    bounds: dict[str, Any] = {"initial_value": time_value(stream, stream.cursor, start)}
    if account.settings.end is not None:
        bounds["end_value"] = time_value(stream, stream.cursor, account.settings.end)
    incremental: Any = dlt.sources.incremental(stream.cursor, **bounds)

    def moved(cursor: dlt.sources.incremental[Any] = incremental) -> Iterator[Any]:
        yield from extract(stream, account, cursor)

    return moved


def own_sections() -> tuple[str, str]:
    """Section and name of the source that is being made, as `with_args` may have set them."""
    _, section, name = Container()[ConfigSectionContext].sections
    return section, name


def _quiet_arrow_hints() -> None:
    """Keep dlt from warning, page by page, that a JSON column arrives as text: it is meant to."""
    log = logging.getLogger("dlt")
    if not any(isinstance(known, _ArrowHints) for known in log.filters):
        log.filters.insert(0, _ArrowHints())  # before those that print what they see


class _ArrowHints(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return "several column hints were different" not in record.getMessage()
