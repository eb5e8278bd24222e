"""`docs/reference/database.md`, made from `schema.sql`: its comments are the one place where columns are explained."""

import re
from dataclasses import dataclass, field
from importlib.resources import files

_TABLE = re.compile(r"^CREATE TABLE (?:IF NOT EXISTS )?([\w.]+) \(\n(.*?)^\)", re.MULTILINE | re.DOTALL)
_COLUMN = re.compile(r'^    "?(\w+)"? ([a-z]\w*(?:\(\d+\))?)(.*?),?$', re.MULTILINE)
_COMMENT = re.compile(r"^COMMENT ON (TABLE|VIEW|COLUMN) ([\w.\"]+) IS '((?:[^']|'')*)';", re.MULTILINE)
_INTRODUCTION = """# Database

<!-- Written by `parity-indexer schema-docs` from indexer/schema.sql; a test keeps the two equal. -->

The indexer owns this schema; everything else only reads it, through views of these names in the schema `public`.
Ids, addresses and digests are `bytea` (32 or 20 bytes), amounts are `numeric(78)` in USDFC base units (10⁻¹⁸ USDFC),
heights are block numbers. All tables but `content.documents` are a pure fold of the chain's events: `parity-indexer verify`
proves it, `parity-indexer rebuild` makes them anew.

A table with a `_history` table beside it can be read as of an earlier block: `SELECT * FROM tasks_at(1234)` gives the rows
of `tasks`, in its columns, as they were at the end of block 1234. The same goes for `balances_at`, `task_seats_at`,
`runners_at`, `runner_reputation_at` and `channels_at`; conditions on the key are passed down to indexes. History goes back to
the first block of the deployment.

`parity-indexer grant-roles` makes two roles: `parity_indexer` owns all of this, `parity_api` may read it through the views
and cannot write it.

After every committed block the indexer sends `NOTIFY parity_block` with `{"number": …, "hash": "0x…"}`.
"""


@dataclass(slots=True)
class Relation:
    """A table or view: `columns` map a name to its type and comment."""

    name: str
    kind: str
    comment: str = ""
    columns: dict[str, tuple[str, str]] = field(default_factory=dict)


def relations() -> list[Relation]:
    """Read tables and views out of `schema.sql`, in its order."""
    text = files("indexer").joinpath("schema.sql").read_text(encoding="utf-8")
    types = {
        (table, column): (kind, "NOT NULL" in rest or "PRIMARY KEY" in rest)
        for table, body in _TABLE.findall(text)
        for column, kind, rest in _COLUMN.findall(body)
    }
    found: dict[str, Relation] = {}
    for kind, name, comment in _COMMENT.findall(text):
        plain = comment.replace("''", "'")
        if kind != "COLUMN":
            found[name] = Relation(name, kind.lower(), plain)
            continue
        relation, column = name.replace('"', "").rsplit(".", 1)
        column_type, required = types.get((relation, column), ("", True))
        found[relation].columns[column] = (column_type + ("" if required else ", nullable"), plain)
    return list(found.values())


def database_page() -> str:
    """Write the page."""
    sections = [_INTRODUCTION]
    for relation in relations():
        rows = [
            f"| `{name}` | {kind} | {comment} |" if relation.kind == "table" else f"| `{name}` | {comment} |"
            for name, (kind, comment) in relation.columns.items()
        ]
        head = (
            "| column | type | meaning |\n|---|---|---|"
            if relation.kind == "table"
            else "| column | meaning |\n|---|---|"
        )
        title = f"## {relation.name}" + (" (view)" if relation.kind == "view" else "")
        sections.append(f"{title}\n\n{relation.comment}\n\n{head}\n" + "\n".join(rows) + "\n")
    return "\n".join(sections)
