"""The views: what each row and column shows, in every database, and what they leave alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import dlt
import pytest
from dlt.pipeline.pipeline import Pipeline
from postgres_server import PostgresServer
from support import MakePipeline, load, pipeline, source, truth

from zendesk_support import cli
from zendesk_support.errors import ConfigurationError
from zendesk_support.running.runner import sync
from zendesk_support.simulator import Simulator
from zendesk_support.wide.views import make_views

STREAMS = (
    "tickets",
    "users",
    "organizations",
    "ticket_metrics",
    "ticket_fields",
    "user_fields",
    "organization_fields",
)
OF_TICKETS = ("tickets", "ticket_fields")
WITHOUT_TEXT = {"tickets": {"exclude": ["description"]}}
BUILT_IN = ("subject", "description", "status", "tickettype", "priority", "group", "assignee", "custom_status")
TITLES = ("Region", "Region", "地域", "🎉", "", "Line of business", "Fields", "status")
ODD = {
    "checkbox": ["yes", "", 2, True, "false"],
    "integer": ["12", "12.0", "12.5", -3, 10**30, "x", True, "+5", " 7 ", "1234567890123456789", "9" * 19],
    "decimal": ["1e3", "1,5", 2.5, "-.5", "9" * 300, "+2.5", ".25", "1.000,5"],
    "date": ["2024-02-29", "2023-02-29", "2024-13-01", "2024-05-31T00:00:00Z", "soon", 5],
    "tagger": ["option_1", "gone", 7, ["a"]],
    "multiselect": [["option_1", "gone"], [], "option_1", '[not "json', {"a": 1}],
    "text": [{"a": [1]}, "", 7, True, '"quoted"'],
}
"""Values that a field of a type may hold, some of which are none of that type."""


@contextmanager
def changing(account: Simulator, table: str, count: int) -> Iterator[list[dict[str, Any]]]:
    """Some rows of an account, to be changed; custom fields only, where it has fields of its own."""
    store = account.account
    with store.lock:
        rids = [rid for rid in store.tables[table].rids if store.tables[table].get(rid).get("type") not in BUILT_IN]
        yield [store.tables[table].change(rid) for rid in rids[:count]]
        store.changed()


@pytest.fixture
def peculiar(simulate: Callable[..., Simulator]) -> Simulator:
    """An account whose first fields have peculiar titles and types, and whose tickets have values of all kinds."""
    account = simulate(tickets=40)
    with changing(account, "ticket_fields", len(TITLES)) as fields:
        for row, title, kind in zip(fields, TITLES, [*ODD, "lookup"]):
            row |= {"title": title, "type": kind, "relationship_target_type": "zen:user" if kind == "lookup" else None}
            row["custom_field_options"] = [{"name": f"Label: {n}", "value": f"option_{n}"} for n in range(3)]
        ids = [row["id"] for row in fields]
    with changing(account, "tickets", 30) as tickets:
        for number, row in enumerate(tickets):
            values = [odd[number % len(odd)] for odd in ODD.values()]
            pairs = [{"id": id, "value": value} for id, value in zip(ids, [*values, str(10**12 + number)])]
            row["custom_fields"] = row["fields"] = [] if number % 7 == 6 else pairs
    return account


@pytest.fixture(params=["duckdb", "postgres"])
def make_local(request: pytest.FixtureRequest, home: Path) -> MakePipeline:
    """Makes pipelines into DuckDB and Postgres in turn."""
    return partial(pipeline, home, server=request.getfixturevalue("postgres") if request.param == "postgres" else None)


def as_text(value: Any) -> str | None:
    """What a value is as text."""
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def typed(kind: str, value: Any) -> Any:
    """What the column of a type shows of a scalar, worked out apart from SQL."""
    text = as_text(value)
    if text is None:
        return None
    if kind == "checkbox":
        return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(text.lower())
    if kind in ("integer", "lookup"):
        whole = re.fullmatch(r"\s*([+-]?\d+)(\.0+)?\s*", text)
        return int(whole[1]) if whole and abs(int(whole[1])) < 92 * 10**17 else None
    if kind == "decimal":
        number = text.strip().replace(",", ".")
        return float(number) if re.fullmatch(r"[+-]?\d{0,100}\.?\d{1,100}([eE][+-]?\d\d?)?", number) else None
    if kind == "date":
        try:
            return date.fromisoformat(text[:10])
        except ValueError:
            return None
    return text


def expected(row: dict[str, Any], values: dict[Any, Any], fields: list[dict[str, Any]], names: dict[int, str]) -> Any:
    """The custom columns of a row; without those whose values are lists or objects in the wrong place."""
    found: dict[str, Any] = {}
    for one in fields:
        name, value = names[one["id"]], values.get(one["id"], values.get(one.get("key")))
        labels = {option["value"]: option["name"] for option in one.get("custom_field_options") or ()}
        if one["type"] == "multiselect":
            items = [as_text(item) for item in value] if isinstance(value, list) else None
            found[name] = items and [labels.get(item, item) for item in items]
            found[f"{name}__value"] = items
        elif isinstance(value, (list, dict)):
            continue
        elif one["type"] in ("tagger", "dropdown"):
            text = as_text(value)
            found[name], found[f"{name}__value"] = labels.get(text, text), text
        else:
            found[name] = typed(one["type"], value)
    return found


def shown(target: Pipeline, query: str, *values: Any) -> list[dict[str, Any]]:
    """The rows of a query as dictionaries."""
    with target.sql_client() as client, client.execute_query(query, *values) as cursor:
        columns = [column[0] for column in cursor.description]
        return [dict(zip(columns, row)) for row in cursor.fetchall()]


def view(target: Pipeline, name: str) -> dict[Any, dict[str, Any]]:
    """A view by id, with null for empty lists: BigQuery does not tell them apart."""
    with target.sql_client() as client:
        qualified = client.make_qualified_table_name(name)
    listed = shown(target, f"SELECT * FROM {qualified}")
    found = {row["id"]: {key: None if value == [] else value for key, value in row.items()} for row in listed}
    assert len(found) == len(listed)
    return found


def names_of(target: Pipeline, stream: str) -> dict[int, str]:
    """The columns' names, by field."""
    with target.sql_client() as client:
        qualified = client.make_qualified_table_name("custom_field_columns")
    rows = shown(target, f"SELECT field_id, column_name FROM {qualified} WHERE stream = %s", stream)
    return {row["field_id"]: row["column_name"] for row in rows}


def test_every_value_is_in_its_column_with_its_type(make_pipeline: MakePipeline, peculiar: Simulator) -> None:
    assert_every_value(make_pipeline(), peculiar, "json")


def test_every_value_is_in_its_column_where_lists_are_tables(make_local: MakePipeline, peculiar: Simulator) -> None:
    assert_every_value(make_local(), peculiar, "tables")


def assert_every_value(target: Pipeline, peculiar: Simulator, nested: str) -> None:
    """Load, and compare each column that a view adds with what Zendesk has."""
    load(target, peculiar, *STREAMS, views="on", nested=nested)
    ticket_fields = [row for row in peculiar.truth("ticket_fields") if row["type"] not in BUILT_IN]
    tickets, names = view(target, "tickets_wide"), names_of(target, "tickets")
    rows = truth(peculiar, "tickets").values()
    assert tickets.keys() == {row["id"] for row in rows}
    for row in rows:
        values = {pair["id"]: pair["value"] for pair in row["custom_fields"]}
        wanted = expected(row, values, ticket_fields, names)
        wanted |= {"channel": row["via"]["channel"], "satisfaction_score": row["satisfaction_rating"]["score"]}
        wanted |= {name: row[name] for name in ("tags", "collaborator_ids", "follower_ids", "status", "subject")}
        got = {name: tickets[row["id"]][name] for name in wanted}
        assert got == {name: None if value == [] else value for name, value in wanted.items()}
    for stream in ("users", "organizations"):
        kind = f"{stream[:-1]}_fields"
        found, names = view(target, f"{stream}_wide"), names_of(target, stream)
        for row in truth(peculiar, stream).values():
            wanted = expected(row, row[kind], peculiar.truth(kind), names)
            assert {name: found[row["id"]][name] for name in wanted} == wanted
    found = view(target, "ticket_metrics_wide")
    for row in truth(peculiar, "ticket_metrics").values():
        for clock in ("business", "calendar"):
            assert found[row["id"]][f"reply_time_in_minutes__{clock}"] == row["reply_time_in_minutes"][clock]
            assert found[row["id"]][f"on_hold_time_in_minutes__{clock}"] == row["on_hold_time_in_minutes"][clock]
    query = "SELECT avg(reply_time_in_minutes__business) AS mean FROM {}"
    with target.sql_client() as client:
        [mean] = shown(target, query.format(client.make_qualified_table_name("ticket_metrics_wide")))
    minutes = [row["reply_time_in_minutes"]["business"] for row in truth(peculiar, "ticket_metrics").values()]
    minutes = [value for value in minutes if value is not None]
    assert float(mean["mean"]) == pytest.approx(sum(minutes) / len(minutes))


def test_names_stay_while_fields_are_renamed_switched_off_deleted_and_added(
    make_local: MakePipeline, peculiar: Simulator
) -> None:
    target = make_local()
    load(target, peculiar, *OF_TICKETS, views="on")
    before, first = names_of(target, "tickets"), view(target, "tickets_wide")
    with changing(peculiar, "ticket_fields", 6) as fields:
        ids = [row["id"] for row in fields]
        fields[0]["title"] = "Continent"
        fields[1]["active"] = False
        fields[4]["custom_field_options"][1]["name"] = "Renamed"
        fields[4]["custom_field_options"].pop(2)
    assert [before[id] for id in ids] == [
        f"custom_region_{ids[0]}",
        f"custom_region_{ids[1]}",
        f"custom_{ids[2]}",
        f"custom_{ids[3]}",
        f"custom_{ids[4]}",
        "custom_line_of_business",
    ]
    peculiar.mutate("remove_rows", stream="ticket_fields", ids=[ids[5]])
    added = peculiar.mutate("create_rows", stream="ticket_fields")["ids"]
    for id in added:
        peculiar.account.tables["ticket_fields"].change(id)["type"] = "text"
    load(target, peculiar, *OF_TICKETS, views="on")
    after, found = names_of(target, "tickets"), view(target, "tickets_wide")
    assert before.items() < after.items()
    assert after.keys() - before.keys() == set(added)
    for id, row in first.items():
        assert found[id]["custom_line_of_business"] == row["custom_line_of_business"]
        label = row[f"custom_{ids[4]}"]
        assert found[id][f"custom_{ids[4]}"] == ("Renamed" if label == "Label: 1" else label)
    with target.sql_client() as client:
        told = client.make_qualified_table_name("custom_field_columns")
    rows = {row["field_id"]: row for row in shown(target, f"SELECT * FROM {told}")}
    assert (rows[ids[0]]["title"], rows[ids[1]]["active"], rows[ids[5]]["deleted"]) == ("Continent", False, True)
    assert [rows[id]["deleted"] for id in ids[:5]] == [False] * 5


@pytest.mark.parametrize("mode", ["history", "incremental_append", "mark"])
def test_views_show_the_rows_that_hold_now(make_local: MakePipeline, peculiar: Simulator, mode: str) -> None:
    target = make_local()
    settings = {"deletes": "mark"} if mode == "mark" else {"sync_mode": mode}
    streams = ("organizations", "organization_fields", *OF_TICKETS)
    load(target, peculiar, *streams, views="on", **settings)
    peculiar.mutate("update_tickets", count=5)
    peculiar.mutate("remove_rows", stream="organizations")
    load(target, peculiar, *streams, views="on", **settings)
    rows = truth(peculiar, "tickets").values()
    assert {id: row["subject"] for id, row in view(target, "tickets_wide").items()} == {
        row["id"]: row["subject"] for row in rows
    }
    if mode != "incremental_append":
        assert view(target, "organizations_wide").keys() == {row["id"] for row in peculiar.truth("organizations")}


def test_a_refresh_drops_tables_below_views(make_local: MakePipeline, account: Simulator) -> None:
    target = make_local()
    load(target, account, *OF_TICKETS, views="on")
    names = names_of(target, "tickets")
    target.run(source(account).with_resources(*OF_TICKETS), refresh="drop_sources")
    sync(target, source(account, views="on").with_resources(*OF_TICKETS), full_refresh=True)
    assert names_of(target, "tickets") == names
    assert view(target, "tickets_wide").keys() == {key for (key,) in truth(account, "tickets")}


def test_columns_that_are_left_out_or_hashed_cost_no_view(make_local: MakePipeline, account: Simulator) -> None:
    target = make_local()
    masks = {
        "tickets": {"exclude": ["custom_fields"], "hash": ["tags", "via"]},
        "users": {"exclude": ["tags"], "hash": ["user_fields", "email"]},
        "ticket_metrics": {"exclude": ["reply_time_in_minutes"]},
    }
    load(target, account, *STREAMS, views="on", streams=masks, hash_salt="of no account at all")
    tickets, users, metrics = (view(target, f"{name}_wide") for name in ("tickets", "users", "ticket_metrics"))
    assert len(tickets) == len(truth(account, "tickets"))
    assert all(len(row["tags"]) == 32 and "channel" not in row for row in tickets.values())
    assert not [name for row in tickets.values() for name in row if name.startswith("custom_s") and "id" not in name]
    assert all("tags" not in row and row["custom_newsletter"] is None for row in users.values())
    assert all("reply_time_in_minutes__business" not in row for row in metrics.values())


def test_of_several_versions_in_one_load_the_newest_counts(home: Path, simulate: Callable[..., Simulator]) -> None:
    account = simulate(tickets=1500)
    target = pipeline(home)
    account.on_request(3, "update_tickets", count=60)
    load(target, account, "tickets", views="on", sync_mode="incremental_append")
    assert shown(target, "SELECT count(*) - count(DISTINCT id) AS doubles FROM warehouse.tickets")[0]["doubles"] > 0
    subjects = {id: row["subject"] for id, row in view(target, "tickets_wide").items()}
    assert subjects == {row["id"]: row["subject"] for row in truth(account, "tickets").values()}


def test_a_pipeline_that_loads_the_fields_alone_knows_how_tickets_are_kept(home: Path, account: Simulator) -> None:
    with_tickets, with_fields = pipeline(home), pipeline(home, "zendesk")
    load(with_tickets, account, "tickets", views="on", sync_mode="incremental_append")
    account.mutate("update_tickets", count=5)
    load(with_tickets, account, "tickets", views="on", sync_mode="incremental_append")
    alone = source(account, views="on").clone(with_name="fields").with_resources("ticket_fields")
    sync(with_fields, alone)
    found = view(with_tickets, "tickets_wide")
    assert found.keys() == {key for (key,) in truth(account, "tickets")}
    assert any(name.startswith("custom_") and name != "custom_status_id" for name in next(iter(found.values())))


def test_labels_that_are_left_out_are_forgotten(make_local: MakePipeline, account: Simulator) -> None:
    target = make_local()
    load(target, account, *OF_TICKETS, views="on")
    masks = {"ticket_fields": {"exclude": ["custom_field_options"]}}
    chosen = source(account, views="on", streams=masks).with_resources("ticket_fields")
    sync(target, chosen, full_refresh=True)
    with target.sql_client() as client:
        assert client.execute_sql(f"SELECT * FROM {client.make_qualified_table_name('custom_field_labels')}") == []
    found = view(target, "tickets_wide").values()
    assert {row["custom_product_area"] for row in found} == {row["custom_product_area__value"] for row in found}


def test_dlts_own_destination_for_postgres_has_views_too(postgres: PostgresServer, account: Simulator) -> None:
    target = dlt.pipeline("own", destination=dlt.destinations.postgres(postgres.url), dataset_name="own_postgres")
    load(target, account, *STREAMS, views="on")
    assert view(target, "tickets_wide").keys() == {key for (key,) in truth(account, "tickets")}
    assert view(target, "ticket_metrics_wide")


def test_what_stands_on_a_view_in_postgres_goes_on(postgres: PostgresServer, account: Simulator, home: Any) -> None:
    target = pipeline(home, server=postgres)
    load(target, account, *OF_TICKETS, views="on")
    dataset = target.dataset_name
    postgres.query(f"CREATE VIEW {dataset}.mine AS SELECT * FROM {dataset}.tickets_wide")
    account.mutate("create_rows", stream="ticket_fields")
    load(target, account, *OF_TICKETS, views="on")
    [(mine,)] = postgres.query(f"SELECT count(*) FROM {dataset}.mine")
    assert mine == len(truth(account, "tickets"))
    plan = postgres.query(f"EXPLAIN SELECT status FROM {dataset}.tickets_wide WHERE id = 7")
    assert "Function Scan" not in str(plan)
    assert "Index" in str(plan) or "Seq Scan on tickets" in str(plan)
    sync(target, source(account, views="on", streams=WITHOUT_TEXT).with_resources(*OF_TICKETS), full_refresh=True)
    assert postgres.query(f"SELECT count(*), count(description), count(status) FROM {dataset}.mine") == [
        (mine, 0, mine)
    ]
    [(functions,)] = postgres.query(
        "SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
        f"WHERE n.nspname = '{dataset}' AND proname LIKE 'tickets_wide%'"
    )
    assert functions == 1


def test_views_are_made_anew_only_where_something_has_changed(
    home: Any, account: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    monkeypatch.setattr("zendesk_support.wide.views.make_views", lambda *given: made.append(make_views(*given)))
    target = pipeline(home)
    for _ in range(2):
        load(target, account, *OF_TICKETS, views="on")
    assert len(made) == 1
    account.mutate("update_rows", stream="ticket_fields")
    load(target, account, *OF_TICKETS, views="on")
    assert len(made) == 2


def test_views_cost_no_request_and_no_row(home: Any, account: Simulator) -> None:
    asked = []
    for name, views in (("with", "on"), ("without", "off")):
        account.reset_requests()
        report = load(pipeline(home, name), account, *STREAMS, views=views)
        asked.append((len(account.requests()), {told.stream: told.rows for told in report.streams.values()}))
    assert asked[0] == asked[1]


def test_no_views_where_they_are_switched_off(home: Any, account: Simulator) -> None:
    target = pipeline(home)
    load(target, account, *OF_TICKETS, views="off")
    found = shown(target, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'warehouse'")
    assert not [row for row in found if row["table_name"].endswith("_wide") or "custom" in row["table_name"]]
    with pytest.raises(ConfigurationError, match=r'views = "no" is not one of "on", "off"\. Example: views = "on"'):
        source(account, views="no")


def test_a_view_that_cannot_be_made_costs_no_row(
    home: Any, account: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    target = pipeline(home)
    load(target, account, *OF_TICKETS, views="off")
    with target.sql_client() as client:
        client.execute_sql("CREATE TABLE warehouse.tickets_wide AS SELECT 1 AS mine")
    account.mutate("create_tickets")
    report = load(target, account, *OF_TICKETS, views="on")
    assert report.streams["tickets"].rows == 1
    assert "views for custom fields could not be made" in caplog.text
    assert shown(target, "SELECT mine FROM warehouse.tickets_wide") == [{"mine": 1}]


def test_the_command_makes_views_of_what_is_loaded(
    configured: Simulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__ZENDESK_SUPPORT__VIEWS", "off")
    assert cli.duckdb(["--views"]) == 1
    assert "nothing has been loaded" in capsys.readouterr().err
    assert cli.duckdb(["--progress", "off", "--streams", "groups"]) == 0
    assert cli.duckdb(["--views"]) == 1
    told = capsys.readouterr().err
    assert "it has none of the tables tickets, users, organizations, ticket_metrics" in " ".join(told.split())
    assert cli.duckdb(["--progress", "off", "--streams", *OF_TICKETS]) == 0
    capsys.readouterr()
    asked = len(configured.requests())
    assert cli.duckdb(["--views"]) == 0
    told = capsys.readouterr().out
    assert re.search(r"zendesk_support\.tickets_wide: \d+ columns, \d+ of them of custom fields", told)
    assert len(configured.requests()) == asked
    assert cli.duckdb(["--views", "--check"]) == 2
