"""Conditions of a WHERE clause from typed filters; every value is passed as a parameter, never as text."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from protocol.errors import InputError

MAX_CONDITIONS = 50
MAX_LIST = 100
MAX_NESTING = 5

_COMPARISONS = {"eq": "=", "ne": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}

Where = Mapping[str, object]
"""`{field: {operator: value}}`, and `and`, `or` (lists of the same), `not` (one of the same)."""


@dataclass(slots=True)
class Conditions:
    """Conditions that must all hold, with the parameters they speak of by number."""

    parts: list[str] = field(default_factory=list)
    arguments: list[object] = field(default_factory=list)

    def bind(self, value: object) -> str:
        """Add a parameter and give its place in the statement."""
        if len(self.arguments) >= MAX_CONDITIONS * 2:
            raise _too_much(f"more than {MAX_CONDITIONS} conditions")
        if any(
            isinstance(one, str) and "\0" in one for one in (value if isinstance(value, list) else [value])
        ):
            raise InputError("where: text may not contain U+0000", field="where", hint="Remove it.")
        self.arguments.append(value)
        return f"${len(self.arguments)}{_kind(value)}"

    def add(self, condition: str) -> None:
        """Demand one more condition."""
        self.parts.append(condition)

    def where(self) -> str:
        """Write the clause, or nothing when all rows are wanted."""
        return " WHERE " + " AND ".join(self.parts) if self.parts else ""


def _kind(value: object) -> str:
    """Return what a number is, whatever it is compared with: a column of fewer bits would refuse a larger one."""
    if not isinstance(value, int) or isinstance(value, bool):
        return ""
    return "::bigint" if -(2**63) <= value < 2**63 else "::numeric"


def conditions_of(
    where: Where | None, columns: Mapping[str, str], *, until: int | None = None, place: str = "block_number"
) -> Conditions:
    """Translate a filter; `columns` maps its fields to SQL with `{}` where the comparison goes.

    `until` demands besides that the height in the column `place` is no higher.
    """
    conditions = Conditions()
    if until is not None:
        conditions.add(f"{place} <= {int(until)}")
    if where:
        conditions.parts.extend(_all_of(where, columns, conditions=conditions, depth=0))
    return conditions


def _all_of(where: Where, columns: Mapping[str, str], *, conditions: Conditions, depth: int) -> list[str]:
    if depth > MAX_NESTING:
        raise _too_much(f"more than {MAX_NESTING} levels")
    parts: list[str] = []
    for name, value in where.items():
        if name in ("and", "or", "not"):
            branches = value if isinstance(value, list) else [value]
            # Each once, since any number of branches may say nothing, which is true.
            inner = dict.fromkeys(
                _joined(b, columns, conditions=conditions, depth=depth + 1)
                for b in branches
                if isinstance(b, Mapping)
            )
            joined = " OR ".join(inner) or "FALSE" if name == "or" else " AND ".join(inner) or "TRUE"
            parts.append(f"NOT ({joined})" if name == "not" else f"({joined})")
        elif isinstance(value, Mapping):
            parts.extend(
                columns[name].format(_comparison(operator, operand, conditions=conditions, field_name=name))
                for operator, operand in value.items()
            )
    return parts


def _joined(where: Where, columns: Mapping[str, str], *, conditions: Conditions, depth: int) -> str:
    parts = _all_of(where, columns, conditions=conditions, depth=depth)
    return "(" + (" AND ".join(parts) or "TRUE") + ")"


def _comparison(operator: str, operand: object, *, conditions: Conditions, field_name: str) -> str:
    if operator in ("in", "notIn"):
        if not isinstance(operand, list) or len(operand) > MAX_LIST:
            raise _too_much(f"more than {MAX_LIST} values in where.{field_name}.{operator}")
        place = conditions.bind(operand)
        return f"= ANY({place})" if operator == "in" else f"<> ALL({place})"
    return f"{_COMPARISONS[operator]} {conditions.bind(operand)}"


def _too_much(what: str) -> InputError:
    return InputError(f"where: {what}", field="where", hint="Split the query, or filter what comes back.")
