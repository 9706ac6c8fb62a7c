"""Three accounts with colliding ids in one dataset: tables hold what each account holds, whatever the others do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import dlt
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline
from support import MakePipeline, assert_rows, environment_of_accounts, pipeline, rows_of, simulated, source, written

from zendesk_support import Report, sync, sync_accounts, verify
from zendesk_support.error_messages import causes
from zendesk_support.errors import ConfigurationError, CredentialsError
from zendesk_support.running import runner
from zendesk_support.running.accounts import account_named, source_of_account
from zendesk_support.simulator import Simulator

SIZES = {"acme": 40, "globex": 25, "initech": 15}
STREAMS = (
    "tickets",
    "ticket_metrics",
    "ticket_comments",
    "ticket_tags",
    "ticket_audits",
    "users",
    "organizations",
    "groups",
    "macros",
    "tags",
    "articles",
    "article_comments",
    "custom_object_records",
)
CHANGES = (
    ("update_tickets", {"count": 4}),
    ("create_tickets", {"count": 2}),
    ("delete_tickets", {"count": 2}),
    ("update_users", {"count": 2}),
    ("create_rows", {"stream": "macros", "count": 2}),
    ("remove_rows", {"stream": "macros", "count": 3}),
    ("remove_rows", {"stream": "groups"}),
    ("remove_rows", {"stream": "custom_object_records"}),
)
SECRET = "SOURCES__ZENDESK_SUPPORT__ACCOUNTS__GLOBEX__CREDENTIALS__CLIENT_SECRET"
AUDITS = "ticket_audits"
Accounts = dict[str, Simulator]


@pytest.fixture
def accounts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Accounts]:
    """Three accounts that share tables, which the environment leads to."""
    found = {name: simulated(tickets=size).start() for name, size in SIZES.items()}
    for name, value in environment_of_accounts(found, INTO="one").items():
        monkeypatch.setenv(name, value)
    yield found
    for account in found.values():
        account.stop()


def load(target: Pipeline) -> dict[str, Report]:
    """Sync all accounts side by side into the place of a pipeline."""
    places = {"pipeline_name": target.pipeline_name, "dataset_name": target.dataset_name}
    return sync_accounts(target.destination, streams=STREAMS, **places)


def of_account(target: Pipeline, name: str) -> Pipeline:
    """The pipeline that has loaded an account."""
    own = f"{target.pipeline_name}_{name}"
    return dlt.pipeline(own, destination=target.destination, dataset_name=target.dataset_name)


def assert_whole(target: Pipeline, accounts: Accounts, *without: str) -> None:
    """The tables hold the rows of some accounts, and no row of nobody."""
    listed = rows_of(of_account(target, "acme"), *(stream for stream in STREAMS if stream not in without))
    for name, account in accounts.items():
        own = {
            stream: [
                {key: value for key, value in row.items() if key != "account"}
                for row in rows
                if row["account"] == f"{name}.example.com"
            ]
            for stream, rows in listed.items()
        }
        assert_rows(of_account(target, name), account, own)
    names = {f"{name}.example.com" for name in SIZES}
    assert {row["account"] for rows in listed.values() for row in rows} == names


def test_three_accounts_share_tables_and_none_touches_rows_of_another(
    make_pipeline: MakePipeline, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = make_pipeline()
    accounts["initech"].fault("status", status=400, body="{}", route=AUDITS, times=None)
    first = load(target)
    assert {name: [told.stream for told in report.failed] for name, report in first.items()} == {
        "acme": [],
        "globex": [],
        "initech": [AUDITS],
    }
    assert_whole(target, accounts, AUDITS)
    accounts["initech"].clear_faults()
    for account in accounts.values():
        for kind, parameters in CHANGES:
            account.mutate(kind, **parameters)
    with monkeypatch.context() as patch:
        patch.setenv(SECRET, "not-a-secret")
        second = load(target)
    assert {name: type(report.error) for name, report in second.items() if report.error} == {
        "globex": CredentialsError
    }, second["acme"].error
    assert_whole(target, {name: account for name, account in accounts.items() if name != "globex"})
    third = load(target)
    assert written(third["globex"])["macros"] == 5
    assert {name: written(third[name]) for name in ("acme", "initech")} == {"acme": {}, "initech": {}}
    assert_whole(target, accounts)
    fresh = source_of_account(account_named("globex")).with_resources(*STREAMS)
    found = verify(of_account(target, "globex"), fresh)
    assert {result.stream: result.why for result in found if not result.passed} == {}
    assert {result.account for result in found} == {"globex.example.com"}


def test_accounts_with_datasets_of_their_own_load_side_by_side(
    make_pipeline: MakePipeline, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__ZENDESK_SUPPORT__INTO", "each")
    target, streams = make_pipeline(), ("tickets", "groups")
    place = {"pipeline_name": target.pipeline_name, "dataset_name": target.dataset_name}
    accounts["initech"].fault("status", status=400, body="{}", route="groups", times=None)
    reports = sync_accounts(target.destination, streams=streams, **place)
    assert {name: [told.stream for told in report.failed] for name, report in reports.items()} == {
        "acme": [],
        "globex": [],
        "initech": ["groups"],
    }
    accounts["initech"].clear_faults()
    for account in accounts.values():
        account.mutate("delete_tickets", count=2)
        account.mutate("remove_rows", stream="groups")
    sync_accounts(target.destination, streams=streams, **place)
    for name, account in accounts.items():
        own = dlt.pipeline(
            f"{target.pipeline_name}_{name}",
            destination=target.destination,
            dataset_name=f"{target.dataset_name}_{name}",
        )
        assert_rows(own, account, rows_of(own, *streams))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"nested": "tables"}, 'into = "one" and nested = "tables": child tables have no column for the account.'),
        ({"sync_mode": "history"}, 'into = "one" and the sync mode history of '),
        ({"streams": {"groups": {"sync_mode": "overwrite"}}}, "and the sync mode overwrite of groups: it goes by"),
        ({"into": "two"}, 'into = "two" is not one of "each", "one".'),
    ],
)
def test_settings_that_do_not_hold_in_shared_tables_are_refused(
    settings: dict[str, object], told: str, account: Simulator
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        source(account, **{"into": "one", **settings})
    assert told in str(refused.value)


def one(account: Simulator, name: str = "acme", **settings: object) -> object:
    return source(account, same_account_as=f"{name}.example.com", **{"into": "one", **settings}).with_resources(
        "groups"
    )


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (lambda target, account: sync(target, one(account), full_refresh=True), "would drop the table, with the rows"),
        (lambda target, account: sync(target, one(account, into="each")), "holds the account globex.example.com"),
        (lambda target, account: sync(other(target, "third"), one(account)), "from another pipeline than third"),
        (lambda target, account: target.run(one(account), write_disposition="replace"), "the sync mode overwrite of"),
        (lambda target, account: lose(target, account), 'The table groups is gone, and into = "one"'),
    ],
)
def test_what_would_take_rows_of_other_accounts_is_refused(
    tmp_path: Path, account: Simulator, act: Callable[[Pipeline, Simulator], object], told: str
) -> None:
    target = pipeline(tmp_path)
    sync(target, one(account))
    sync(other(target, "second"), one(account, "globex"))
    target.activate()
    with pytest.raises((ConfigurationError, PipelineStepFailed)) as refused:
        act(target, account)
    assert any(told in str(cause) for cause in causes(refused.value) if isinstance(cause, ConfigurationError))
    if "gone" not in told:
        with target.sql_client() as client:
            assert client.execute_sql("SELECT count(DISTINCT account) FROM groups") == [(2,)]


def other(target: Pipeline, name: str) -> Pipeline:
    return dlt.pipeline(name, destination=target.destination, dataset_name=target.dataset_name)


def lose(target: Pipeline, account: Simulator) -> None:
    with target.sql_client() as client:
        client.execute_sql("DROP TABLE groups")
    sync(target, one(account))


@pytest.mark.parametrize("into", ["each", "one"])
def test_a_table_stays_as_it_was_made(tmp_path: Path, account: Simulator, into: str) -> None:
    target = pipeline(tmp_path)
    sync(target, one(account, into=into))
    with target.sql_client() as client:
        schemas = client.execute_sql("SELECT DISTINCT table_schema FROM information_schema.tables") or ()
    staging = "warehouse_staging" if into == "each" else "warehouse_staging_acme_example_com"
    assert {name for (name,) in schemas} == {"warehouse", staging}  # a load empties its staging dataset first
    now = "one" if into == "each" else "each"
    with pytest.raises(ConfigurationError, match=f'the table groups was made with into = "{into}"'):
        sync(target, one(account, into=now))
    if into == "each":
        with pytest.raises(ConfigurationError, match='the table groups was made with into = "each"'):
            sync(other(target, "second"), one(account, "globex"))


def test_a_column_that_one_account_has_made_takes_values_of_another_type(
    make_pipeline: MakePipeline, simulate: Callable[..., Simulator]
) -> None:
    """What another account's pipeline knows of the tables, this one's does not; both go by the tables themselves."""
    target = make_pipeline()
    values = {"acme": (target, 7), "globex": (other(target, "second"), "dark")}
    for round in range(2):
        for name, (place, value) in values.items():
            account = simulate()
            rows = account.account.tables["groups"]
            for rid in list(rows.rids)[: 2 + round]:
                rows.change(rid).update({"shade": value, "account": "theirs"})
            account.account.changed()
            report = sync(place, one(account, name))
            assert report.failed == []
            found = [row for row in rows_of(place, "groups")["groups"] if row["account"] == f"{name}.example.com"]
            assert sum(value in row.values() for row in found) == 2 + round
            assert sum("theirs" in row.values() for row in found) == 2 + round
    assert {row["account"] for row in rows_of(target, "groups")["groups"]} == {"acme.example.com", "globex.example.com"}


def test_a_column_that_two_accounts_bring_at_once_costs_no_row(
    tmp_path: Path, simulate: Callable[..., Simulator], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one's load fails on the type of the first, and its next sync reads the rows again."""
    target = pipeline(tmp_path)
    accounts = {"acme": simulate(), "globex": simulate()}
    for account, value in zip(accounts.values(), (7, "dark")):
        for rid in list(account.account.tables["groups"].rids):
            account.account.tables["groups"].change(rid)["shade"] = value
        account.account.changed()
    sync(target, one(accounts["acme"]))
    with monkeypatch.context() as patch:
        patch.setattr(runner, "adopt_columns", lambda pipeline, source: None)  # it looks before the first has loaded
        with pytest.raises(PipelineStepFailed):
            sync(other(target, "second"), one(accounts["globex"], "globex"))
    assert sync(other(target, "second"), one(accounts["globex"], "globex")).failed == []
    listed = rows_of(target, "groups")["groups"] + rows_of(other(target, "second"), "groups")["groups"]
    assert sum("dark" in row.values() for row in listed) == len(accounts["globex"].truth("groups"))
