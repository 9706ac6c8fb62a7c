"""The dlt source."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import dlt
from dlt.common.schema import Schema
from dlt.destinations.impl.bigquery.bigquery_adapter import CLUSTER_COLUMNS_HINT, PARTITION_HINT
from dlt.extract import DltResource, DltSource

from zendesk_support import normalizer
from zendesk_support import settings as checks
from zendesk_support.credentials import ZendeskCredentials, check_credentials
from zendesk_support.engine import Account, time_value
from zendesk_support.errors import ConfigurationError
from zendesk_support.known import DELETED_AT, DIGEST
from zendesk_support.modes import DEFAULT, DISPOSITIONS, MODE_HINT, NESTED_HINT, Mode, check_mode
from zendesk_support.report import COLUMNS as REPORT_COLUMNS
from zendesk_support.report import TABLE as REPORT_TABLE
from zendesk_support.resource import extract
from zendesk_support.settings import Settings
from zendesk_support.streams import CATALOGUE
from zendesk_support.streams.base import Stream

SECTION = "zendesk_support"
BY_MONTH = "TIMESTAMP_TRUNC({column_name}, MONTH)"
# dlt turns a setting into the first of its types: as a text it reaches our own checks, whatever was written.
Number = str | float | None
_STREAMS_EXAMPLE = 'streams.tickets.sync_mode = "history"'


class ZendeskResources(tuple[DltResource, ...]):
    """The resources of a source, and the account they read."""

    account: Account


class ZendeskSource(DltSource):
    """The source, and the account it reads."""

    account: Account

    @classmethod
    def from_data(cls, schema: Schema, section: str, data: Any) -> ZendeskSource:
        """Make the source of what its function returned."""
        if data.account.settings.nested == "tables":
            schema = _keeping_values(schema)
        source = super().from_data(schema, section, data)
        source.account = data.account
        return source

    def clone(self, with_name: str | None = None) -> ZendeskSource:
        """A copy that reads the same account."""
        copy = ZendeskSource(
            self.schema.clone(with_name=with_name or self.schema.name), self.section, list(self.resources.values())
        )
        copy.account = self.account
        return copy


@dlt.source(name=SECTION, section=SECTION, _impl_cls=ZendeskSource)
def zendesk_support_source(
    subdomain: str | None = None,
    credentials: ZendeskCredentials = dlt.secrets.value,
    start_date: str | datetime | None = None,
    end_date: str | datetime | None = None,
    base_url: str | None = None,
    quota_share: Number = 1.0,
    nested: str = "json",
    help_center_children: str = "all",
    ticket_audits: str = "list",
    deletes: str = "remove",
    sync_mode: str | None = None,
    streams: str | dict[str, Any] | None = None,
    retry_deadline: Number = 900.0,
    request_timeout: Number = 90.0,
    checkpoint_minutes: Number = 5.0,
    lookback_minutes: Number = 10.0,
    clock_scale: Number = 1.0,
    same_account_as: str | None = None,
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
        ticket_audits: `list` reads the feed of recent audits, which leaves out archived tickets; `per_ticket` reads the
            audits of each changed ticket, one request each.
        deletes: `remove` takes rows that Zendesk no longer has out of the table, `mark` keeps them with `_deleted_at`.
        sync_mode: `incremental`, `history`, `incremental_append`, `append` or `overwrite`, for every stream.
        streams: settings by stream, such as `{"tickets": {"sync_mode": "history"}}`.
        retry_deadline: seconds of the account's clock for which one request is retried.
        request_timeout: seconds without an answer after which a request counts as failed.
        checkpoint_minutes: how often `sync()` loads what has been read, in minutes.
        lookback_minutes: how long before its position a sync begins to read, so that rows which Zendesk shows late are
            found; 0 for the position's own second only.
        clock_scale: how many of the account's seconds pass in one; other than 1 only for a simulator.
        same_account_as: the host that the tables were loaded from, where the account is now reached by another one.

    Returns:
        The source; pick streams with `with_resources`.

    Raises:
        ConfigurationError: a setting cannot be used; the message shows one that can.
    """
    if not (subdomain or base_url):
        # With nothing set at all, one message names everything that is missing.
        check_credentials(credentials)
    url = checks.account_url(subdomain, base_url)
    start, end = checks.period(start_date, end_date)
    scale = checks.positive("clock_scale", clock_scale, "60")
    if scale != 1 and not checks.is_loopback(url):
        raise ConfigurationError(f'clock_scale = "{clock_scale}" is only for a simulator. Example: clock_scale = 1.')
    settings = Settings(
        base_url=url,
        start=start,
        end=end,
        quota_share=checks.fraction("quota_share", quota_share),
        nested=checks.choice("nested", nested, ("json", "tables")),
        help_center_children=checks.choice("help_center_children", help_center_children, ("all", "changed")),
        ticket_audits=checks.choice("ticket_audits", ticket_audits, ("list", "per_ticket")),
        deletes=checks.choice("deletes", deletes, ("remove", "mark")),
        sync_modes=_sync_modes(sync_mode, checks.table("streams", streams, _STREAMS_EXAMPLE)),
        retry_deadline=checks.positive("retry_deadline", retry_deadline, "900"),
        request_timeout=checks.positive("request_timeout", request_timeout, "90"),
        checkpoint_minutes=checks.positive("checkpoint_minutes", checkpoint_minutes, "5"),
        lookback=round(checks.not_negative("lookback_minutes", lookback_minutes, "10") * 60),
        clock_scale=scale,
        same_account_as=same_account_as.strip().lower() if same_account_as else None,
    )
    account = Account(settings, check_credentials(credentials))
    _quiet_arrow_hints()
    resources = ZendeskResources(_resource(stream, account) for stream in CATALOGUE.values())
    resources.account = account
    return resources


def _keeping_values(schema: Schema) -> Schema:
    """The schema with a normalizer that changes no value."""
    stored = schema.to_dict()
    stored["normalizers"]["json"] = {"module": normalizer.__name__}
    return Schema.from_dict(stored)  # type: ignore[arg-type]


def _resource(stream: Stream, account: Account) -> DltResource:
    """A stream as a dlt resource."""
    settings = account.settings
    mode = check_mode(stream, settings.sync_modes[stream.name])
    merge_key: Any = stream.key if mode == "history" else None
    hints: Any = _columns(stream, settings)
    resource: DltResource = dlt.resource(
        _rows(stream, account),
        name=stream.name,
        primary_key=stream.key,
        merge_key=merge_key,
        write_disposition=DISPOSITIONS[mode],
        columns=hints,
        file_format="parquet",
    )
    hidden: dict[str, Any] = {"description": stream.doc, MODE_HINT: mode, NESTED_HINT: settings.nested}
    resource.apply_hints(additional_table_hints=hidden)
    # The report rows of every stream go to one table of their own, with none of the stream's hints.
    resource.apply_hints(
        table_name=REPORT_TABLE,
        create_table_variant=True,
        primary_key="",
        merge_key="",
        columns={},
        write_disposition="append",
    )
    resource.apply_hints(
        table_name=REPORT_TABLE,
        create_table_variant=True,
        columns={
            name: {"name": name, "data_type": data_type, "description": note}
            for name, (data_type, note) in REPORT_COLUMNS.items()
        },
        additional_table_hints={"description": "One row a stream and run."},
    )
    # Last, as the table of reports would take them over.
    references = [_reference(column, table) for column, table in stream.references.items()]
    # dlt forgets earlier table hints when it is given none.
    resource.apply_hints(references=references, additional_table_hints=_bigquery_layout(stream) or None)
    return resource


def _reference(column: str, table: str) -> Any:
    """What a column points to, as dlt's diagrams draw it."""
    return {
        "columns": [column],
        "referenced_table": table,
        "referenced_columns": ["id"],
        "cardinality": "many_to_one",
        "label": column,
    }


def _bigquery_layout(stream: Stream) -> dict[str, Any]:
    """The table hints that partition and cluster a large table on BigQuery; empty for a small one."""
    if stream.months_of is None:
        return {}
    near = [name for name in ("ticket_id", "user_id") if name in stream.columns]
    return {PARTITION_HINT: {stream.months_of: BY_MONTH}, CLUSTER_COLUMNS_HINT: [*near, *stream.key]}


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


def _sync_modes(all_streams: str | None, by_stream: Mapping[str, Any]) -> dict[str, Mode]:
    """The sync mode of each stream.

    Raises:
        ConfigurationError: a stream or mode does not exist, or a stream cannot have its mode.
    """
    for name in by_stream:
        if name not in CATALOGUE:
            raise ConfigurationError(f'streams = "{name}": there is no such stream. Example: {_STREAMS_EXAMPLE}.')
    modes: dict[str, Mode] = {}
    for name, stream in CATALOGUE.items():
        where = f"streams.{name}"
        given = by_stream.get(name) or dlt.config.get(f"sources.{SECTION}.{where}")
        own_settings = checks.table(where, given, _STREAMS_EXAMPLE)
        for unknown in set(own_settings) - {"sync_mode"}:
            raise ConfigurationError(f'{where} = "{unknown}": there is no such setting. Example: {_STREAMS_EXAMPLE}.')
        own = own_settings.get("sync_mode") or dlt.config.get(f"sources.{SECTION}.{where}.sync_mode")
        if own:
            modes[name] = check_mode(stream, own)
        else:
            wanted = all_streams or DEFAULT
            modes[name] = check_mode(stream, DEFAULT if wanted == "history" and stream.immutable else wanted)
    return modes


def _columns(stream: Stream, settings: Settings) -> dict[str, Any]:
    """Column hints: types, descriptions, and which row of a key is the newest."""
    as_json, mode = settings.nested == "json", settings.sync_modes[stream.name]
    hints: dict[str, Any] = {}
    for name, data_type in stream.columns.items():
        if data_type == "json" and not as_json:
            continue
        hints[name] = {"name": name, "data_type": data_type, "nullable": name not in stream.key}
        if name in stream.notes:
            hints[name]["description"] = stream.notes[name]
    if stream.version and mode == "incremental":
        hints[stream.version]["dedup_sort"] = "desc"
    if stream.removes:
        description = "when the row was found to be deleted in Zendesk, UTC"
        hints[DELETED_AT] = {
            "name": DELETED_AT,
            "data_type": "timestamp",
            "nullable": True,
            "hard_delete": settings.deletes == "remove" and mode == "incremental",
            "description": description,
        }
    if (stream.snapshot or mode == "history") and as_json:
        hints[DIGEST] = {
            "name": DIGEST,
            "data_type": "text",
            "nullable": False,
            "description": "digest of the row's content",
        }
    return hints


def _quiet_arrow_hints() -> None:
    """Keep dlt from warning, page by page, that a JSON column arrives as text: it is meant to."""
    log = logging.getLogger("dlt")
    if not any(isinstance(known, _ArrowHints) for known in log.filters):
        log.addFilter(_ArrowHints())


class _ArrowHints(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return "several column hints were different" not in record.getMessage()
