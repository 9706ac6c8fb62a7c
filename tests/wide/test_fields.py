"""Names of custom fields' columns: one each, none that another column has, and none that ever changes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zendesk_support.wide.fields import LONGEST_NAME, VALUE, Field, name_columns, remembered, slug

TITLES = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        ["Region", "region", "Région", "地域", "🎉", "", "status id", "fields", "Region 7", "Region__value"]
    ),
)
FIELDS = st.lists(TITLES, max_size=12).map(lambda titles: [field(id, title) for id, title in enumerate(titles, 1)])


def field(id: int, title: str, kind: str = "tagger", **more: object) -> Field:
    return Field(id, "", title, kind, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Product area", "product_area"),
        ("  Größe & Gewicht?", "grosse_gewicht"),
        ("Année / Mois", "annee_mois"),
        ("地域", ""),
        ("🎉", ""),
        ("", ""),
        ("a__b", "a_b"),
        ("x" * 50, "x" * 40),
        ("{{dc.region}}", "dc_region"),
    ],
)
def test_a_title_becomes_part_of_a_name(title: str, expected: str) -> None:
    assert slug(title) == expected


def test_a_title_that_is_not_a_fields_alone_has_its_id() -> None:
    titles = ("Region", "Region", "地域", "🎉", "", "Product area", "Fields", "status id")
    fields = [field(id, title) for id, title in enumerate(titles, 91)]
    assert list(name_columns(fields, {}, {"custom_fields", "custom_status_id"}).values()) == [
        "custom_region_91",
        "custom_region_92",
        "custom_93",
        "custom_94",
        "custom_95",
        "custom_product_area",
        "custom_fields_97",
        "custom_status_id_98",
    ]


def test_a_name_stays_whatever_becomes_of_the_field() -> None:
    names = name_columns([field(1, "Region")], {}, ())
    assert names == {1: "custom_region"}
    renamed = [field(1, "Area"), field(2, "Region"), field(3, "Area")]
    assert name_columns(renamed, names, ()) == {1: "custom_region", 2: "custom_region_2", 3: "custom_area"}


def test_a_name_that_looks_like_another_with_its_id_is_not_given_twice() -> None:
    names = name_columns([field(7, "Region"), field(5, "Region 7"), field(9, "Region")], {}, ())
    assert len(set(names.values())) == 3
    assert names[5] == "custom_region_7"


@given(FIELDS, FIELDS, st.sets(st.sampled_from(["custom_region", "custom_fields", "custom_region__value"])))
def test_names_never_collide_and_fit_every_database(first: list[Field], later: list[Field], taken: set[str]) -> None:
    before = name_columns(first, {}, taken)
    more = [field(one.id + 100, one.title) for one in later]
    names = name_columns([*first, *more], before, taken)
    assert before.items() <= names.items()
    assert names.keys() == {one.id for one in (*first, *more)}
    columns = [*names.values(), *(name + VALUE for name in names.values())]
    assert len({*columns, *taken}) == len(columns) + len(taken)
    assert all(re.fullmatch(r"custom_[a-z0-9_]+", name) and len(name) <= LONGEST_NAME for name in names.values())


def test_what_zendesk_lists_no_more_is_deleted_and_not_forgotten() -> None:
    known = {1: field(1, "Region", options={"eu": "Europe", "us": "America"}), 2: field(2, "Old")}
    now = remembered(known, {1: field(1, "Area", options={"us": "USA"}, active=False)})
    assert {id: (one.title, one.active, one.deleted, dict(one.options)) for id, one in now.items()} == {
        1: ("Area", False, False, {"eu": "Europe", "us": "USA"}),
        2: ("Old", True, True, {}),
    }
