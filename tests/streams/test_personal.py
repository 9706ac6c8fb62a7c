"""The list of columns about persons names what there is, and what can be left out."""

from __future__ import annotations

import re

import pytest
from repository import ROOT

from zendesk_support.loading.stream_settings import check_path
from zendesk_support.streams import CATALOGUE
from zendesk_support.streams.personal import OF_USERS, PERSONAL, ids_of_users

SOUNDS_PERSONAL = re.compile(
    r"email|phone|photo|signature|notes|body|ip_address|actor_name|actor|comment|external_id|details|formatted_.*"
)
ELSEWHERE = {
    ("account_settings", "email"),
    ("organizations", "external_id"),
    ("tickets", "external_id"),
    ("time_zones", "formatted_offset"),
}
"""What only sounds so."""


@pytest.mark.parametrize("name", PERSONAL)
def test_each_column_and_path_that_is_listed_can_be_left_out(name: str) -> None:
    paths = PERSONAL[name].paths
    assert len(paths) == len(set(paths))
    for path in paths:
        check_path(CATALOGUE[name], "exclude", path)


def test_columns_that_sound_personal_are_listed() -> None:
    found = {
        (name, column)
        for name, stream in CATALOGUE.items()
        for column in stream.columns
        if SOUNDS_PERSONAL.fullmatch(column)
    }
    listed = {(name, path.partition(".")[0]) for name, personal in PERSONAL.items() for path in personal.paths}
    assert found - listed - ELSEWHERE == set()


def test_columns_that_are_left_out_unless_asked_for_are_personal_and_stand_on_the_page() -> None:
    withheld = {name: stream.withheld for name, stream in CATALOGUE.items() if stream.withheld}
    assert [name for name, columns in withheld.items() if not set(columns) <= set(PERSONAL[name].paths)] == []
    page = (ROOT / "docs" / "privacy.md").read_text()
    listed = [f"| `{name}` | {', '.join(f'`{column}`' for column in columns)} |" for name, columns in withheld.items()]
    assert [line for line in listed if line not in page] == []


def test_ids_of_users_are_told_by_their_names() -> None:
    assert {"requester_id", "submitter_id", "assignee_id"} <= set(ids_of_users(CATALOGUE["tickets"]))
    columns = {column for stream in CATALOGUE.values() for column in stream.columns}
    assert set(OF_USERS) <= columns
