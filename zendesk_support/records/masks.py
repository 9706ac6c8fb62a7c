"""Columns and nested values that are left out of rows, or replaced by a keyed hash."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import msgspec

from zendesk_support.records.json_repair import repaired
from zendesk_support.records.json_rows import Row, Rows, raw

HASH_CHARACTERS = 32
"""Hexadecimal digits of a hash: 128 of the 256 bits of HMAC-SHA-256."""
FINGERPRINT_CHARACTERS = 16
NOTHING = (b"null", b'""')
"""JSON texts that say nothing about anybody, and stay as they are."""

EXCLUDED, HASHED = "exclude", "hash"
Tree = dict[str, Any]
"""What becomes of members: EXCLUDED, HASHED, or a tree of the members below."""
Hash = Callable[[msgspec.Raw], msgspec.Raw]

_object: msgspec.json.Decoder[Any] = msgspec.json.Decoder(dict[str, msgspec.Raw])
_list: msgspec.json.Decoder[Any] = msgspec.json.Decoder(list[msgspec.Raw])
_text: msgspec.json.Decoder[Any] = msgspec.json.Decoder(str)


@dataclass(frozen=True)
class Mask:
    """What of a stream's rows nobody is to see.

    A path leads through objects and through every element of a list; what it does not lead to stays byte for byte.

    Attributes:
        exclude: columns, and paths such as `via.source.from.address`, that are left out.
        hash: columns and paths whose values are replaced.
        salt: the key of the hash.
    """

    exclude: tuple[str, ...] = ()
    hash: tuple[str, ...] = ()
    salt: bytes = field(default=b"", repr=False)

    def __bool__(self) -> bool:
        return bool(self.exclude or self.hash)

    @cached_property
    def _tree(self) -> Tree:
        tree: Tree = {}
        for paths, what in ((self.hash, HASHED), (self.exclude, EXCLUDED)):
            for path in paths:
                *above, last = path.split(".")
                branch: Any = tree
                for name in above:
                    branch = branch.setdefault(name, {})
                    if branch == EXCLUDED:
                        break
                else:
                    branch[last] = what
        return tree

    def rows(self, rows: Rows) -> Rows:
        """Rows of the API, masked; the rows themselves stay as they are."""
        if not self:
            return rows
        return [self._members(row, self._tree, self._hashed) for row in rows]

    def below(self, column: str, items: Iterable[Row]) -> Rows:
        """Objects that stand in a column, masked as they are there."""
        tree = self._tree.get(column)
        return [self._members(item, tree, self._each) if isinstance(tree, dict) else item for item in items]

    @property
    def fingerprint(self) -> str:
        """What tells one salt from another, and from which none can be computed; empty where nothing is hashed."""
        if not self.hash:
            return ""
        return hmac.digest(self.salt, b"zendesk_support: hash_salt", "sha256").hex()[:FINGERPRINT_CHARACTERS]

    @property
    def stored(self) -> str:
        """The mask as a table's schema keeps it, without the salt."""
        found = {EXCLUDED: sorted(self.exclude), HASHED: sorted(self.hash), "salt": self.fingerprint}
        return json.dumps({name: value for name, value in found.items() if value})

    def _members(self, members: Row, tree: Mapping[str, Any], hashed: Hash) -> Row:
        made = {name: value for name, value in members.items() if tree.get(name) != EXCLUDED}
        for name, what in tree.items():
            if name in made:
                made[name] = hashed(made[name]) if what == HASHED else self._walked(made[name], what)
        return made

    def _walked(self, text: msgspec.Raw, tree: Mapping[str, Any]) -> msgspec.Raw:
        """A nested value whose members below are masked."""
        first = bytes(text)[:1]
        if first == b"{":
            return raw(self._members(decoded(_object, text), tree, self._each))
        if first == b"[":
            return raw([self._walked(item, tree) for item in decoded(_list, text)])
        return text

    def _each(self, text: msgspec.Raw) -> msgspec.Raw:
        """A nested value's hash; of a list, a list of its elements' hashes."""
        if bytes(text)[:1] == b"[":
            return raw([self._each(item) for item in decoded(_list, text)])
        return self._hashed(text)

    def _hashed(self, text: msgspec.Raw) -> msgspec.Raw:
        """The hash of a text's characters, or of the JSON of any other value."""
        content = bytes(text)
        if content in NOTHING:
            return text
        if content[:1] == b'"':
            content = decoded(_text, text).encode()
        return raw(hmac.digest(self.salt, content, "sha256").hex()[:HASH_CHARACTERS])


def decoded(decoder: msgspec.json.Decoder[Any], text: msgspec.Raw) -> Any:
    """A JSON value, mended where it is only nearly JSON."""
    try:
        return decoder.decode(text)
    except msgspec.DecodeError:
        return decoder.decode(repaired(bytes(text)))
