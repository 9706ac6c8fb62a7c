"""What is left out or hashed stands nowhere: in no package, table, state, trace or log, in no file of the run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from evidence import Evidence, every_log_line
from masked import SALT
from repository import ROOT
from support import load, pipeline, source

from zendesk_support import sync
from zendesk_support.simulator import Simulator
from zendesk_support.verification.verifier import verify

Simulate = Callable[..., Simulator]
NAME, EMAIL, PHONE = "Planted Person", "planted.person@example.net", "+15550123499"
NOTES, PHOTO, IDENTITY = "planted notes", "planted-photo.png", "planted.identity@example.net"
TEXT, FIELD, ADDRESS, IP = "planted text of a ticket", "planted-field", "planted.sender@example.net", "203.0.113.77"
GROUP = "planted words on a group"
PLANTED = (NAME, EMAIL, PHONE, NOTES, PHOTO, IDENTITY, TEXT, FIELD, ADDRESS, IP, GROUP)
OF_COMMENT = ("body", "html_body", "plain_body", "metadata.system.ip_address", "via.source.from.name")
MASKS: dict[str, dict[str, list[str]]] = {
    "users": {"exclude": ["phone", "photo", "notes"], "hash": ["email", "name"]},
    "user_identities": {"hash": ["value"]},
    "groups": {"exclude": ["description"]},
    "tickets": {
        "exclude": ["description", "subject", "raw_subject", "via.source.from.name"],
        "hash": ["via.source.from.address", "custom_fields.value"],
    },
    "ticket_events": {
        "exclude": ["metadata.system.ip_address", *(f"child_events.{name}" for name in OF_COMMENT)],
        "hash": ["child_events.via.source.from.address", "child_events.custom_ticket_fields"],
    },
    "ticket_comments": {"exclude": [*OF_COMMENT], "hash": ["via.source.from.address"]},
    "ticket_changes": {"hash": ["value", "previous_value"]},
    "ticket_audits": {
        "exclude": ["metadata", "via.source.from.name", *(f"events.{name}" for name in OF_COMMENT)],
        "hash": ["events.via.source.from.address", "events.value", "via.source.from.address"],
    },
    "ticket_activities": {"exclude": ["actor", "object", "target", "title", "user"]},
    "ticket_skips": {"exclude": ["ticket"]},
    "deleted_tickets": {"exclude": ["actor", "subject"]},
}


def plant(account: Simulator) -> None:
    """Put values that stand nowhere else into rows of every kind."""
    tables, now = account.account.tables, int(account.now())
    person, ticket, group = (tables[name].rids[3] for name in ("users", "tickets", "groups"))
    tables["users"].change(person, now).update(
        name=NAME, email=EMAIL, phone=PHONE, notes=NOTES, photo={"file_name": PHOTO}
    )
    identities = tables["user_identities"]
    own = next(rid for rid in identities.rids if identities.get(rid)["user_id"] == person)
    identities.change(own).update(value=IDENTITY)
    tables["groups"].change(group).update(description=GROUP)
    sender = {"channel": "email", "source": {"from": {"address": ADDRESS, "name": NAME}, "to": {}, "rel": None}}
    for rid in (ticket, tables["tickets"].rids[4]):
        row = tables["tickets"].change(rid, now)
        row.update(description=TEXT, subject=TEXT, raw_subject=TEXT, via=sender, status="open")
        row["custom_fields"][1]["value"] = FIELD
    events = tables["ticket_events"]
    for rid in [rid for rid in events.rids if events.get(rid)["ticket_id"] == ticket]:
        event = events.change(rid, now)
        event["metadata"] = {"system": {"ip_address": IP}}
        for child in [child for child in event["child_events"] if "body" in child]:
            child.update(body=TEXT, html_body=TEXT, plain_body=TEXT, via=sender, metadata=event["metadata"])
    account.account.changed()


def evidence_of(folder: Path, account: Simulator, **settings: Any) -> Evidence:
    """What loading, changing, loading again and comparing leave behind."""
    evidence, target = Evidence(), pipeline(folder)

    def chosen() -> Any:
        return source(account, deletes="mark", **settings).with_resources(*MASKS)

    with every_log_line(evidence):
        target.extract(chosen())
        evidence.add_folder(folder)
        target.normalize()
        evidence.add_folder(folder)
        target.load()
        account.mutate("update_users", ids=[account.account.tables["users"].rids[3]])
        account.mutate("redact_comments", count=3)
        account.mutate("delete_tickets", ids=[account.account.tables["tickets"].rids[3]])
        account.mutate("update_rows", stream="groups", count=4)
        report = sync(target, chosen())
        assert {stream.stream: stream.message for stream in report.failed} == {}
        evidence.add("report", f"{report!r} {chosen()!r} {vars(chosen().account)!r}")
        evidence.add("verification", repr(verify(target, chosen(), keys=True)))
    evidence.add_pipeline(target)
    evidence.add_folder(folder)
    return evidence


@pytest.mark.parametrize("nested", ["json", "tables"])
def test_masked_values_are_left_nowhere(tmp_path: Path, simulate: Simulate, nested: str) -> None:
    account = simulate(tickets=10)
    plant(account)
    evidence = evidence_of(tmp_path, account, streams=MASKS, hash_salt=SALT, nested=nested)
    assert evidence.holding([*PLANTED, SALT]) == {}
    rows = evidence["table users"] + evidence["table tickets"]
    assert len(rows) > 1000


def test_a_package_that_is_loaded_leaves_no_rows_in_the_working_folder(tmp_path: Path, account: Simulator) -> None:
    load(pipeline(tmp_path), account, "users", "groups")
    packages = list((tmp_path / "dlt").rglob("package_completed.json"))
    assert packages
    assert list((tmp_path / "dlt").rglob("*.parquet")) == []


def test_without_masks_each_of_them_is_found(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=10)
    plant(account)
    found = evidence_of(tmp_path, account).holding(PLANTED)
    assert {value for values in found.values() for value in values} == set(PLANTED)


NUMBER, SPOKEN, CALLER = "+15550188422", "planted words of a call", "Planted Caller"
OF_CALLS = ("tickets", "ticket_comments", "ticket_events", "ticket_audits")


def plant_call(account: Simulator) -> None:
    """Put a caller, and what was said, where a call leaves it in a ticket, its comments and its audits."""
    tables, now = account.account.tables, int(account.now())
    ticket = tables["tickets"].rids[3]
    caller = {"phone": NUMBER, "formatted_phone": NUMBER, "name": CALLER}
    via = {"channel": "voice", "source": {"from": caller, "to": {}, "rel": "voicemail"}}
    tables["tickets"].change(ticket, now).update(via=via, status="open")
    events = tables["ticket_events"]
    for rid in [rid for rid in events.rids if events.get(rid)["ticket_id"] == ticket]:
        for child in [child for child in events.change(rid, now)["child_events"] if "body" in child]:
            said = {"from": NUMBER, "transcription_text": SPOKEN, "answered_by_name": CALLER}
            child.update(body=SPOKEN, html_body=SPOKEN, plain_body=SPOKEN, via=via, data=said, formatted_from=NUMBER)
    account.account.changed()


def example_of_calls() -> dict[str, Any]:
    """The settings by stream that docs/privacy.md shows for calls."""
    page = (ROOT / "docs" / "privacy.md").read_text()
    shown = page.partition("<!-- calls: begin -->\n```toml\n")[2].partition("```")[0]
    return tomlkit.parse(shown).unwrap()["sources"]["zendesk_support"]["streams"]


def test_the_example_takes_numbers_and_transcripts_of_calls_out_of_tickets(tmp_path: Path, simulate: Simulate) -> None:
    found: dict[bool, dict[str, list[str]]] = {}
    for is_masked in (False, True):
        account, evidence = simulate(tickets=10), Evidence()
        target = pipeline(tmp_path / str(is_masked))
        plant_call(account)
        load(target, account, *OF_CALLS, streams=example_of_calls() if is_masked else {})
        evidence.add_pipeline(target)
        found[is_masked] = evidence.holding([NUMBER, SPOKEN, CALLER])
    assert {f"table {name}" for name in OF_CALLS} <= found[False].keys()
    assert found[True] == {}
