"""Custom fields, and the names that their columns have for good."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, count

VALUE = "__value"
"""Ends the name of the column with an option's value, beside the one with its label."""
LONGEST_TITLE = 40
LONGEST_NAME = 63 - len(VALUE)
"""Postgres takes names of 63 bytes."""
OPTION_TYPES = ("dropdown", "tagger")
LIST_TYPES = ("multiselect",)
_OF_USERS = ("zen:ticket", "zen:user", "zen:organization")


@dataclass(frozen=True)
class Field:
    """A custom field, as Zendesk last showed it.

    Attributes:
        id: of the field.
        key: by which rows have its value; empty where they have it by the id.
        title: as agents read it.
        type: Zendesk's word, such as `tagger`.
        active: whether forms show it.
        deleted: whether Zendesk has it no more.
        target: what a lookup field points to.
        options: labels by value, those of deleted options too.
    """

    id: int
    key: str
    title: str
    type: str
    active: bool = True
    deleted: bool = False
    target: str = ""
    options: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def is_list(self) -> bool:
        """Whether a row has several values of it."""
        return self.type in LIST_TYPES

    @property
    def has_options(self) -> bool:
        """Whether its values are those of options, which have labels."""
        return self.is_list or self.type in OPTION_TYPES

    @property
    def is_reference(self) -> bool:
        """Whether its values are ids of tickets, users or organizations."""
        return self.type == "lookup" and self.target in _OF_USERS


def slug(title: str) -> str:
    """A title as part of a column's name: a-z, 0-9 and single underscores; empty where it has none of them."""
    bare = unicodedata.normalize("NFKD", title.replace("ß", "ss")).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", bare).strip("_")[:LONGEST_TITLE].strip("_")


def name_columns(fields: Iterable[Field], given: Mapping[int, str], taken: Collection[str]) -> dict[int, str]:
    """The column of each field: `custom_` and its title, and its id where that name is not its alone.

    Args:
        fields: all fields of a table, deleted ones too.
        given: names by field that were given before; they stay.
        taken: names of the table's other columns.

    Returns:
        Names by field. None of them, with or without what ends the column of a value, is that of another column.
    """
    titles = {one.id: slug(one.title) for one in fields if one.id not in given}
    times = Counter(titles.values())
    used = {*taken, *with_values(given.values())}
    names = dict(given)
    for id, title in sorted(titles.items()):
        wanted = candidates(f"custom_{title}", id)
        if not title or times[title] > 1:
            next(wanted)
        names[id] = next(name for name in wanted if used.isdisjoint(with_values([name])))
        used.update(with_values([names[id]]))
    return names


def candidates(name: str, id: int) -> Iterator[str]:
    """Names that a field's column may have, the first choice first."""
    yield name
    for end in chain([f"_{id}"], (f"_{id}_{number}" for number in count(2))):
        yield name[: LONGEST_NAME - len(end)].rstrip("_") + end


def with_values(names: Iterable[str]) -> Iterator[str]:
    """Columns' names, each with that of the column which an option's value may have."""
    for name in names:
        yield from (name, name + VALUE)


def remembered(known: Mapping[int, Field], listed: Mapping[int, Field], with_options: bool = True) -> dict[int, Field]:
    """What is known of the fields once Zendesk has listed them: those it lists no more are deleted, not forgotten.

    Args:
        known: what was known before.
        listed: what Zendesk lists now.
        with_options: whether the list has options; where they are left out, labels that were known are forgotten.
    """
    fields = {id: replace(one, deleted=True) for id, one in known.items() if id not in listed}
    for id, one in listed.items():
        fields[id] = replace(one, options={**known[id].options, **one.options}) if id in known else one
    return fields if with_options else {id: replace(one, options={}) for id, one in fields.items()}
