"""Syncs that are killed, stopped or fail at random moments: the next ones make every table whole."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from chaos import FAULTS, MUTATIONS, STAGES, Syncs, is_expected
from hypothesis import HealthCheck, Phase, given, note, seed, settings
from hypothesis import strategies as st

from zendesk_support.simulator import Simulator

Simulate = Callable[..., Simulator]
STREAMS = (
    "tickets",
    "ticket_metrics",
    "ticket_events",
    "ticket_comments",
    "ticket_audits",
    "ticket_metric_events",
    "users",
    "user_identities",
    "organizations",
    "organization_memberships",
    "group_memberships",
    "macros",
    "audit_logs",
    "articles",
    "article_comments",
    "article_votes",
    "custom_object_records",
    "csat_survey_responses",
    "side_conversations",
    "ticket_tags",
)
OF_EXPORTS = (
    "tickets",
    "ticket_metrics",
    "ticket_tags",
    "ticket_events",
    "ticket_comments",
    "ticket_changes",
    "ticket_metric_events",
)
SEED = int(os.environ.get("CHAOS_SEED", random.randrange(2**32)))


@pytest.fixture
def syncs(tmp_path: Path, simulate: Simulate) -> Syncs:
    """A pipeline that loads an account of a few pages, a little at a time."""
    account = simulate(tickets=150, organization_memberships=250)
    account.fault("heavy_page", route="incremental_*", per_page=70, times=None)
    return Syncs(account, tmp_path, STREAMS)


@pytest.mark.parametrize("part", range(4))
def test_killed_syncs_lose_no_row(syncs: Syncs, part: int) -> None:
    """L05, L06, L21: 20 kills in all, in a first sync and in later ones."""
    kill_five_times(syncs, part)
    syncs.complete()
    syncs.assert_whole(*STREAMS)


@pytest.mark.parametrize("part", range(2))
def test_killed_syncs_lose_no_row_where_what_is_new_comes_first(tmp_path: Path, simulate: Simulate, part: int) -> None:
    account = simulate(tickets=300)
    account.fault("heavy_page", route="incremental_*", per_page=70, times=None)
    syncs = Syncs(account, tmp_path, OF_EXPORTS, ORDER="newest")
    kill_five_times(syncs, part)
    syncs.complete()
    syncs.assert_whole(*OF_EXPORTS)


def kill_five_times(syncs: Syncs, part: int) -> None:
    """Kill five syncs at moments of all stages; the account changes in between."""
    print(f"CHAOS_SEED={SEED}")
    chance = random.Random(f"{SEED} {part}")
    kills = 0
    for number in range(30):
        code, printed = syncs.stop(syncs.moment(STAGES[(number + part) % 3], chance))
        assert code in (0, -signal.SIGKILL), printed
        kills += code != 0
        if kills == 5:
            break
        kind, parameters = chance.choice(MUTATIONS)
        syncs.account.mutate(kind, **parameters)
    assert kills == 5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_sync_at_the_next_page(syncs: Syncs, number: signal.Signals) -> None:
    """L21."""
    code, printed = syncs.stop(lambda: len(syncs.account.requests()) > 8, number)
    assert code == 128 + number, printed
    assert f"stopped by {number.name}; the next run goes on from here" in printed
    assert "Traceback" not in printed
    assert not syncs.pipeline.has_pending_data
    asked = len(syncs.account.requests())
    syncs.complete(attempts=1)
    syncs.assert_whole(*STREAMS)
    assert asked < len(syncs.account.requests())


def test_a_second_run_is_refused_and_changes_nothing(syncs: Syncs) -> None:
    first = syncs.start()
    while not syncs.account.requests():
        assert first.poll() is None
    code, printed = syncs.run()
    assert code == 1
    assert "another run of the pipeline zendesk_support is under way" in printed
    first.communicate()
    assert first.returncode == 0
    syncs.assert_whole(*STREAMS)


@pytest.mark.parametrize("stage", ["normalize", "load"])
def test_a_package_that_can_never_load_is_dropped_and_read_anew(syncs: Syncs, stage: str) -> None:
    chance = random.Random(SEED)
    for _ in range(20):
        code, printed = syncs.stop(syncs.moment(stage, chance))
        assert code in (0, -signal.SIGKILL), printed
        files = [file for file in syncs.working_dir.glob("*/*/*/*_jobs/*.parquet") if "report" not in file.name]
        if code and files:
            break
        syncs.account.mutate("update_tickets", count=50)
    assert files
    for file in files:
        file.write_bytes(b"not a parquet file")
    syncs.complete()
    syncs.assert_whole(*STREAMS)


Step = tuple[str, int, int]
steps = st.tuples(
    st.sampled_from(["mutate", "mutate during", "fault", "kill", "sync"]), st.integers(0, 99), st.integers(1, 60)
)


@seed(SEED)
@settings(
    max_examples=4,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(plan=st.lists(steps, min_size=4, max_size=8))
def test_any_order_of_kills_faults_and_changes_ends_in_whole_tables(
    tmp_path_factory: pytest.TempPathFactory, plan: list[Step]
) -> None:
    """L05, L06, L09, L21, L24, L38."""
    note(f"CHAOS_SEED={SEED}")
    with Simulator(seed=1, tickets=100, clock_scale=600.0) as account:
        syncs = Syncs(account, tmp_path_factory.mktemp("chaos"), STREAMS, RETRY_DEADLINE="60")
        for action, which, when in plan:
            take(syncs, action, which, when)
        account.clear_faults()
        syncs.complete()
        syncs.complete()
        syncs.assert_whole(*STREAMS)


def take(syncs: Syncs, action: str, which: int, when: int) -> None:
    """One step of a plan."""
    kind, parameters = MUTATIONS[which % len(MUTATIONS)]
    if action == "mutate":
        syncs.account.mutate(kind, **parameters)
    elif action == "mutate during":
        syncs.account.on_request(when, kind, **parameters)
    elif action == "fault":
        fault, details = FAULTS[which % len(FAULTS)]
        syncs.account.fault(fault, nth=when, **{"times": 1 + which % 3, **details})
    elif action == "kill":
        syncs.stop(syncs.moment(STAGES[which % 3], random.Random(which)))
    else:
        code, printed = syncs.run()
        assert is_expected(code, printed), printed
