"""What only BigQuery does: its script, JSON as texts, partitions, and what is told before the first request."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from bigquery_server import PROJECT, BigQueryServer
from dlt.common.configuration.specs import GcpServiceAccountCredentials
from repository import ROOT
from support import assert_counted, assert_whole, load, pipeline, rows, standing, table, truth

from zendesk_support import cli
from zendesk_support.simulator import Simulator

pytestmark = pytest.mark.bigquery

SCRIPT = ROOT / "pipelines" / "zendesk_to_bigquery.py"
CREDENTIALS = "DESTINATION__BIGQUERY__CREDENTIALS"
STREAMS = ("tickets", "groups")
ARGUMENTS = ["--progress", "off", "--streams", *STREAMS]


@pytest.fixture
def dataset(configured: Simulator, bigquery: BigQueryServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """A dataset of the test's own, and the settings that lead from the account to the emulator."""
    monkeypatch.setenv(CREDENTIALS, bigquery.credentials)
    # Google's own search for credentials would ask the machine's neighbours.
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setattr(GcpServiceAccountCredentials, "_LAST_FAILED_DEFAULT", 0.0)
    return f"cli_{configured.base_url.rpartition(':')[2]}"


def test_the_demo_begins_anew_each_time(
    bigquery: BigQueryServer, dataset: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--demo", "--streams", "tickets", "ticket_metrics", "--dataset", dataset]
    for _ in range(2):
        assert cli.bigquery(arguments) == 0
        shown = capsys.readouterr().out
        assert re.search(r"^tickets +500 .*^tickets +19 ", shown, re.MULTILINE | re.DOTALL)
        for title in ("Tickets by status", "First reply"):
            assert title in shown
        assert f"{PROJECT} (US), schema {dataset}." in shown
    assert bigquery.query(f"SELECT count(*) FROM {dataset}.tickets") == [(505,)]


def test_large_tables_are_partitioned_by_month_and_clustered(
    tmp_path: Path, account: Simulator, bigquery: BigQueryServer
) -> None:
    target = pipeline(tmp_path, server=bigquery)
    load(target, account, "tickets", "ticket_metric_events", "groups")
    client = bigquery.client()
    found = {}
    for name in ("tickets", "ticket_metric_events", "groups", "sync_report"):
        made = client.get_table(f"{target.dataset_name}.{name}")
        months = made.time_partitioning
        found[name] = ((months.field, months.type_) if months else None, made.clustering_fields)
    assert found == {
        "tickets": (("created_at", "MONTH"), ["id"]),
        "ticket_metric_events": (("time", "MONTH"), ["ticket_id", "id"]),
        "groups": (None, None),
        "sync_report": (None, None),
    }


def test_nested_values_are_read_with_the_query_of_the_docs(
    tmp_path: Path, account: Simulator, bigquery: BigQueryServer
) -> None:
    target = pipeline(tmp_path, server=bigquery)
    load(target, account, "tickets")
    expected: dict[str, int] = {}
    for row in truth(account, "tickets").values():
        expected[row["via"]["channel"]] = expected.get(row["via"]["channel"], 0) + 1
    page = (ROOT / "docs" / "destinations.md").read_text()
    (query,) = re.findall(r"```sql\n([^`]*JSON_VALUE[^`]*)```", page)
    assert dict(bigquery.query(query.replace("zendesk_support", target.dataset_name))) == expected


def test_texts_keep_every_character(tmp_path: Path, account: Simulator, bigquery: BigQueryServer) -> None:
    """L14."""
    target = pipeline(tmp_path, server=bigquery)
    memberships = account.account.tables["group_memberships"]
    texts = ("a\0b", "\\", "'; DROP TABLE x; --", "\u2028🎉", '{"a": "\0"}')
    texts_of = dict(zip(memberships.rids, texts))
    for rid, value in texts_of.items():
        memberships.change(rid).update({"url": value, "extra": {"deep": [value]}, "_PARTITIONTIME": value})
    account.account.changed()
    for _ in range(2):
        load(target, account, "group_memberships", deletes="mark")
        held = table(target, "group_memberships")
        names = ("url", "extra", "zendesk_partitiontime")
        assert {rid: tuple(held[(rid,)][name] for name in names) for rid in texts_of} == {
            rid: (value, {"deep": [value]}, value) for rid, value in texts_of.items()
        }
        account.mutate("remove_rows", stream="group_memberships", count=len(memberships.rids))


def test_history_keeps_what_was(tmp_path: Path, account: Simulator, bigquery: BigQueryServer) -> None:
    target = pipeline(tmp_path, server=bigquery)
    streams = ("tickets", "group_memberships")
    load(target, account, *streams, sync_mode="history")
    first = truth(account, "tickets")
    changed = account.mutate("update_tickets", count=3)["ids"]
    account.mutate("remove_rows", stream="group_memberships", count=2)
    load(target, account, *streams, sync_mode="history")
    held = rows(target, "tickets")
    before = {row["id"]: row["updated_at"] for row in held if "_dlt_valid_to" in row}
    assert before == {id: first[(id,)]["updated_at"] for id in changed}
    for name in streams:
        assert {row["id"] for row in standing(name, rows(target, name))} == {key for (key,) in truth(account, name)}


def test_redacted_and_scrubbed_texts_go(tmp_path: Path, account: Simulator, bigquery: BigQueryServer) -> None:
    """L11, L15."""
    target = pipeline(tmp_path, server=bigquery)
    streams = ("tickets", "ticket_metrics", "ticket_comments")
    load(target, account, *streams)
    for kind, count in (("redact_comments", 3), ("delete_tickets", 3), ("scrub_tickets", 2)):
        account.mutate(kind, count=count)
    load(target, account, *streams)
    assert_whole(target, account, *streams)


@pytest.mark.parametrize("option", ["--strict", "--demo"])
@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({CREDENTIALS: None}, "No credentials for BigQuery are set."),
        ({CREDENTIALS: "{}"}, "No credentials for BigQuery are set."),
        ({CREDENTIALS: "somewhere"}, "cannot parse the configuration value"),
        ({CREDENTIALS: None, "GOOGLE_APPLICATION_CREDENTIALS": "nowhere.json"}, "No credentials for BigQuery are set."),
        ({"BIGQUERY_EMULATOR_HOST": "http://127.0.0.1:1"}, "Connection refused"),
        ({"DESTINATION__BIGQUERY__LOCATION": "EU"}, "is in US. Example: DESTINATION__BIGQUERY__LOCATION=US"),
    ],
    ids=["none", "empty", "no JSON", "no file", "no server", "elsewhere"],
)
def test_a_project_that_does_not_answer_is_told_before_the_first_request(
    account: Simulator,
    bigquery: BigQueryServer,
    dataset: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    settings: dict[str, str | None],
    expected: str,
    option: str,
) -> None:
    """L34."""
    bigquery.client().create_dataset(dataset, exists_ok=True)
    monkeypatch.setenv("DESTINATION__BIGQUERY__RETRY_DEADLINE", "0.1")
    for name, value in settings.items():
        if value is None:
            monkeypatch.delenv(name)
        else:
            monkeypatch.setenv(name, value)
    assert cli.bigquery([*ARGUMENTS, option, "--dataset", dataset]) == 2
    told = capsys.readouterr().err
    assert expected in told
    assert "DESTINATION__BIGQUERY__CREDENTIALS__PROJECT_ID" in told
    assert "PRIVATE KEY" not in told
    assert "try --demo" not in told
    assert account.requests() == []


def test_a_missing_package_is_told_with_the_command_that_installs_it(
    account: Simulator, dataset: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "google.cloud.bigquery", None)
    assert cli.bigquery(ARGUMENTS) == 2
    assert "install google.cloud.bigquery: pip install -e '.[bigquery]'" in capsys.readouterr().err
    assert account.requests() == []


def test_the_hourly_sync_names_credentials_and_location(
    account: Simulator, bigquery: BigQueryServer, dataset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / ".github" / "workflows" / "zendesk_sync.yml").read_text()
    given = {value: name for name, value in re.findall(r"(DESTINATION__\w+): \$\{\{ ([\w.]+)", text)}
    monkeypatch.delenv(CREDENTIALS)
    monkeypatch.setenv(given["secrets.DESTINATION_CREDENTIALS"], bigquery.credentials)
    monkeypatch.setenv(given["vars.DESTINATION_LOCATION"], "EU")
    assert cli.bigquery(["--progress", "off", "--streams", "groups", "--dataset", dataset]) == 0
    assert bigquery.client().get_dataset(dataset).location == "EU"
    assert bigquery.query(f"SELECT count(*) FROM {dataset}.groups") == [(len(truth(account, "groups")),)]


def test_a_process_killed_while_it_loads_is_made_good_by_the_next(
    account: Simulator,
    bigquery: BigQueryServer,
    dataset: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """L03, L21: the script, with the application default credentials of a key file."""
    (home / "key.json").write_text(bigquery.credentials)
    monkeypatch.delenv(CREDENTIALS)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(home / "key.json"))
    command = [sys.executable, str(SCRIPT), *ARGUMENTS, "--dataset", dataset]

    def run() -> None:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert (done.returncode, done.stderr) == (0, "")
        assert_counted(bigquery, dataset, account, *STREAMS)

    run()
    changed = account.mutate("update_tickets", count=5)["ids"]
    account.mutate("create_rows", stream="groups")
    loading = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while not list(home.glob("dlt/pipelines/*/load/normalized/*/started_jobs/tickets.*")):
        assert loading.poll() is None, "it ended without loading"
        time.sleep(0.01)
    with bigquery.halted():
        loading.send_signal(signal.SIGKILL)
        loading.wait()
    assert list(home.glob("dlt/pipelines/*/load/normalized/*/started_jobs")), "it had loaded all"
    run()
    expected = {(row["id"], row["subject"]) for row in truth(account, "tickets").values() if row["id"] in changed}
    listed = ", ".join(map(str, changed))
    assert set(bigquery.query(f"SELECT id, subject FROM {dataset}.tickets WHERE id IN ({listed})")) == expected
