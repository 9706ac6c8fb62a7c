"""Any JSON becomes Arrow without losing a value."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import threading
from collections.abc import ItemsView
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from dlt.common.normalizers.naming.snake_case import NamingConvention
from hypothesis import given, settings
from hypothesis import strategies as st
from repository import ROOT

from zendesk_support.records import json_repair as mending
from zendesk_support.records.arrow import ARROW_TYPES, Converter, DataType, Names
from zendesk_support.records.json_rows import Rows, page_decoder
from zendesk_support.simulator import Simulator

snake_case = NamingConvention().normalize_identifier


def decoded(body: str | bytes) -> Rows:
    """The rows of an answer."""
    data = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    return mending.decoded(data, page_decoder("rows")).rows


def test_names_that_many_keys_share_are_counted_on() -> None:
    """From the first each time, twenty thousand keys that normalise to one name took minutes."""
    asked: list[str] = []

    def identifier(name: str) -> str:
        asked.append(name)
        return snake_case(name)

    names = Names((), (), identifier)
    keys = ["".join("!?"[i >> bit & 1] for bit in range(9)) + "x" for i in range(500)]
    for some in (keys[:200], keys[200:]):
        names.add(some)
    shared = snake_case(keys[0])
    assert {names[key] for key in keys} == {shared, *(f"{shared}_{copy}" for copy in range(2, 501))}
    assert len(asked) < 3 * len(keys)


def rows_of(*values: Any) -> Rows:
    """Rows of one column `x`, each value given as JSON text."""
    return decoded('{"rows": [' + ",".join(f'{{"id": {i}, "x": {text}}}' for i, text in enumerate(values)) + "]}")


def column(*texts: str, **types: DataType) -> dict[str, list[Any]]:
    """The columns made of JSON texts of one key, `id` left out."""
    table = Converter({"id": "bigint", **types}).table(rows_of(*texts))
    return {name: table.column(name).to_pylist() for name in table.column_names if name != "id"}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


MOMENT = '"2024-02-03T04:05:06Z"'


@pytest.mark.parametrize(
    ("texts", "kind", "values"),
    [
        (("1", "null", "-3"), "bigint", [1, None, -3]),
        (("9223372036854775807",), "bigint", [2**63 - 1]),
        (("1", "1.5"), "double", [1.0, 1.5]),
        (("1e3",), "double", [1000.0]),
        (("true", "null"), "bool", [True, None]),
        (('"a"', '"\\u00e4\\n"'), "text", ["a", "ä\n"]),
        (('""',), "text", [""]),
        (("[1, 2]", "null"), "json", ["[1, 2]", None]),
        (('{"a": 1.0}', '"-"'), "json", ['{"a": 1.0}', '"-"']),
        (("1", '"a"', "true"), "text", ["1", "a", "true"]),
        (("9223372036854775808",), "text", ["9223372036854775808"]),
        (("1.5", "9007199254740993"), "text", ["1.5", "9007199254740993"]),
        (("1e999",), "text", ["1e999"]),
    ],
)
def test_a_column_nobody_declared_takes_the_type_of_its_first_values(
    texts: tuple[str, ...], kind: DataType, values: list[Any]
) -> None:
    """L13, L14, L41."""
    converter = Converter({"id": "bigint"})
    table = converter.table(rows_of(*texts))
    assert (converter.types["x"], table.column("x").to_pylist()) == (kind, values)
    assert table.schema.field("x").type == ARROW_TYPES[kind]


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("seen_at", MOMENT, "timestamp"),
        ("seen_at", '"2024-02-03T04:05:06.123456789Z"', "timestamp"),
        ("seen_at", '"soon"', "text"),
        ("seen", MOMENT, "text"),
        ("seen_at", "5", "bigint"),
    ],
)
def test_a_time_is_known_by_name_and_value(name: str, text: str, kind: DataType) -> None:
    converter = Converter({})
    converter.table(decoded(f'{{"rows": [{{"{name}": {text}}}]}}'))
    assert converter.types == {name: kind}


@pytest.mark.parametrize(
    ("kind", "fits", "value", "misfits"),
    [
        ("bigint", "7", 7, ('"7a"', "1.5", "true", "[1]", '{"a": 1}', "9223372036854775808")),
        ("double", "0.5", 0.5, ('"7a"', "true", "[1]", "9007199254740993")),
        ("bool", "false", False, ('"yes"', "0", "[true]")),
        ("timestamp", MOMENT, utc("2024-02-03T04:05:06"), ('"0001-13-45T99:00:00Z"', '""', "5", "{}", '"x"')),
    ],
)
def test_a_value_that_does_not_fit_goes_to_the_variant_and_its_row_stays(
    kind: DataType, fits: str, value: Any, misfits: tuple[str, ...]
) -> None:
    """L14, L41."""
    assert column(fits, *misfits, "null", x=kind) == {
        "x": [value, *[None] * len(misfits), None],
        "x__v_text": [
            None,
            *[json.loads(text) if text.startswith('"') else text for text in misfits],
            None,
        ],
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", "5"),
        ("1.50", "1.50"),
        ("true", "true"),
        ('{"a": [1, 2.0]}', '{"a": [1, 2.0]}'),
        ('"a"', "a"),
        ("null", None),
    ],
)
def test_a_text_column_takes_every_value_as_its_json(text: str, value: str | None) -> None:
    """L41."""
    assert column(text, '"z"', x="text") == {"x": [value, "z"]}


@pytest.mark.parametrize(
    "text", ["5", "true", '"a"', '"-"', '{"b": 1,  "a": [1.0, "\\u00e4"]}', "[]", "9" * 30, "1e999"]
)
def test_a_json_column_keeps_every_value_byte_for_byte(text: str) -> None:
    """L14, L41."""
    assert column(text, x="json") == {"x": [text]}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"2024-02-03T04:05:06Z"', "2024-02-03T04:05:06"),
        ('"2024-02-03T04:05:06.5Z"', "2024-02-03T04:05:06.500000"),
        ('"2024-02-03T04:05:06+02:00"', "2024-02-03T02:05:06"),
        ('"2024-02-03 04:05:06Z"', "2024-02-03T04:05:06"),
        ('"9999-12-31T23:59:59Z"', "9999-12-31T23:59:59"),
        ('"2024-02-03T04:05:06.1234567Z"', "2024-02-03T04:05:06.123456"),
        ('"2024-02-03T04:05:06.999999999+02:00"', "2024-02-03T02:05:06.999999"),
    ],
)
def test_a_time_is_an_instant_in_utc(text: str, value: str) -> None:
    assert column(text, x="timestamp") == {"x": [utc(value)]}
    beside = column(text, MOMENT, '"soon"', "null", x="timestamp")
    assert beside == {
        "x": [utc(value), utc("2024-02-03T04:05:06"), None, None],
        "x__v_text": [None, None, "soon", None],
    }


def test_types_stay_through_pages_and_columns_that_a_page_lacks_are_null() -> None:
    converter = Converter({"id": "bigint"}, required=["id"])
    first = converter.table(rows_of("1"))
    second = converter.table(decoded('{"rows": [{"id": 9, "y": [1]}, {"y": null, "id": 10}]}'))
    third = converter.table(rows_of('"a"'))
    assert first.schema.names == ["id", "x"]
    assert second.to_pylist() == [{"id": 9, "x": None, "y": "[1]"}, {"id": 10, "x": None, "y": None}]
    assert third.to_pylist() == [{"id": 0, "x": None, "y": None, "x__v_text": "a"}]
    assert [table.schema.field("id").nullable for table in (first, second, third)] == [False] * 3


def test_a_column_that_was_always_null_waits_for_a_value() -> None:
    converter = Converter({})
    assert converter.table(rows_of("null")).schema.names == ["id"]
    assert converter.table(rows_of("true")).schema.names == ["id", "x"]


def test_a_table_without_rows_has_every_known_column() -> None:
    table = Converter({"id": "bigint", "x_at": "timestamp"}).table([])
    assert (table.num_rows, table.schema.names) == (0, ["id", "x_at"])


def test_rows_with_other_keys_or_another_order_keep_their_values() -> None:
    table = Converter({}).table(decoded('{"rows": [{"a": 1, "b": 2}, {"b": 3, "a": 4}, {"c": 5}, {}]}'))
    assert table.to_pylist() == [
        {"a": 1, "b": 2, "c": None},
        {"a": 4, "b": 3, "c": None},
        {"a": None, "b": None, "c": 5},
        {"a": None, "b": None, "c": None},
    ]


def test_dropped_keys_are_left_out() -> None:
    table = Converter({}, dropped=frozenset({"x"})).table(rows_of("1"))
    assert table.schema.names == ["id"]


def named(
    body: str, known: dict[str, DataType] | None = None, before: Converter | None = None
) -> tuple[list[dict[str, Any]], Converter]:
    """Rows by column, as the destination's naming has it, with what an earlier run has left there."""
    found, keys = (before.types, before.renamed) if before else ({}, {})
    converter = Converter(known or {}, found, identifier=snake_case, keys={key: name for name, key in keys.items()})
    rows = converter.table(decoded(body)).to_pylist()
    return [{k: v for k, v in row.items() if v is not None} for row in rows], converter


def test_keys_that_are_named_alike_get_columns_of_their_own() -> None:
    """L12."""
    body = '{"rows": [{"status": "open", "Status": "x", "fooBar": 1, "foo_bar": 2, "Foo Bar": 3}]}'
    (row,), _ = named(body, {"status": "text"})
    assert sorted(row.values(), key=str) == [1, 2, 3, "open", "x"]
    assert row["status"] == "open"


@pytest.mark.parametrize("key", ["fooBar", "Foo Bar", "naïve key", "🎉", "x" * 300, "a.b", "1st"])
def test_a_key_keeps_its_column_in_the_next_run(key: str) -> None:
    """L12."""
    body = json.dumps({"rows": [{key: 7}]})
    first, converter = named(body)
    assert named(body, before=converter)[0] == first


def test_keys_that_are_named_alike_keep_their_columns_in_any_order() -> None:
    """L12."""
    keys = ["Foo", "foo", "FOO", "f__o", "x", "x__v_text", "_dlt_id", "_DLT_ID", "_dlt_valid_to", "zendesk_dlt_id"]
    before = Converter({}, identifier=snake_case)
    columns: dict[str, set[str]] = {}
    for order in (keys, keys[::-1], keys[1:] + keys[:1]):
        for key in order:
            rows, before = named(json.dumps({"rows": [{key: f"value of {key}"}]}), before=before)
            columns.setdefault(key, set()).update(rows[0])
    assert {key: len(names) for key, names in columns.items()} == dict.fromkeys(keys, 1)
    assert len({name for names in columns.values() for name in names}) == len(keys)
    assert (columns["x"], columns["x__v_text"]) == ({"x"}, {"x_v_text"})
    assert not any(name.startswith("_dlt") for names in columns.values() for name in names)


def test_a_key_named_like_a_variant_does_not_meet_it() -> None:
    """L12, L14. Of dlt's namings, `direct` leaves double underscores."""
    body = '{"rows": [{"x": 1, "x__v_text": "own"}, {"x": "odd", "x__v_text": "mine"}]}'
    assert Converter({"x": "bigint"}).table(decoded(body)).to_pylist() == [
        {"x": 1, "x__v_text": None, "x__v_text_2": "own"},
        {"x": None, "x__v_text": "odd", "x__v_text_2": "mine"},
    ]


@pytest.mark.parametrize(
    "key",
    ["", " ", "\x00\x1f", 'x"; DROP TABLE y; --', "../../etc/passwd", "select", "_dlt_id", "_dlt_load_id", "🎉🎉"],
)
def test_any_key_becomes_a_column(key: str) -> None:
    """L12, L13."""
    (row,), _ = named(json.dumps({"rows": [{key: 7}]}))
    assert list(row.values()) == [7]
    assert not set(row) & {"_dlt_id", "_dlt_load_id", ""}


@pytest.mark.parametrize(
    ("value", "kind", "read"),
    [
        (r'"a\ud83d\ude00"', "text", "a😀"),
        (r'"a\ud83d"', "text", "a\ufffd"),
        (r'["\ud83d"]', "json", '["\ufffd"]'),
        (r'["\\ud83d", "\ud83d\ude00"]', "json", r'["\\ud83d", "\ud83d\ude00"]'),
        (r'"a\u0000b"', "text", "a\0b"),
        (r'["\u0000"]', "json", r'["\u0000"]'),
    ],
)
def test_texts_that_utf8_cannot_hold_are_mended_and_others_kept(value: str, kind: DataType, read: str) -> None:
    """L14."""
    assert column(value, x=kind) == {"x": [read]}


@pytest.mark.parametrize(
    ("value", "kind", "read"),
    [
        (r'"a\u0000b"', "text", "ab"),
        (r'["a\u0000b", "\\u0000"]', "json", r'["ab", "\\u0000"]'),
        (r'["\\\u0000"]', "json", r'["\\"]'),
        ('"ab"', "text", "ab"),
    ],
)
def test_nul_is_left_out_for_destinations_that_cannot_hold_it(value: str, kind: DataType, read: str) -> None:
    table = Converter({"x": kind}, strip_nul=True).table(rows_of(value))
    assert table.column("x").to_pylist() == [read]


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"rows": [{"x": NaN}]}', None),
        (b'{"rows": [{"x": -Infinity}]}', None),
        (b'{"rows": [{"x": "a\xff\xfe"}]}', "a\ufffd\ufffd"),
        (b'{"rows": [{"x": "\xed\xa0\x80"}]}', "\ufffd" * 3),
        (b'{"rows": [{"x": "\\ud800"}]}', "\ufffd"),
        ('{"rows": [{"x": "\u2028"}]}'.encode(), "\u2028"),
        (b'{"rows": [{"x": "a\x00\tb"}]}', "a\0\tb"),
        (b'{"rows": [{"x": "NaN, \\"NaN", "y": NaN}]}', 'NaN, "NaN'),
    ],
    ids=["nan", "infinity", "latin", "surrogate bytes", "surrogate", "separator", "control", "nan in a text"],
)
def test_nearly_valid_json_loads_with_its_other_values(body: bytes, value: str | None) -> None:
    """L14, L24."""
    rows = decoded(body[:-2] + b', {"x": "other"}]}')
    assert Converter({"x": "text"}).table(rows).column("x").to_pylist() == [value, "other"]


def test_integers_beyond_64_bits_survive_the_mending_of_another_value() -> None:
    rows = decoded(b'{"rows": [{"x": 123456789012345678901234567890, "y": 1.10, "z": NaN}]}')
    assert Converter({}).table(rows).to_pylist() == [{"x": "123456789012345678901234567890", "y": 1.1}]


def test_mending_one_value_leaves_all_others_byte_for_byte() -> None:
    """L24, L40."""
    body = b'{"rows": [{"x": {"b": 1.10, "a" : 1e400, "a": "\\u00e4\\ud83d\\ude00\\\\ud83d"}}, {"x": ["\\ud83d"]}]}'
    first, second = Converter({}).table(decoded(body)).column("x").to_pylist()
    assert first.encode() == body[len(b'{"rows": [{"x": ') : -len(b'}, {"x": ["\\ud83d"]}]}')]
    assert second == '["\ufffd"]'


def test_names_that_differ_in_what_utf8_cannot_hold_stay_apart() -> None:
    """L12."""
    rows = decoded(b'{"rows": [{"\\ud800": 1, "\\ud801": 2, "\xff": 3, "\xfe": 4, "x": {"\\udfff": 5, "\\udffe": 6}}]}')
    assert Converter({}).table(rows).to_pylist() == [
        {"\ufffdd800": 1, "\ufffdd801": 2, "\ufffddcff": 3, "\ufffddcfe": 4, "x": '{"\ufffddfff": 5, "\ufffddffe": 6}'}
    ]


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"rows": [{"id": 1', b'{"rows": 5}', b"[]", b'{"rows": [5]}', b"{}"]
)
def test_a_body_that_is_no_answer_is_refused(body: bytes) -> None:
    """L24, L38."""
    with pytest.raises(msgspec.DecodeError):
        decoded(body)


# Any rows

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)).map(
        lambda at: at.strftime("%Y-%m-%dT%H:%M:%SZ").zfill(20)
    )
)
nested = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
some_rows = st.lists(
    st.dictionaries(st.sampled_from(["a", "b", "b_at", "B", "c d", "ä"]), nested, max_size=5), min_size=1, max_size=6
)


def same(value: Any, token: str, found: Any, kind: DataType) -> bool:
    """Whether a cell holds a JSON value."""
    if kind == "json":
        return bool(found == token)
    if kind == "timestamp":
        try:
            return isinstance(value, str) and bool(found == datetime.fromisoformat(value.replace("Z", "+00:00")))
        except ValueError:  # a text of another column
            return False
    if kind == "text":
        return bool(found == (value if isinstance(value, str) else token))
    return (
        type(found) in (type(value), float) and found == value and not (isinstance(found, float) and math.isnan(found))
    )


@settings(max_examples=100, deadline=None)
@given(st.lists(some_rows, min_size=1, max_size=3))
def test_every_value_of_any_rows_can_be_read_back(pages: list[list[dict[str, Any]]]) -> None:
    """L12, L14, L41."""
    converter = Converter({}, identifier=snake_case)
    for page in pages:
        page = [{**row, "id": i} for i, row in enumerate(page)]
        tokens = [{key: json.dumps(value, ensure_ascii=False) for key, value in row.items()} for row in page]
        body = ",".join("{" + ",".join(f"{json.dumps(k)}:{t}" for k, t in row.items()) + "}" for row in tokens)
        table = converter.table(decoded('{"rows": [' + body + "]}"))
        assert table.num_rows == len(page)
        for row, token, found in zip(page, tokens, table.to_pylist()):
            cells = {name: cell for name, cell in found.items() if cell is not None}
            wanted = {key: value for key, value in row.items() if value is not None}
            assert len(cells) == len(wanted)
            for key, value in wanted.items():
                assert any(same(value, token[key], cell, converter.types[name]) for name, cell in cells.items()), key
        assert table.schema.names == list(converter.types)
        assert all(pa.types.is_string(table.schema.field(n).type) for n in converter.types if n.endswith("__v_text"))


def test_no_reader_is_the_first_to_import_pandas(tmp_path: Path, account: Simulator) -> None:
    """dlt looks at pandas as soon as its import has begun."""
    script = f"""
import sys, threading
from pathlib import Path
from support import load, pipeline
from zendesk_support.simulator import RemoteSimulator

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "pandas":
            print(threading.current_thread() is threading.main_thread())

sys.meta_path.insert(0, Watch())
load(pipeline(Path({str(tmp_path)!r})), RemoteSimulator({account.base_url!r}), "groups", "tickets")
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests" / "helpers")}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == {"True"}


def test_the_columns_known_so_far_can_be_asked_for_while_a_page_adds_some() -> None:
    """As when a stop comes while a stream's first page is converted."""
    iterating = threading.Event()

    class Watched(dict[str, DataType]):
        def items(self) -> ItemsView[str, DataType]:
            def slowly() -> Any:
                for item in super(Watched, self).items():
                    yield item
                    if not iterating.is_set():
                        iterating.set()
                        adding.join(0.5)

            return slowly()  # type: ignore[no-any-return]

    converter = Converter({"id": "bigint"})
    converter.types = Watched(converter.types)
    adding = threading.Thread(target=lambda: iterating.wait(60) and converter.table(rows_of("1", "2")))
    adding.start()
    assert converter.table([]).column_names == ["id"]
    adding.join(60)
    assert converter.table([]).column_names == ["id", "x"]
