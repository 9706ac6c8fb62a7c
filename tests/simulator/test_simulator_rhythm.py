"""The account's tickets come and are answered as those of a real one, so that charts of them have a shape."""

from __future__ import annotations

from datetime import datetime

import pytest

from zendesk_support.simulator import Simulator
from zendesk_support.simulator.clock import unix

DAY = 86400
NOW = 1_790_000_000


@pytest.fixture(params=[0, 3 * DAY + 7777])
def sim(request: pytest.FixtureRequest) -> Simulator:
    return Simulator(tickets=2000, now=NOW + request.param)


def test_customers_write_in_office_hours_and_ids_follow_time(sim: Simulator) -> None:
    created = [row["created_at"] for row in sim.truth("tickets", ["created_at"])]
    assert created == sorted(created)
    moments = [datetime.fromisoformat(moment.replace("Z", "+00:00")) for moment in created]
    weekend = sum(moment.weekday() > 4 for moment in moments)
    working = sum(moment.weekday() < 5 and 8 <= moment.hour < 18 for moment in moments)
    assert 0.04 < weekend / len(moments) < 0.12
    assert 0.65 < working / len(moments) < 0.85


def test_nothing_happens_after_the_account_s_start(sim: Simulator) -> None:
    newest = max(row["generated_timestamp"] for row in sim.truth("tickets", ["generated_timestamp"]))
    assert newest <= sim.now() - 200


def test_replies_come_before_the_ticket_is_solved_and_some_breach_the_agreement(sim: Simulator) -> None:
    for row in sim.truth("ticket_metrics"):
        minutes = row["reply_time_in_minutes"]["calendar"]
        if row["solved_at"] and minutes is not None:
            assert 0 <= minutes <= (unix(row["solved_at"]) - unix(row["created_at"])) // 60
    kinds = [row["type"] for row in sim.truth("ticket_metric_events", ["type"])]
    assert 0.10 < kinds.count("breach") / kinds.count("apply_sla") < 0.25


def test_the_weekday_of_the_start_changes_no_count() -> None:
    streams = ("tickets", "ticket_metrics", "ticket_events", "ticket_comments", "ticket_changes")
    starts = (NOW, NOW + DAY, NOW + 4 * DAY)
    counts = [[len(sim.truth(name, [])) for name in streams] for sim in (Simulator(now=start) for start in starts)]
    assert counts[0] == counts[1] == counts[2]
