"""Accounts are kept apart: none goes on from another's positions, and none touches another's rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dlt
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline
from documented import says
from support import MakePipeline, assert_whole, load, pipeline, source, written

from zendesk_support import sync, zendesk_support_source
from zendesk_support.error_messages import causes
from zendesk_support.errors import ConfigurationError
from zendesk_support.simulator import Simulator
from zendesk_support.verification.verifier import verify

Simulate = Callable[..., Simulator]
STREAMS = ("tickets", "groups")


def at_another_host(account: Simulator) -> str:
    """The account's address by another name, as a second account would have."""
    return account.base_url.replace("127.0.0.1", "localhost")


def other_account(account: Simulator, **settings: Any) -> Any:
    """The source on what seems another account."""
    return source(account, base_url=at_another_host(account), **settings).with_resources(*STREAMS)


@pytest.mark.parametrize(
    "by",
    [sync, verify, lambda target, data: target.run(data)],
    ids=["sync", "verify", "pipeline.run"],
)
def test_a_pipeline_refuses_another_account_and_keeps_what_it_has(
    tmp_path: Path, account: Simulator, by: Callable[[Pipeline, Any], Any]
) -> None:
    target = pipeline(tmp_path)
    load(target, account, *STREAMS)
    asked = len(account.requests())
    with pytest.raises((ConfigurationError, PipelineStepFailed)) as refused:
        by(target, other_account(account))
    assert any(says("a pipeline of another account", str(cause)) for cause in causes(refused.value))
    assert len(account.requests()) == asked
    assert written(load(target, account, *STREAMS)) == {}
    assert_whole(target, account, *STREAMS)


def test_a_dataset_refuses_a_second_account(make_pipeline: MakePipeline, account: Simulator) -> None:
    target = make_pipeline()
    load(target, account, *STREAMS)
    second = dlt.pipeline("second", destination=target.destination, dataset_name=target.dataset_name)
    with pytest.raises(ConfigurationError) as refused:
        sync(second, other_account(account))
    assert says("a dataset of another account", str(refused.value))
    load(second, account, *STREAMS)


@pytest.mark.parametrize("single", [True, False])
def test_a_second_source_of_a_pipeline_needs_a_dataset_of_its_own(
    tmp_path: Path, account: Simulator, simulate: Simulate, single: bool
) -> None:
    target = pipeline(tmp_path)
    target.config.use_single_dataset = single
    load(target, account, *STREAMS)
    beta = simulate(seed=2, tickets=5)
    data = other_account(beta).clone(with_name="beta")
    if single:
        with pytest.raises(ConfigurationError):
            sync(target, data)
    else:
        assert written(sync(target, data))["tickets"] == 5
        assert_whole(target, account, *STREAMS)
        assert written(sync(target, data)) == {}


def test_an_account_that_is_reached_by_another_host_is_named(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, account, *STREAMS)
    assert written(sync(target, other_account(account, same_account_as="127.0.0.1"))) == {}


def test_an_account_is_its_host_whatever_its_port() -> None:
    names = [
        zendesk_support_source(**where, credentials={"access_token": "any"}).account.settings.account
        for where in (
            {"subdomain": "acme"},
            {"base_url": "https://ACME.zendesk.com:8443"},
            {"base_url": "http://127.0.0.1:1", "same_account_as": "Acme.Zendesk.com "},
        )
    ]
    assert names == ["acme.zendesk.com"] * 3
