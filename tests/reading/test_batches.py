"""Lists that are asked for many parents at a time."""

from __future__ import annotations

from typing import Any

import pytest
from scripted import BASE, Answers, Script, chunks, ids

from zendesk_support.api.request import Usage
from zendesk_support.errors import ContractError, UnavailableError
from zendesk_support.reading.base import Job, Position
from zendesk_support.reading.batches import InBatches
from zendesk_support.reading.lists import Listing
from zendesk_support.reading.shared import Shared
from zendesk_support.settings import Settings

SKILLS = InBatches(
    Listing("users", "users", params={"role[]": ["agent", "admin"]}),
    Listing("routing/agents/instance_values", "instance_values"),
    {"agent_id": "id"},
    told_by="filter[agent_ids]",
    size=2,
)
MORE = {"meta": {"has_more": False}}


def skills(agents: int, refused: tuple[str, ...] = (), pages: bool = False) -> Answers:
    """Agents by number, each with a skill of its own and one of an agent that nobody asks for."""

    def answer(path: str, params: dict[str, str]) -> Any:
        if path == "users":
            return {"users": [{"id": agent} for agent in range(1, agents + 1)], **MORE}
        named = params["filter[agent_ids]"].split(",")
        if set(named) & set(refused):
            return UnavailableError("403: not this one")
        found = [{"id": 10 * int(agent), "agent_id": int(agent)} for agent in named]
        if pages:
            after = int(params.get("page[after]", 0))
            has_more = after + 1 < len(found)
            return {"instance_values": found[after : after + 1], "meta": {"has_more": has_more, "after_cursor": "1"}}
        return {"instance_values": [*found, {"id": 7, "agent_id": 70}], "next_page": None}

    return answer


@pytest.mark.parametrize("agents", [0, 1, 2, 5])
def test_each_batch_of_parents_is_asked_for_once(agents: int) -> None:
    script = Script(skills(agents))
    found = chunks(SKILLS, script)
    assert ids(found) == [10 * agent for agent in range(1, agents + 1)]
    assert found[-1].complete
    asked = sorted(params["filter[agent_ids]"] for path, params in script.asked if path != "users")
    assert asked == {0: [], 1: ["1"], 2: ["1,2"], 5: ["1,2", "3,4", "5"]}[agents]


def test_a_batch_may_have_more_than_a_page() -> None:
    script = Script(skills(3, pages=True))
    assert ids(chunks(SKILLS, script)) == [10, 20, 30]
    assert [params["filter[agent_ids]"] for path, params in script.asked if path != "users"].count("1,2") == 2


def test_a_batch_that_is_refused_costs_no_other_and_all_refused_are_unavailable() -> None:
    script = Script(skills(5, refused=("3",)))
    assert ids(chunks(SKILLS, script)) == [10, 20, 50]
    assert [params["filter[agent_ids]"] for path, params in script.asked if path != "users"].count("3,4") == 2
    with pytest.raises(UnavailableError):
        chunks(SKILLS, Script(skills(3, refused=("1", "3"))))


@pytest.mark.parametrize("skill", [{"id": 7}, {"id": 7, "agent_id": None}])
def test_a_row_that_does_not_say_whose_it_is_is_an_error(skill: dict[str, Any]) -> None:
    """It would else be left out as one of a parent that nobody asked for."""

    def answer(path: str, params: dict[str, str]) -> Any:
        return {"users": [{"id": 1}], **MORE} if path == "users" else {"instance_values": [skill], **MORE}

    with pytest.raises(ContractError, match="a row has no agent_id"):
        chunks(SKILLS, Script(answer))


@pytest.mark.parametrize("kind", [int, str])
def test_a_parent_is_told_by_its_value_as_a_number_or_as_a_text(kind: type) -> None:
    def answer(path: str, params: dict[str, str]) -> Any:
        if path == "users":
            return {"users": [{"id": 1}, {"id": 2}], **MORE}
        return {"instance_values": [{"id": 7, "agent_id": kind(1)}, {"id": 8, "agent_id": kind(70)}], **MORE}

    script: Any = Script(answer)
    job = Job(script, Settings(base_url=BASE, start=0), Usage(), Shared(), Position(0))
    assert ids(list(SKILLS.read(job))) == [7]
    (note,) = job.notes
    assert note == f"{SKILLS.path}: rows came of others than filter[agent_ids] names, and are left out"


def test_rows_of_nobody_who_was_asked_for_are_an_error() -> None:
    """The filter is not heeded, or names something else: none of them is loaded, and none removed."""

    def answer(path: str, params: dict[str, str]) -> Any:
        return {"users": [{"id": 1}], "instance_values": [{"id": 7, "agent_id": 70}], **MORE}

    with pytest.raises(ContractError, match="no row came of those that filter"):
        chunks(SKILLS, Script(answer))


def test_a_trial_asks_for_what_the_first_parent_has() -> None:
    script = Script(skills(5))
    transport: Any = script
    SKILLS.probe(Job(transport, Settings(base_url=BASE, start=0), Usage(), Shared(), Position(0)))
    assert [params.get("filter[agent_ids]") for _, params in script.asked] == [None, "1"]
