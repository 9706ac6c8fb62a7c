"""What a sync costs in requests: the fewest that the rows need, as docs/requests.md and `--check` say."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil
from typing import Any

import pytest
from repository import ROOT
from support import load, pipeline, simulated

from zendesk_support.report import Report
from zendesk_support.simulator import Simulator
from zendesk_support.streams import CATALOGUE
from zendesk_support.streams.selection import costs_of, default_streams

NOW = 1_790_000_000
LIFTED = dict.fromkeys(("account", "help_center", "guide", "incremental_exports", "incremental_exports_cursor"), 10_000)
PAGE = ROOT / "docs" / "requests.md"
ROW = re.compile(r"\| (\w+)( \*)? \| [\d,]+ \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|")
TOTAL = re.compile(r"\| \*\*(default set|all)\*\* \| [\d,]* ?\|" + r" \*\*(\d+)\*\* \|" * 4)
MORE = {
    "side_conversation_events": (0, 1),
    "chats": (1, 1),
    "chat_agent_timeline": (1, 1),
    "chat_bans": (1, 1),
    "routing_instance_value_events": (0, 1),
    "calls": (0, 1),
    "call_legs": (0, 1),
}
"""Requests beyond the fewest, of a first sync and of one with nothing changed; docs/requests.md says why."""
ENDS_SOONER = {"ticket_metric_events"}
"""Its end costs nothing where a page of fewer than twenty rows brings none that is new."""
OF_BRANDS = tuple(name for name, stream in CATALOGUE.items() if "HelpCenter" in repr(stream.feeds[0].endpoint))
"""One of these asks for the brands, once a run."""


@dataclass(frozen=True)
class Counted:
    """Requests of a first sync and of one with nothing changed, with the fewest of each."""

    account: Simulator
    first: Report
    again: Report
    whole: Any
    nothing: Any

    def beyond(self, name: str) -> tuple[int, int]:
        """How many more than the fewest a stream has sent."""
        syncs = ((self.first, self.whole), (self.again, self.nothing))
        first, again = (report.streams[name].requests - fewest.requests(name) for report, fewest in syncs)
        return first, again


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counted]:
    """An account that is loaded twice; some lists have more rows than a page."""
    folder = tmp_path_factory.mktemp("requests")
    steady: dict[str, Any] = {"now": NOW, "clock_scale": 1, "limits": LIFTED}
    small = {"tickets": 120, "articles": 12, "posts": 8}
    longer = {"chats": 1200, "phone_numbers": 130, "oauth_tokens": 230, "itam_assets": 120, "access_logs": 3000}
    with (
        pytest.MonkeyPatch.context() as patch,
        simulated(**steady, **small, **longer) as account,
    ):
        patch.setenv("DLT_DATA_DIR", str(folder / "dlt"))
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        needed = importlib.import_module("fewest").Needed
        target = pipeline(folder)
        first, again = (load(target, account, clock_scale=1) for _ in range(2))
        whole = needed.of(account, "enterprise", streams=CATALOGUE)
        nothing = needed.of(account, "enterprise", whole, since=account.now(), streams=CATALOGUE)
        yield Counted(account, first, again, whole, nothing)


def test_a_sync_sends_the_fewest_requests_but_for_what_the_documentation_explains(counted: Counted) -> None:
    found = {name: counted.beyond(name) for name in CATALOGUE}
    of_brands = [found.pop(name) for name in OF_BRANDS]
    assert [sum(more) for more in zip(*of_brands)] == [1, 1], of_brands
    assert {name: more for name, more in found.items() if any(more)} == MORE


def test_a_sync_with_nothing_changed_sends_what_a_check_says(counted: Counted) -> None:
    costs = costs_of(CATALOGUE)
    said = {name: sum(map(price_in(counted, name), parts(costs[name]))) - (name in ENDS_SOONER) for name in CATALOGUE}
    more = {name: counted.again.streams[name].requests - said[name] for name in CATALOGUE}
    assert sorted(more.pop(name) for name in OF_BRANDS)[-2:] == [0, 1]
    assert {name: count for name, count in more.items() if count} == {}


def test_the_documentation_has_the_requests_of_every_stream(counted: Counted) -> None:
    page = PAGE.read_text()
    table = {name: (starred, *map(int, found)) for name, starred, *found in ROW.findall(page)}
    assert [*table] == [*CATALOGUE]
    assert {name for name, (starred, *_) in table.items() if not starred} == {*default_streams()}
    sums = {"default set": default_streams(), "all": tuple(CATALOGUE)}
    assert {title: [*map(int, totals)] for title, *totals in TOTAL.findall(page)} == {
        title: [sum(found) for found in zip(*(table[name][1:] for name in names))] for title, names in sums.items()
    }
    _, _, explained = page.partition("\nMore than the fewest")
    beyond = {name for name, (_, *found) in table.items() if found[0] > found[1] or found[2] > found[3]}
    assert [name for name in {*beyond, *MORE} - {*OF_BRANDS} if f"`{name}`" not in explained] == []
    assert [name for name, (_, *found) in table.items() if found[0] < found[1] or found[2] < found[3]] == []


def parts(cost: str) -> list[str]:
    """The parts of what a check says of a stream's requests, which add up."""
    told = re.sub(r"1 for [\d,]+ changes, at least ", "", cost)
    return re.split(r"; |, and ", told)


def price_in(counted: Counted, name: str) -> Callable[[str], int]:
    """What a part comes to in an account in which nothing has changed."""
    rows, parents = counted.nothing.rows[name], counted.whole.rows
    brands = parents["articles"]

    def pages(found: int, size: str) -> int:
        return ceil(found / int(size.replace(",", ""))) or 1

    def listed(size: str, above: str | None, of: str | None) -> int:
        if of == "each help center":
            return sum(pages(rows[brand] or rows[str(brand)], size) for brand in brands)
        return pages(max((parents[above] if above else rows).values(), default=0), size)

    def below(named: str) -> int:
        return sum(parents[each].total() for each in named.split(" and "))

    agents = sum(bool(row["active"]) and row["role"] != "end-user" for row in counted.account.truth("users"))
    prices: dict[str, Callable[..., int]] = {
        r"none: read with \w+": lambda: 0,
        r"(\d)(?: for the end| to learn it| to list \w+)?": int,
        r"1 for [\d,]+ (?:changes|new rows)": lambda: 1,
        r"1 for (?:the help center of the default brand|the account's language)": lambda: 1,
        r"1 for each changed row of \w+|1 for each row of \w+ with other votes|1 for each further .*": lambda: 0,
        r"1 for ([\d,]+) (?:rows of users|of them)": lambda size: pages(agents, size),
        r"1 for ([\d,]+) rows(?: to list (\w+)| of (each help center|a day|\d+ days))?": listed,
        r"1 of each help center": lambda: len(brands),
        r"1 for each row of (\w+(?: and \w+)?)": below,
        r"1 for each page of Zendesk's own length": lambda: listed("5", None, None),
    }

    def price(part: str) -> int:
        found = ((value, re.fullmatch(form, part)) for form, value in prices.items())
        value, matched = next((value, matched) for value, matched in found if matched)
        return value(*matched.groups())

    return price
