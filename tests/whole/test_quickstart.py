"""The notebook in examples/ runs, draws what the account has, and shows the output of the code it holds."""

from __future__ import annotations

import base64
import io
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from statistics import mean, median, quantiles
from typing import Any

import nbformat
import numpy as np
import pytest
from dbt_project import dbt_python
from filelock import FileLock
from jupyter_client.manager import AsyncKernelManager
from marts import Account, at_end_of
from nbclient import NotebookClient
from PIL import Image
from repository import ROOT
from support import SCALE

from zendesk_support.simulator import Simulator

pytestmark = pytest.mark.notebook
Rows = list[dict[str, Any]]
PATH = ROOT / "examples" / "quickstart.ipynb"
SETTINGS = "SUBDOMAIN = None"
SIZES = {"tickets": 4000, "groups": 5, "agents": 12, "satisfaction_ratings": 2000}
NOW = datetime(2026, 11, 4, 12, tzinfo=timezone.utc)
WEEKS = [date(2026, 11, 2) - timedelta(weeks=back) for back in range(26, 0, -1)]
LAST, BEFORE = WEEKS[-4:], WEEKS[-8:-4]
LIMITS = {"under 1 day": 1, "1 to 3 days": 3, "3 to 7 days": 7, "1 to 2 weeks": 14, "2 to 4 weeks": 28}
LIMITS |= {"4 to 12 weeks": 84, "over 12 weeks": 10_000}
UNSOLVED = ("new", "open", "pending", "hold")
PRIORITIES = ("urgent", "high", "normal", "low", "none")
REPLY, SOLUTION = "first_reply_business_minutes", "full_resolution_calendar_minutes"
WATCH = """
import matplotlib.pyplot as plt
drawn, show_figure = {}, plt.show
def lengths(bars):
    return [bar.get_width() if bars.orientation == "horizontal" else bar.get_height() for bar in bars]
def heights(area):
    found = {}
    for x, y in area.get_paths()[0].vertices:
        found.setdefault(x, []).append(y)
    return [max(found[x]) - min(found[x]) for x in sorted(found)]
def show():
    for axes in plt.gcf().axes:
        areas = [area for area in axes.collections if type(area).__name__ == "FillBetweenPolyCollection"]
        drawn[axes.get_title("left")] = {
            **{area.get_label(): heights(area) for area in areas},
            **{line.get_label(): line.get_ydata().tolist() for line in axes.lines},
            **{bars.get_label(): lengths(bars) for bars in axes.containers},
            "across": {line.get_label(): line.get_xdata(orig=False).tolist() for line in axes.lines},
            "image": [image.get_array().tolist() for image in axes.images],
            "labels": [text.get_text() for text in axes.texts],
            "ticks": [text.get_text() for text in axes.get_xticklabels()],
            "rows": [text.get_text() for text in axes.get_yticklabels()],
        }
    show_figure()
plt.show = show
"""
TELL = "import json; print(json.dumps(drawn, default=float))"


def execute(
    folder: Path, dbt: Path, change: Callable[[str], str] = lambda source: source
) -> tuple[Any, dict[str, Any]]:
    """Run the notebook in a folder, dbt in an environment of its own.

    Returns:
        Its executed cells and, by title, what its charts were given.
    """
    notebook = nbformat.read(PATH, 4)
    for cell in notebook.cells:
        cell.source = change(cell.source)
    watch, tell = (nbformat.v4.new_code_cell(source) for source in (WATCH, TELL))
    notebook.cells = [watch, *notebook.cells, tell]
    manager = AsyncKernelManager(kernel_name="python3", transport="ipc", ip=str(folder / "kernel"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DBT_VENV", str(dbt.parents[1]))
        patch.setenv("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
        patch.setenv("DBT_TARGET_PATH", str(folder / "target"))
        patch.setenv("DBT_LOG_PATH", str(folder / "logs"))
        NotebookClient(notebook, km=manager, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    return notebook.cells[1:-1], json.loads(tell["outputs"][0]["text"])


@pytest.fixture(scope="module")
def dbt(request: pytest.FixtureRequest) -> Path:
    """The Python of dbt's environment."""
    return dbt_python(request.config)


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory, testrun_uid: str, dbt: Path) -> tuple[Any, dict[str, Any]]:
    """The notebook as it stands, run once for all of pytest's processes."""
    folder = tmp_path_factory.getbasetemp().parent / f"notebook-{testrun_uid}"
    folder.mkdir(exist_ok=True)
    with FileLock(folder / "lock"):
        if not (folder / "drawn.json").exists():
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("DLT_DATA_DIR", str(folder / "dlt"))
                cells, drawn = execute(folder, dbt)
            nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "made.ipynb")
            (folder / "drawn.json").write_text(json.dumps(drawn))
    return nbformat.read(folder / "made.ipynb", 4).cells, json.loads((folder / "drawn.json").read_text())


@pytest.fixture(scope="module")
def truth() -> Account:
    """The account that the notebook starts."""
    return Account(Simulator(**SIZES, now=NOW.timestamp()))


@pytest.fixture(scope="module")
def kept(truth: Account) -> Rows:
    """Tickets that are not deleted."""
    return [row for row in truth.ticket_facts() if row["status"] != "deleted"]


@pytest.fixture(scope="module")
def targets(truth: Account) -> Rows:
    """SLA targets that were met or missed, with the time."""
    found = [{**row, "decided_at": row["breached_at"] or row["fulfilled_at"]} for row in truth.sla_targets()]
    return [row for row in found if row["decided_at"]]


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


def table(cells: Any, holding: str) -> dict[str, list[str]]:
    """The cells of the table that has a word, by the first of each row."""
    (text,) = (text for text in tables(cells) if holding in text)
    rows = [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]
    return {first: others for first, *others in rows}


def monday(moment: date) -> date:
    day = moment.date() if isinstance(moment, datetime) else moment
    return day - timedelta(days=day.weekday())


def per_week(moments: Iterable[datetime]) -> list[int]:
    counts = Counter(map(monday, moments))
    return [counts[week] for week in WEEKS]


def within(rows: Rows, column: str, weeks: list[date]) -> Rows:
    """The rows of which a time falls into some weeks."""
    return [row for row in rows if row[column] and monday(row[column]) in weeks]


def measured(rows: Rows, column: str) -> list[int]:
    return [row[column] for row in rows if row[column] is not None]


def ninth(values: list[int]) -> float:
    """The 90th percentile."""
    return quantiles(values, n=10, method="inclusive")[8]


def said(minutes: float, days: bool = True) -> str:
    for size, unit in ((1440, "d"), (60, "h")):
        if minutes >= size and (days or unit == "h"):
            return f"{minutes / size:.2g} {unit}" if minutes / size < 10 else f"{minutes / size:.0f} {unit}"
    return f"{minutes:.0f} min"


def test_the_pictures_and_tables_shown_are_those_of_the_code(executed: tuple[Any, Any]) -> None:
    shown, (made, _) = nbformat.read(PATH, 4).cells, executed
    assert tables(shown) == tables(made)
    assert len(pictures(shown)) == len(pictures(made)) == 8
    for stored, fresh in zip(pictures(shown), pictures(made)):
        assert np.abs(stored - fresh).mean() < 4
    assert [cell.execution_count for cell in shown if cell.cell_type == "code"] == list(range(1, 16))
    assert PATH.stat().st_size < 600_000


def test_all_queries_read_the_marts(executed: tuple[Any, Any]) -> None:
    code = "".join(cell.source for cell in executed[0] if cell.cell_type == "code")
    read = set(re.findall(r"FROM (\S+?)[\s\"]", code)) - {"analytics.{mart}"}
    marts = ("ticket_facts", "sla_targets", "backlog_daily", "satisfaction_daily", "agent_daily")
    assert read == {f"analytics.{name}" for name in marts}


def test_nothing_warns(executed: tuple[Any, Any]) -> None:
    assert [output for output in outputs(executed[0]) if output.output_type in ("stream", "error")] == []


def test_the_headline_numbers(executed: tuple[Any, Any], truth: Account, kept: Rows, targets: Rows) -> None:
    shown, ratings = table(executed[0], "SLA targets met"), truth.satisfaction_daily()
    expected: dict[str, list[str]] = defaultdict(list)
    for weeks in (LAST, BEFORE):
        created, solved = within(kept, "created_at", weeks), within(kept, "solved_at", weeks)
        rated, decided = within(ratings, "day", weeks), within(targets, "decided_at", weeks)
        good, bad = (sum(row[score] for row in rated) for score in ("good", "bad"))
        expected["tickets created"].append(f"{len(created)}")
        expected["tickets solved"].append(f"{len(solved)}")
        reply, waits = "first reply in business hours", measured(created, REPLY)
        expected[f"{reply}, median"].append(said(median(waits), days=False))
        expected[f"{reply}, 90th percentile"].append(said(ninth(waits), days=False))
        expected["resolution time, median"].append(said(median(measured(solved, SOLUTION))))
        expected["reopened"].append(f"{mean(row['reopens'] > 0 for row in solved):.0%}")
        expected["good ratings"].append(f"{good / (good + bad):.0%} of {good + bad}")
        met = mean(row["status"] == "met" for row in decided)
        expected["SLA targets met"].append(f"{met:.0%} of {len(decided)}")
    assert shown.pop("last 4 weeks 4 weeks before") == []
    assert shown == expected


def test_tickets_created_and_solved(executed: tuple[Any, Any], kept: Rows) -> None:
    drawn = executed[1]["Tickets created and solved"]
    assert drawn["created"] == per_week(row["created_at"] for row in kept)
    assert drawn["solved"] == per_week(row["solved_at"] for row in kept if row["solved_at"])


def test_backlog_by_day(executed: tuple[Any, Any], truth: Account) -> None:
    """Each ticket is looked at on some days; the last day is the last on which a ticket changed."""
    drawn = executed[1]["Unsolved tickets at the end of each day"]
    days = [WEEKS[0] + timedelta(days=count) for count in range((NOW.date() - WEEKS[0]).days + 1)]
    looked = {days.index(day): day for day in [*WEEKS, days[-1]]}
    expected: Counter[tuple[int, str]] = Counter()
    for ticket in truth.tickets.values():
        statuses, priorities = (truth.values(ticket, field) for field in ("status", "priority"))
        for place, day in looked.items():
            if at_end_of(day, statuses) in UNSOLVED:
                expected[place, at_end_of(day, priorities) or "none"] += 1
    assert expected.total() > 500
    for priority in PRIORITIES:
        assert len(drawn[priority]) == len(days)
        found = [drawn[priority][place] for place in looked]
        assert found == pytest.approx([expected[place, priority] for place in looked])


def test_backlog_by_age(executed: tuple[Any, Any], kept: Rows) -> None:
    expected: Counter[tuple[str, str]] = Counter()
    for row in kept:
        if row["status"] in UNSOLVED:
            days = (NOW - row["created_at"]) / timedelta(days=1)
            expected[row["status"], next(name for name, limit in LIMITS.items() if days < limit)] += 1
    drawn = executed[1][f"Backlog by age: {expected.total()} unsolved tickets"]
    assert drawn["ticks"] == list(LIMITS)
    for status in UNSOLVED:
        assert drawn[status] == [expected[status, age] for age in LIMITS]


@pytest.mark.parametrize(
    ("title", "minutes", "since"),
    [("Time to the first reply", REPLY, "created_at"), ("Time to the solution", SOLUTION, "solved_at")],
)
def test_waits_by_week(executed: tuple[Any, Any], kept: Rows, title: str, minutes: str, since: str) -> None:
    drawn = executed[1][title]
    waits = [measured(within(kept, since, [week]), minutes) for week in WEEKS]
    assert drawn["median"] == [median(found) for found in waits]
    assert drawn["90th percentile"] == pytest.approx([ninth(found) for found in waits])


def test_reopened_tickets(executed: tuple[Any, Any], kept: Rows) -> None:
    solved = [within(kept, "solved_at", [week]) for week in WEEKS]
    shares = [100 * mean(row["reopens"] > 0 for row in found) for found in solved]
    assert executed[1]["Tickets reopened"]["reopened"] == pytest.approx(shares)
    assert sum(shares) > 0


@pytest.mark.parametrize(
    ("title", "column"),
    [("By priority", "priority"), ("First reply by group", "group_name"), ("First reply by channel", "channel")],
)
def test_first_replies_by(executed: tuple[Any, Any], kept: Rows, title: str, column: str) -> None:
    drawn, waits = executed[1][title], defaultdict(list)
    for row in within(kept, "created_at", WEEKS):
        if row[REPLY] is not None:
            waits[row[column] or "none"].append(row[REPLY])
    assert len(waits) >= 5
    for name, reckon in (("median", median), ("90th percentile", ninth)):
        found = dict(zip(drawn[name], drawn["across"][name]))
        assert {key: value for key, value in found.items() if value == value} == pytest.approx(
            {key: reckon(values) for key, values in waits.items()}
        )


@pytest.mark.parametrize(("title", "column"), [("Tickets by group", "group_name"), ("Tickets by channel", "channel")])
def test_tickets_by(executed: tuple[Any, Any], kept: Rows, title: str, column: str) -> None:
    drawn = executed[1][title]
    counts = Counter(row[column] or "none" for row in within(kept, "created_at", WEEKS))
    assert dict(zip(drawn["rows"], drawn["tickets"])) == counts
    assert drawn["tickets"] == sorted(counts.values())
    assert drawn["labels"] == [f"{count:.0f}" for count in drawn["tickets"]]


def test_satisfaction(executed: tuple[Any, Any], truth: Account) -> None:
    counts: Counter[tuple[str, str]] = Counter()
    for row in truth.satisfaction_daily():
        counts.update({(score, f"{row['day']:%b\n%Y}"): row[score] for score in ("good", "bad")})
    drawn = executed[1]["Satisfaction: share of good ratings"]
    assert drawn["ticks"] == [f"{month}\n2026" for month in ("May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov")]
    for score in ("good", "bad"):
        assert drawn[score] == [counts[score, month] for month in drawn["ticks"]]
    shares = [counts["good", month] / (counts["good", month] + counts["bad", month]) for month in drawn["ticks"]]
    assert drawn["labels"] == [f"{share:.0%}" for share in shares]


def test_sla_targets(executed: tuple[Any, Any], targets: Rows) -> None:
    by_metric = defaultdict(list)
    for row in targets:
        by_metric[row["metric"].replace("_", " ")].append(row)
    drawn, shown = executed[1]["SLA targets breached"], table(executed[0], "share met")
    assert len(by_metric) > 2
    for metric, rows in by_metric.items():
        breaches = [row["breached_at"] for row in rows if row["breached_at"]]
        assert drawn[metric] == per_week(breaches)
        recent = Counter(row["status"] for row in within(rows, "decided_at", WEEKS))
        met, breached = recent["met"], recent["breached"]
        assert shown[metric] == [f"{met}", f"{breached}", f"{met / (met + breached):.0%}"]
    assert sum(sum(drawn[metric]) for metric in by_metric) > 100


def test_agents(executed: tuple[Any, Any], truth: Account) -> None:
    counts: dict[tuple[str, int], Counter[str]] = defaultdict(Counter)
    for row in within(truth.agent_daily(), "day", LAST):
        numbers = ("tickets_solved", "public_replies", "internal_notes")
        counts[row["agent_name"], row["agent_id"]].update({name: row[name] for name in numbers})
    ranked = sorted(
        counts, key=lambda agent: (-counts[agent]["tickets_solved"], -counts[agent]["public_replies"], agent)
    )
    expected = [[name, *map(str, counts[name, id].values())] for name, id in ranked[:10]]
    (text,) = (text for text in tables(executed[0]) if "internal notes" in text)
    assert [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()[2:]] == expected


def test_busiest_hours(executed: tuple[Any, Any], kept: Rows) -> None:
    ((image,),) = (executed[1]["Tickets created by weekday and hour"]["image"],)
    moments = [row["created_at"] for row in within(kept, "created_at", WEEKS)]
    counts = Counter((moment.weekday(), moment.hour) for moment in moments)
    for day in range(7):
        assert [value * 26 for value in image[day]] == pytest.approx([counts[day, hour] for hour in range(24)])


def test_one_changed_cell_loads_an_account_even_of_the_smallest_plan_by_the_credentials_of_the_projects_file(
    tmp_path: Path, simulate: Callable[..., Simulator], dbt: Path
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
    made, drawn = execute(tmp_path / "examples", dbt, lambda source: source.replace(SETTINGS, 'SUBDOMAIN = "acme"'))
    assert re.search(r"satisfaction_ratings +0 +unavailable", tables(made)[0])
    assert re.search(r"tickets +300 +loaded", tables(made)[0])
    assert sum(drawn["Tickets created and solved"]["created"]) > 50
    assert sum(drawn["Satisfaction: share of good ratings"]["good"]) == 0
    assert table(made, "SLA targets met")["good ratings"] == ["– of 0", "– of 0"]
    assert re.search(r"satisfaction_daily +0\n", tables(made)[1])
    assert [output for output in outputs(made) if output.output_type == "error"] == []
