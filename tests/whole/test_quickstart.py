"""The notebook in examples/ runs, draws what the account has, and shows the output of the code it holds."""

from __future__ import annotations

import base64
import io
import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import nbformat
import numpy as np
import pytest
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from PIL import Image
from repository import ROOT
from support import SCALE

from zendesk_support.simulator import Simulator

pytestmark = pytest.mark.notebook
PATH = ROOT / "examples" / "quickstart.ipynb"
SETTINGS = "SUBDOMAIN = None"
NOW = datetime(2026, 11, 4, 12, tzinfo=timezone.utc)
WEEKS = [date(2026, 11, 2) - timedelta(weeks=back) for back in range(26, 0, -1)]
LIMITS = {"under 1 day": 1, "1 to 3 days": 3, "3 to 7 days": 7, "1 to 2 weeks": 14, "2 to 4 weeks": 28}
LIMITS |= {"4 to 12 weeks": 84, "over 12 weeks": 10_000}
UNSOLVED = ("new", "open", "pending", "hold")
WATCH = """
import matplotlib.pyplot as plt
drawn, show_figure = {}, plt.show
def show():
    for axes in plt.gcf().axes:
        drawn[axes.get_title("left")] = {
            **{line.get_label(): line.get_ydata().tolist() for line in axes.lines},
            **{bars.get_label(): [bar.get_height() for bar in bars] for bars in axes.containers},
            "image": [image.get_array().tolist() for image in axes.images],
            "labels": [text.get_text() for text in axes.texts],
            "ticks": [text.get_text() for text in axes.get_xticklabels()],
        }
    show_figure()
plt.show = show
"""
TELL = "import json; print(json.dumps(drawn, default=float))"


def execute(folder: Path, change: Callable[[str], str] = lambda source: source) -> tuple[Any, dict[str, Any]]:
    """Run the notebook in a folder; returns its executed cells and, by title, what its charts were given."""
    notebook = nbformat.read(PATH, 4)
    for cell in notebook.cells:
        cell.source = change(cell.source)
    watch, tell = (nbformat.v4.new_code_cell(source) for source in (WATCH, TELL))
    notebook.cells = [watch, *notebook.cells, tell]
    manager = AsyncKernelManager(kernel_name="python3", transport="ipc", ip=str(folder / "kernel"))
    NotebookClient(notebook, km=manager, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    return notebook.cells[1:-1], json.loads(tell["outputs"][0]["text"])


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("notebook")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DLT_DATA_DIR", str(folder / "dlt"))
        return execute(folder)


@pytest.fixture(scope="module")
def truth() -> Simulator:
    """The account that the notebook starts."""
    return Simulator(tickets=8000, now=NOW.timestamp())


def outputs(cells: Any) -> list[Any]:
    return [output for cell in cells if cell.cell_type == "code" for output in cell.outputs]


def pictures(cells: Any) -> list[Any]:
    """Every picture, small and grey."""
    encoded = [output["data"]["image/png"] for output in outputs(cells) if "image/png" in output.get("data", {})]
    images = [Image.open(io.BytesIO(base64.b64decode(text))) for text in encoded]
    return [np.asarray(image.convert("L").resize((90, 36)), dtype=float) for image in images]


def tables(cells: Any) -> list[str]:
    found = [output["data"] for output in outputs(cells) if "data" in output]
    return [data["text/plain"] for data in found if "image/png" not in data]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def monday(moment: datetime) -> date:
    return moment.date() - timedelta(days=moment.weekday())


def per_week(moments: list[datetime]) -> list[int]:
    counts = Counter(map(monday, moments))
    return [counts[week] for week in WEEKS]


@pytest.fixture(scope="module")
def kept(truth: Simulator) -> list[dict[str, Any]]:
    """Tickets that are not deleted, with their metrics."""
    metrics = {row["ticket_id"]: row for row in truth.truth("ticket_metrics")}
    tickets = truth.truth("tickets", ["id", "status", "created_at", "priority"])
    return [{**metrics[row["id"]], **row} for row in tickets if row["status"] != "deleted"]


def test_the_pictures_and_tables_shown_are_those_of_the_code(executed: tuple[Any, Any]) -> None:
    shown, (made, _) = nbformat.read(PATH, 4).cells, executed
    assert tables(shown) == tables(made)
    assert len(pictures(shown)) == len(pictures(made)) == 5
    for stored, fresh in zip(pictures(shown), pictures(made)):
        assert np.abs(stored - fresh).mean() < 4
    assert [cell.execution_count for cell in shown if cell.cell_type == "code"] == list(range(1, 10))
    assert PATH.stat().st_size < 400_000


def test_nothing_warns(executed: tuple[Any, Any]) -> None:
    assert [output for output in outputs(executed[0]) if output.output_type in ("stream", "error")] == []


def test_tickets_created_and_solved(executed: tuple[Any, Any], kept: list[dict[str, Any]]) -> None:
    drawn = executed[1]["Tickets created and solved"]
    assert drawn["created"] == per_week([at(row["created_at"]) for row in kept])
    assert drawn["solved"] == per_week([at(row["solved_at"]) for row in kept if row["solved_at"]])


def test_backlog_by_age(executed: tuple[Any, Any], kept: list[dict[str, Any]]) -> None:
    expected: Counter[tuple[str, str]] = Counter()
    for row in kept:
        if row["status"] in UNSOLVED:
            days = (NOW - at(row["created_at"])) / timedelta(days=1)
            expected[row["status"], next(name for name, limit in LIMITS.items() if days < limit)] += 1
    drawn = executed[1][f"Backlog by age: {expected.total()} unsolved tickets"]
    assert drawn["ticks"] == list(LIMITS)
    for status in UNSOLVED:
        assert drawn[status] == [expected[status, age] for age in LIMITS]


def test_time_to_the_first_reply(executed: tuple[Any, Any], kept: list[dict[str, Any]]) -> None:
    drawn = executed[1]["Time to the first reply"]
    waits: dict[date, list[int]] = {week: [] for week in WEEKS}
    for row in kept:
        minutes, week = row["reply_time_in_minutes"]["calendar"], monday(at(row["created_at"]))
        if week in waits and minutes is not None:
            waits[week].append(minutes)
    assert drawn["median"] == [median(waits[week]) for week in WEEKS]
    ninth = [quantiles(waits[week], n=10, method="inclusive")[8] for week in WEEKS]
    assert drawn["90th percentile"] == pytest.approx(ninth)


def test_satisfaction(executed: tuple[Any, Any], truth: Simulator) -> None:
    ratings = truth.truth("satisfaction_ratings", ["score", "updated_at"])
    counts = Counter((row["score"], at(row["updated_at"]).strftime("%b\n%Y")) for row in ratings)
    drawn = executed[1]["Satisfaction: share of good ratings"]
    assert drawn["ticks"] == [f"{month}\n2026" for month in ("May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov")]
    for score in ("good", "bad"):
        assert drawn[score] == [counts[score, month] for month in drawn["ticks"]]
    shares = [counts["good", month] / (counts["good", month] + counts["bad", month]) for month in drawn["ticks"]]
    assert drawn["labels"] == [f"{share:.0%}" for share in shares]


def test_sla_targets_breached(executed: tuple[Any, Any], truth: Simulator) -> None:
    events = truth.truth("ticket_metric_events", ["metric", "type", "time"])
    breaches = [(row["metric"].replace("_", " "), at(row["time"])) for row in events if row["type"] == "breach"]
    expected = {metric: per_week([moment for name, moment in breaches if name == metric]) for metric, _ in breaches}
    drawn = executed[1]["SLA targets breached"]
    assert sum(map(sum, expected.values())) > 100
    assert {metric: drawn[metric] for metric in expected} == expected


def test_busiest_hours(executed: tuple[Any, Any], kept: list[dict[str, Any]]) -> None:
    ((image,),) = (executed[1]["Tickets created by weekday and hour"]["image"],)
    moments = [at(row["created_at"]) for row in kept]
    counts = Counter((moment.weekday(), moment.hour) for moment in moments if monday(moment) in WEEKS)
    for day in range(7):
        assert [value * 26 for value in image[day]] == pytest.approx([counts[day, hour] for hour in range(24)])


def test_one_changed_cell_loads_an_account_even_of_the_smallest_plan_by_the_credentials_of_the_projects_file(
    tmp_path: Path, simulate: Callable[..., Simulator]
) -> None:
    account = simulate(plan="team", tickets=300)
    cells = [cell.source for cell in nbformat.read(PATH, 4).cells]
    assert [SETTINGS in source for source in cells].count(True) == 1
    (tmp_path / ".dlt").mkdir()
    (tmp_path / ".dlt" / "config.toml").write_text(
        f'[sources.zendesk_support]\nbase_url = "{account.base_url}"\nclock_scale = {SCALE}\n'
    )
    fields = "\n".join(f'{name} = "{account.credentials[name]}"' for name in ("client_id", "client_secret"))
    (tmp_path / ".dlt" / "secrets.toml").write_text(f"[sources.zendesk_support.credentials]\n{fields}\n")
    (tmp_path / "examples").mkdir()
    made, drawn = execute(tmp_path / "examples", lambda source: source.replace(SETTINGS, 'SUBDOMAIN = "acme"'))
    assert re.search(r"satisfaction_ratings +0 +unavailable", tables(made)[0])
    assert re.search(r"tickets +300 +loaded", tables(made)[0])
    assert sum(drawn["Tickets created and solved"]["created"]) > 50
    assert sum(drawn["Satisfaction: share of good ratings"]["good"]) == 0
    assert [output for output in outputs(made) if output.output_type == "error"] == []
