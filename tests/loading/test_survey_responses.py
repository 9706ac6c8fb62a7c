"""Survey responses change for some weeks after they were sent: those weeks are read again."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support import assert_whole, load, pipeline, source, table, truth, written

from zendesk_support import sync, verify
from zendesk_support.simulator import Simulator
from zendesk_support.simulator.data.ulid import ulid
from zendesk_support.streams.derived import survey_responses

Simulate = Callable[..., Simulator]
NAME = "csat_survey_responses"
DAY = 86_400
SENT = 1_767_225_600
"""2026-01-01T00:00:00Z."""


def test_an_answer_given_weeks_after_a_survey_was_sent_arrives(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=20)
    target = pipeline(tmp_path)
    account.mutate("send_surveys", count=3)
    load(target, account, NAME)
    assert written(load(target, account, NAME)) == {}
    account.advance(20 * DAY)
    answered = account.mutate("answer_surveys", count=2, days=20)["ids"]
    assert written(load(target, account, NAME)) == {NAME: len(answered)}
    assert_whole(target, account, NAME)
    assert written(load(target, account, NAME)) == {}


def test_a_response_that_is_listed_no_more_goes_while_it_may_change_and_stays_later(
    tmp_path: Path, simulate: Simulate
) -> None:
    account = simulate(tickets=100)
    target = pipeline(tmp_path)
    account.mutate("send_surveys", count=4)
    load(target, account, NAME)
    responses = account.account.tables[NAME]
    before = set(table(target, NAME))
    recent, old = responses.rids[-1], responses.rids[0]
    gone = {(responses.get(recent)["id"],)}
    for rid in (recent, old):
        responses.remove(rid)
    account.account.changed()
    assert written(load(target, account, NAME)) == {NAME: 1}
    assert set(table(target, NAME)) == before - gone


def test_a_pass_that_was_cut_short_loses_and_removes_nothing(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=600)
    target = pipeline(tmp_path)
    account.fault("status", route=NAME, nth=2, times=None, status=400)
    sync(target, source(account).with_resources(NAME))
    assert len(table(target, NAME)) == 50
    account.clear_faults()
    account.mutate("send_surveys", count=2)
    load(target, account, NAME)
    assert_whole(target, account, NAME)
    assert written(load(target, account, NAME)) == {}


def test_a_period_of_responses_is_loaded_and_removes_nothing(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=200)
    target = pipeline(tmp_path)
    times = sorted(row["expires_at"] for row in truth(account, NAME).values())
    sent = [datetime.fromisoformat(text.replace("Z", "+00:00")) - timedelta(days=28) for text in times]
    start, end = sent[len(sent) // 3].replace(microsecond=0), sent[-3].replace(microsecond=0)
    load(target, account, NAME, start_date=start.isoformat(), end_date=end.isoformat())
    found = [moment(row["expires_at"]) - timedelta(days=28) for row in table(target, NAME).values()]
    assert sorted(found) == [time for time in sent if start <= time < end]
    load(target, account, NAME)
    assert_whole(target, account, NAME)
    load(target, account, NAME, start_date=start.isoformat(), end_date=end.isoformat())
    assert_whole(target, account, NAME)


def moment(text: str) -> datetime:
    """A time of Zendesk's."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


class Nothing:
    """The context of rows that need none."""


SCORE = {
    "type": "rating_scale",
    "rating": 4,
    "rating_category": "good",
    "question": {"sub_type": "customer_satisfaction"},
}
OTHER = {"type": "rating_scale", "rating": 1, "rating_category": "bad", "question": {"sub_type": "effort"}}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {}),
        ({"answers": []}, {}),
        ({"answers": None, "subjects": None, "survey": None}, {}),
        ({"answers": [OTHER, SCORE]}, {"rating": 4, "rating_category": "good"}),
        ({"answers": [OTHER]}, {}),
        ({"answers": [{**SCORE, "rating": None, "rating_category": None}]}, {}),
        ({"answers": [{"type": "open_ended", "value": "x", "question": None}]}, {}),
        (
            {"answers": [{**SCORE, "updated_at": "2026-01-09T00:00:00Z"}, {"updated_at": "2026-01-11T00:00:00Z"}]},
            {"rating": 4, "rating_category": "good", "updated_at": "2026-01-11T00:00:00Z"},
        ),
        ({"subjects": [{"type": "conversation", "id": "01C"}, {"type": "ticket", "id": "7"}]}, {"ticket_id": 7}),
        ({"subjects": [{"type": "ticket", "id": 8}]}, {"ticket_id": 8}),
        ({"subjects": [{"type": "conversation", "id": "9"}]}, {}),
        ({"survey": {"id": "01S", "version": 3}}, {"survey_id": "01S", "survey_version": 3}),
        ({"id": "no ulid", "expires_at": "2026-01-29T00:00:00Z"}, {}),
        ({"id": "no ulid"}, {"sent_at": None, "updated_at": None}),
    ],
)
def test_columns_that_are_worked_out(given: dict[str, Any], expected: dict[str, Any]) -> None:
    row = {"id": ulid(SENT * 1000, 1), **given}
    raw = {name: msgspec.Raw(json.dumps(value).encode()) for name, value in row.items()}
    [made] = survey_responses([raw], Nothing())  # type: ignore[arg-type]
    sent = "2026-01-01T00:00:00Z"
    blank = dict.fromkeys(("ticket_id", "rating", "rating_category", "survey_id", "survey_version"))
    assert {name: json.loads(bytes(made[name])) for name in ("sent_at", "updated_at", *blank)} == {
        **blank,
        "sent_at": sent,
        "updated_at": sent,
        **expected,
    }


def test_a_version_of_a_survey_that_came_after_the_sync_is_no_loss(tmp_path: Path, simulate: Simulate) -> None:
    """A new version keeps the time at which the survey was made."""
    account = simulate(tickets=5)
    target = pipeline(tmp_path)
    load(target, account, "csat_surveys")
    account.mutate("update_rows", stream="csat_surveys")
    [result] = verify(target, source(account).with_resources("csat_surveys"))
    assert (result.verdict, result.missing) == ("explained", ())
    load(target, account, "csat_surveys")
    assert_whole(target, account, "csat_surveys")
