"""What a mask makes of rows: values gone or hashed where its paths lead, all else byte for byte as it was."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import msgspec
import pytest

from zendesk_support.records.json_rows import Row
from zendesk_support.records.masks import Mask

SALT = b"a salt for these tests"


def row(**texts: str) -> Row:
    """A row of JSON texts."""
    return {name: msgspec.Raw(text.encode()) for name, text in texts.items()}


def texts(made: Row) -> dict[str, str]:
    return {name: bytes(value).decode() for name, value in made.items()}


def masked(exclude: str = "", hash: str = "", **given: str) -> dict[str, str]:
    """What is left of a row."""
    [made] = Mask(tuple(exclude.split()), tuple(hash.split()), SALT).rows([row(**given)])
    return texts(made)


def digest(content: str) -> str:
    return f'"{hmac.new(SALT, content.encode(), hashlib.sha256).hexdigest()[:32]}"'


def test_a_row_without_a_mask_is_the_same_row() -> None:
    rows = [row(id="1")]
    assert Mask().rows(rows) is rows


def test_rows_that_others_read_too_stay_as_they_are() -> None:
    given = row(id="1", phone='"5"', via='{"a":1}')
    Mask(("phone", "via.a")).rows([given])
    assert texts(given) == {"id": "1", "phone": '"5"', "via": '{"a":1}'}


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ('"ann@example.com"', "ann@example.com"),
        (r'"\u00c4nne \"A\""', 'Änne "A"'),
        ('"Änne"', "Änne"),
        ("5", "5"),
        ('"5"', "5"),
        ("1.50", "1.50"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("true", "true"),
        ('["a", 1]', '["a", 1]'),
        ('{"b":1,"a":[]}', '{"b":1,"a":[]}'),
        (r'"half \ud83d a pair"', "half \ufffd a pair"),
    ],
)
def test_a_hash_is_that_of_the_characters_of_a_text_or_of_the_json_of_other_values(text: str, content: str) -> None:
    assert masked(hash="email", id="1", email=text) == {"id": "1", "email": digest(content)}


@pytest.mark.parametrize("text", ["null", '""'])
def test_null_and_the_empty_text_stay(text: str) -> None:
    assert masked(hash="email", email=text) == {"email": text}


@pytest.mark.parametrize(
    ("path", "given", "left"),
    [
        ("via.source.from", '{"source":{"to":1,"from":{"a":2}},"rel":1.50}', '{"source":{"to":1},"rel":1.50}'),
        ("via.a", '[{"a":1,"b":2},{"b":3},[{"a":4}],5,null]', '[{"b":2},{"b":3},[{}],5,null]'),
        ("via.a", r'{"\u0061":1,"b":"\u00e4"}', r'{"b":"\u00e4"}'),
        ("via.a", '{"a":1,"a":2,"b":123456789012345678901234567890}', '{"b":123456789012345678901234567890}'),
        ("via.a.b", '{"a":"text"}', '{"a":"text"}'),
        ("via.a", '"Web form"', '"Web form"'),
        ("via.a", "null", "null"),
        ("via.a", "{}", "{}"),
    ],
)
def test_a_path_leads_through_objects_and_every_element_of_lists(path: str, given: str, left: str) -> None:
    assert masked(exclude=path, via=given) == {"via": left}


def test_values_below_are_hashed_where_they_are_of_a_list_each_element() -> None:
    fields = '[{"id":1,"value":"x"},{"id":2,"value":["a","b",null]},{"id":3,"value":null},{"id":4,"value":{"k":7}}]'
    listed = f"[{digest('a')},{digest('b')},null]"
    assert masked(hash="fields.value", fields=fields) == {
        "fields": f'[{{"id":1,"value":{digest("x")}}},{{"id":2,"value":{listed}}},{{"id":3,"value":null}},'
        f'{{"id":4,"value":{digest(chr(123) + chr(34) + "k" + chr(34) + ":7}")}}}]'
    }


def test_several_paths_into_one_column_all_hold() -> None:
    made = masked(
        exclude="via.to via.from.name phone",
        hash="via.from.address",
        via='{"from":{"address":"a@example.com","name":"Ann"},"to":{"name":"Bob"}}',
        phone="1",
    )
    assert made == {"via": f'{{"from":{{"address":{digest("a@example.com")}}}}}'}


@pytest.mark.parametrize("exclude", ["via via.from", "via.from via"])
def test_a_path_within_what_is_left_out_changes_nothing(exclude: str) -> None:
    assert masked(exclude=exclude, id="1", via='{"from":1}') == {"id": "1"}


def test_what_is_half_json_is_mended_before_it_is_masked() -> None:
    assert masked(exclude="via.a", via='{"a":1,"b":NaN}') == {"via": '{"b":null}'}


def test_objects_of_a_column_are_masked_as_they_are_within_it() -> None:
    mask = Mask(("events.html",), ("events.body", "other"), SALT)
    made = mask.below("events", [row(id="1", body='"x"', html='"y"', other='"z"')])
    assert [texts(item) for item in made] == [{"id": "1", "body": digest("x"), "other": '"z"'}]
    assert Mask(("events",)).below("events", made) == made


def stored(*parts: Any) -> str:
    return Mask(*parts).stored


def test_what_is_stored_tells_masks_and_salts_apart_and_no_salt() -> None:
    kept = stored(("b", "a"), ("c",), SALT)
    assert kept == stored(("a", "b"), ("c",), SALT)
    assert kept != stored(("a", "b"), ("c",), SALT + b"!")
    assert stored(("a",), (), SALT) == stored(("a",)) == '{"exclude": ["a"]}'
    assert stored() == "{}"
    assert SALT.decode() not in kept + repr(Mask((), ("c",), SALT))
