"""Pipelines into throw-away databases, and whole tables beside the simulator's truth."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import dlt
import pytest
from bigquery_server import BigQueryServer
from dlt.common.normalizers.naming import NamingConvention
from dlt.common.schema import Schema
from dlt.common.schema.utils import has_table_seen_data
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials
from dlt.pipeline.pipeline import Pipeline
from postgres_server import PostgresServer

from zendesk_support import zendesk_support_source
from zendesk_support.bigquery import bigquery
from zendesk_support.postgres import postgres
from zendesk_support.reading.readings import READ_AT
from zendesk_support.records.json_rows import raw, with_texts
from zendesk_support.report import Report
from zendesk_support.running.runner import sync
from zendesk_support.simulator import Simulator
from zendesk_support.streams import CATALOGUE
from zendesk_support.streams.routing import digest

MakePipeline = Callable[..., Pipeline]
SCALE = 600.0
OWN_COLUMNS = {"_dlt_id", "_dlt_load_id", "_dlt_valid_from", "_dlt_valid_to", "_deleted_at"}
OWN_BY_STREAM = {
    "ticket_metrics": {"generated_timestamp"},
    "ticket_comments": {"event_timestamp"},
    "csat_survey_responses": set(
        "sent_at updated_at ticket_id rating rating_category survey_id survey_version".split()
    ),
    "csat_surveys": {"locale"},
    **{name: {READ_AT, "current_timestamp"} for name, stream in CATALOGUE.items() if stream.is_reading},
}
"""Columns that are worked out, which other tests look at."""
OF_ALL = {"CLOCK_SCALE": str(SCALE), "START_DATE": "2015-01-01", "VIEWS": "off"}
"""Settings of every simulated account."""
STAYING = {
    "csat_surveys",
    "deleted_tickets",
    "organization_merges",
    "ticket_activities",
    "ticket_audits",
    "ticket_skips",
    "webhook_invocations",
}
"""Streams whose rows stay though Zendesk lists them no longer."""
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6})?(Z|\+00:00)")
SCALAR_OR_LIST = ("value", "list")
ADDED = {"tickets": {"fields", "metric_set"}, "attribute_definitions": {"list"}}


def simulated(**options: Any) -> Simulator:
    """A simulated account, small unless told otherwise, whose minutes pass in tenths of a second."""
    return Simulator(**{"seed": 1, "tickets": 60, "clock_scale": SCALE, **options})


def source(account: Simulator, **settings: Any) -> Any:
    """The source on a simulated account."""
    known = account.credentials
    defaults = {
        "base_url": account.base_url,
        "credentials": {"client_id": known["client_id"], "client_secret": known["client_secret"]},
        "start_date": "2015-01-01",
        "clock_scale": SCALE,
        "views": "off",  # they take longer than most loads; tests/wide has them
    }
    return zendesk_support_source(**{**defaults, **settings})


def environment_of(account: Simulator, **more: str) -> dict[str, str]:
    """The environment that leads to a simulated account, with more settings of the source."""
    known = account.credentials
    given = {
        "BASE_URL": account.base_url,
        "CLOCK_SCALE": str(SCALE),
        "START_DATE": "2015-01-01",
        "CREDENTIALS__CLIENT_ID": known["client_id"],
        "CREDENTIALS__CLIENT_SECRET": known["client_secret"],
        "VIEWS": "off",
        **more,
    }
    return {f"SOURCES__ZENDESK_SUPPORT__{name}": value for name, value in given.items()}


def environment_of_accounts(accounts: Mapping[str, Simulator], **more: str) -> dict[str, str]:
    """The environment that leads to simulated accounts by name, with settings that all of them have."""
    found = {f"SOURCES__ZENDESK_SUPPORT__{name}": value for name, value in (OF_ALL | more).items()}
    for name, account in accounts.items():
        given = {
            "BASE_URL": account.base_url,
            "SAME_ACCOUNT_AS": f"{name}.example.com",
            "CREDENTIALS__CLIENT_ID": account.credentials["client_id"],
            "CREDENTIALS__CLIENT_SECRET": account.credentials["client_secret"],
        }
        found |= {f"SOURCES__ZENDESK_SUPPORT__ACCOUNTS__{name.upper()}__{key}": given[key] for key in given}
    return found


def pipeline(tmp_path: Path, name: str = "zendesk", server: PostgresServer | BigQueryServer | None = None) -> Pipeline:
    """A pipeline into a DuckDB file of the test's own, or into a schema of its own on a server."""
    if server is not None:
        made: Any = postgres(server.url) if isinstance(server, PostgresServer) else bigquery(server.credentials)
        return dlt.pipeline(name, destination=made, dataset_name=f"{name}_{uuid4().hex[:8]}")
    credentials = DuckDbCredentials(str(tmp_path / f"{name}.duckdb"))
    credentials.resolve()  # once, not at each step of a pipeline
    return dlt.pipeline(name, destination=dlt.destinations.duckdb(credentials), dataset_name="warehouse")


def queries(account: Simulator, route: str) -> list[dict[str, list[str]]]:
    """The parameters of each request of a route."""
    return [parse_qs(request["query"]) for request in account.requests() if request["route"] == route]


def load(target: Pipeline, account: Simulator, *streams: str, **settings: Any) -> Report:
    """Sync streams (all by default) and insist that each is loaded."""
    report = sync(target, source(account, **settings).with_resources(*(streams or CATALOGUE)))
    assert {stream.stream: stream.message for stream in report.failed} == {}
    return report


@dataclass(frozen=True)
class Loaded:
    """What was loaded once from an account that no test changes, for each of several tests to go on from.

    Attributes:
        account: the account.
        folder: with the database and the home of dlt.
    """

    account: Simulator
    folder: Path

    @classmethod
    def make(cls, folder: Path, account: Simulator, *streams: str, **settings: Any) -> Loaded:
        """Load streams (all by default)."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DLT_DATA_DIR", str(folder / "dlt"))
            load(pipeline(folder), account, *streams, **settings)
        return cls(account, folder)

    def copy(self, tmp_path: Path) -> Pipeline:
        """A pipeline that is where this one was left."""
        shutil.copytree(self.folder, tmp_path, dirs_exist_ok=True)
        return pipeline(tmp_path)


def written(report: Report) -> dict[str, int]:
    """Rows by stream that a sync has written, of streams with any; readings are new each time, and tell nothing."""
    return {
        stream.stream: stream.rows
        for stream in report.streams.values()
        if stream.rows and not is_reading(stream.stream)
    }


def is_reading(name: str) -> bool:
    """Whether every sync adds how things stand now to a table, also where nothing has changed."""
    return name in CATALOGUE and CATALOGUE[name].is_reading


def table(target: Pipeline, name: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    """A whole table by primary key, without the columns this library adds: JSON decoded, child tables as `leaves`."""
    return by_key(name, rows(target, name))


def by_key(name: str, listed: list[dict[str, Any]]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Rows by primary key, of which there is one each, without the columns that this library or dlt adds.

    Of several readings of how things stand, the last.
    """
    if is_reading(name):
        last = max((row[READ_AT] for row in listed), default=None)
        listed = [row for row in listed if row[READ_AT] == last]
    left_out = OWN_COLUMNS | OWN_BY_STREAM.get(name, set())
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in listed:
        key = key_of(name, row)
        assert key not in found, f"{name} has two rows of {key}"
        found[key] = {column: value for column, value in row.items() if column not in left_out}
    return found


def key_of(name: str, row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[column] for column in CATALOGUE[name].key if column != READ_AT)


def standing(name: str, listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of several versions of rows the last of each, less those marked as deleted."""
    last: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in sorted(listed, key=lambda row: (row["_dlt_load_id"], "_dlt_valid_to" not in row)):
        last[key_of(name, row)] = row
    return [row for row in last.values() if "_deleted_at" not in row]


def rows(target: Pipeline, name: str) -> list[dict[str, Any]]:
    """Every row of a table with its values that are not null; what child tables hold of it as `leaves` names it."""
    return rows_of(target, name)[name]


def rows_of(target: Pipeline, *names: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of several tables, read with one connection."""
    schema = target.default_schema
    with target.sql_client() as client:
        return {name: whole_rows(client, schema, name) for name in names}


def whole_rows(client: Any, schema: Schema, name: str) -> list[dict[str, Any]]:
    """Every row of a table, with what its child tables hold of it."""
    found = records(client, schema, name)
    if is_spread(schema, name):
        by_id = {row["_dlt_id"]: row for row in found}
        assert len(by_id) == len(found), f"{name} has two rows of one _dlt_id"
        add_children(client, schema, name, {id: (row, "") for id, row in by_id.items()})
    return found


def is_spread(schema: Schema, name: str) -> bool:
    """Whether a table was made with `nested="tables"`."""
    return schema.tables[name]["x-nested"] == "tables"  # type: ignore[typeddict-item]


def add_children(client: Any, schema: Schema, table: str, parents: dict[str, tuple[dict[str, Any], str]]) -> None:
    """Put the values of a table's child tables, and of theirs, into the root rows.

    Args:
        client: an open connection.
        schema: the pipeline's schema.
        table: the parents' table.
        parents: by `_dlt_id`, the root row and the path of the parent within it.
    """
    made = {name: child for name, child in schema.tables.items() if child.get("parent") == table}
    for child in [name for name, hints in made.items() if has_table_seen_data(hints)]:
        below = {}
        for record in records(client, schema, child):
            assert record["_dlt_parent_id"] in parents, f"{child} has a row without a parent"
            root, path = parents[record["_dlt_parent_id"]]
            path = f"{path}{child.removeprefix(f'{table}__')}.{record['_dlt_list_idx']}."
            assert record["_dlt_id"] not in below, f"{child} has two rows of one _dlt_id"
            below[record["_dlt_id"]] = root, path
            values = {f"{path}{name}": value for name, value in record.items() if not name.startswith("_dlt")}
            assert not values.keys() & root.keys(), f"{child} has {path} twice"
            root |= values
        add_children(client, schema, child, below)


def records(client: Any, schema: Schema, table: str) -> list[dict[str, Any]]:
    """Every row of one table at the destination, null left out, a misfit's value under the name of its column."""
    columns = {name: hints for name, hints in schema.tables[table]["columns"].items() if "data_type" in hints}
    listed = ", ".join(
        # As texts, JSON values are the same with every client.
        f"CAST({client.escape_column_name(name)} AS {type_of(client, 'text')})"
        if hints["data_type"] == "json" and type_of(client, "json") != type_of(client, "text")
        else client.escape_column_name(name)
        for name, hints in columns.items()
    )
    meant = [name.rpartition("__v_")[0] if hints.get("variant") else name for name, hints in columns.items()]
    types = [hints["data_type"] for hints in columns.values()]
    found = []
    for values in client.execute_sql(f"SELECT {listed} FROM {client.make_qualified_table_name(table)}") or ():
        record: dict[str, Any] = {}
        for name, value, data_type in zip(meant, values, types):
            if value is not None:
                assert name not in record, f"{table} has two values of {name} in one row"
                record[name] = plain(value, data_type)
        found.append(record)
    return found


def leaves(value: Any, naming: NamingConvention, path: str = "") -> dict[str, Any]:
    """A value's scalars by their place in dlt's tables: `via__source__rel`, `custom_fields.0.value`, `tags.2.value`."""
    if isinstance(value, dict):
        parts = [leaves(item, naming, f"{path}{naming.normalize_path(key)}__") for key, item in value.items()]
    elif isinstance(value, list):
        items = [item if isinstance(item, dict) else {SCALAR_OR_LIST[isinstance(item, list)]: item} for item in value]
        parts = [leaves(item, naming, f"{path.removesuffix('__')}.{place}.") for place, item in enumerate(items)]
    else:
        return {} if value is None else {path.removesuffix("__"): utc(value)}
    return {name: leaf for part in parts for name, leaf in part.items()}


def utc(value: Any) -> Any:
    """A text with Z for UTC, and microseconds if it has parts of a second, where it is a time; all else as it is."""
    if not (isinstance(value, str) and TIME.fullmatch(value)):
        return value
    return moment(value).isoformat().replace("+00:00", "Z")


def plain(value: Any, data_type: str | None) -> Any:
    """A database value as the API's JSON has it."""
    if value is None:
        return None
    if data_type == "json":
        return json.loads(value)
    if data_type == "bool":
        return bool(value)  # SQLite has integers
    if data_type == "timestamp" and isinstance(value, str):
        value = datetime.fromisoformat(value)  # and texts
    if isinstance(value, datetime):
        in_utc = value.astimezone(timezone.utc) if value.tzinfo else value.replace(tzinfo=timezone.utc)
        return utc(in_utc.isoformat())
    return value


def truth(account: Simulator, name: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    """What the table must hold, by primary key."""
    stream = CATALOGUE[name]
    rows = identified(account, name)
    if name == "attribute_definitions":
        rows = [{"condition": row["list"].removeprefix("conditions_"), **row} for row in rows]
    if name == "ticket_activities":
        rows = [{"ticket_id": row["target"]["ticket"]["id"], **row} for row in rows]
    times = [column for column, data_type in stream.columns.items() if data_type == "timestamp"]
    return {
        key_of(name, row): {
            column: utc(value) if column in times else value
            for column, value in row.items()
            if value is not None and column not in (*ADDED.get(name, ()), *stream.withheld)
        }
        for row in rows
    }


def identified(account: Simulator, name: str) -> list[dict[str, Any]]:
    """All rows of a stream, with the ids that are made for those without one."""
    rows: list[dict[str, Any]] = account.truth(name)
    if name == "queue_events":
        return [{"id": digest({column: raw(value) for column, value in row.items()}), **row} for row in rows]
    if name == "chat_agent_timeline":
        return [{"id": f"{row['agent_id']} {row['start_time']}", **row} for row in rows]
    return rows


def moment(text: str) -> datetime:
    """A time as the API writes it."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def facts(account: Simulator, name: str, start: int, end: int | None = None) -> set[tuple[Any, ...]]:
    """Keys of a fact stream's rows within a period."""
    stream = CATALOGUE[name]
    tickets = {row["id"]: row["generated_timestamp"] for row in account.truth("tickets")}
    events = {row["id"]: row["timestamp"] for row in account.truth("ticket_events")}
    children = {
        child["id"]: events[row["id"]] for row in account.truth("ticket_events") for child in row["child_events"]
    }

    def time(row: dict[str, Any]) -> int:
        if name == "ticket_metrics":
            return int(tickets[row["ticket_id"]])
        if name == "ticket_comments":
            return int(children[row["id"]])
        if name == "csat_survey_responses":
            return seconds(row["expires_at"]) - 28 * 86400
        value = row[stream.cursor or "updated_at"]
        return value if isinstance(value, int) else seconds(value)

    return {
        tuple(row[column] for column in stream.key)
        for row in identified(account, name)
        if time(row) >= start and (end is None or time(row) < end)
    }


def seconds(text: str) -> int:
    return int(moment(text).timestamp())


@contextmanager
def told(case: object) -> Iterator[None]:
    """Name the case that a failure belongs to, where one test has several."""
    try:
        yield
    except AssertionError as error:
        raise AssertionError(f"{case}: {error}") from error


def assert_whole(target: Pipeline, account: Simulator, *streams: str) -> None:
    """Compare whole tables with the truth."""
    assert_rows(target, account, rows_of(target, *(streams or CATALOGUE)))


def assert_counted(server: PostgresServer | BigQueryServer, dataset: str, account: Simulator, *streams: str) -> None:
    """At a server, each of some tables has as many rows as the account, each with a key of its own."""
    for name in streams:
        [(rows, keys)] = server.query(f"SELECT count(*), count(DISTINCT id) FROM {dataset}.{name}")
        assert rows == keys == len(truth(account, name)), name


def assert_rows(
    target: Pipeline,
    account: Simulator,
    listed: dict[str, list[dict[str, Any]]],
    shown: Callable[[str, dict[str, Any]], dict[str, Any]] = lambda _, row: row,
) -> None:
    """Compare rows by table with the truth, or with what a table shows of it."""
    schema = target.default_schema
    for name, of_table in listed.items():
        expected, found = truth(account, name), by_key(name, of_table)
        expected = {key: shown(name, row) for key, row in expected.items()}
        if is_spread(schema, name):
            varying = CATALOGUE[name].varying_paths
            expected = {key: leaves(with_texts(row, varying), schema.naming) for key, row in expected.items()}
        if name in STAYING:
            found = {key: row for key, row in found.items() if key in expected}
        assert sorted(map(str, found)) == sorted(map(str, expected)), f"{name}: other rows"
        for key, row in expected.items():
            assert typed(found[key]) == typed(row), f"{name} {key}"


def typed(row: dict[str, Any]) -> dict[str, Any]:
    """A row whose true and false do not equal 1 and 0."""
    return {name: (type(value), value) if isinstance(value, bool) else value for name, value in row.items()}


def type_of(client: Any, data_type: str) -> str:
    """What the destination calls a type."""
    mapper = client.capabilities.get_type_mapper()
    return str(mapper.to_destination_type({"name": "", "data_type": data_type}, {}))
