"""Filters: one operator type for each kind of value, and one `where` type for each list."""

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, Self

import strawberry
from strawberry import UNSET

from api.graphql.enums import Outcome, RunnerStatus, TaskMode, TaskStatus
from api.graphql.scalars import Address, BigInt, Bytes32, UInt


def _operator(name: str) -> Any:
    return strawberry.field(name=name, default=UNSET)


@strawberry.input
class AddressFilter:
    eq: Address | None = UNSET
    ne: Address | None = UNSET
    in_: list[Address] | None = _operator("in")
    not_in: list[Address] | None = UNSET


@strawberry.input
class Bytes32Filter:
    eq: Bytes32 | None = UNSET
    ne: Bytes32 | None = UNSET
    in_: list[Bytes32] | None = _operator("in")
    not_in: list[Bytes32] | None = UNSET


@strawberry.input
class StringFilter:
    eq: str | None = UNSET
    ne: str | None = UNSET
    in_: list[str] | None = _operator("in")
    not_in: list[str] | None = UNSET


@strawberry.input
class BigIntFilter:
    eq: BigInt | None = UNSET
    ne: BigInt | None = UNSET
    gt: BigInt | None = UNSET
    gte: BigInt | None = UNSET
    lt: BigInt | None = UNSET
    lte: BigInt | None = UNSET


@strawberry.input
class UIntFilter:
    eq: UInt | None = UNSET
    ne: UInt | None = UNSET
    gt: UInt | None = UNSET
    gte: UInt | None = UNSET
    lt: UInt | None = UNSET
    lte: UInt | None = UNSET


@strawberry.input
class DateTimeFilter:
    gt: datetime | None = UNSET
    gte: datetime | None = UNSET
    lt: datetime | None = UNSET
    lte: datetime | None = UNSET


@strawberry.input
class TaskStatusFilter:
    eq: TaskStatus | None = UNSET
    ne: TaskStatus | None = UNSET
    in_: list[TaskStatus] | None = _operator("in")
    not_in: list[TaskStatus] | None = UNSET


@strawberry.input
class TaskModeFilter:
    eq: TaskMode | None = UNSET
    ne: TaskMode | None = UNSET


@strawberry.input
class RunnerStatusFilter:
    eq: RunnerStatus | None = UNSET
    ne: RunnerStatus | None = UNSET


@strawberry.input
class OutcomeFilter:
    eq: Outcome | None = UNSET
    ne: Outcome | None = UNSET
    in_: list[Outcome] | None = _operator("in")
    not_in: list[Outcome] | None = UNSET


@strawberry.input(description="All given conditions must hold.")
class TaskWhere:
    id: Bytes32Filter | None = UNSET
    client: AddressFilter | None = UNSET
    payer: AddressFilter | None = UNSET
    node: AddressFilter | None = strawberry.field(default=UNSET, description="Some seat's runner.")
    owner: AddressFilter | None = strawberry.field(default=UNSET, description="Some seat's owner.")
    status: TaskStatusFilter | None = UNSET
    mode: TaskModeFilter | None = UNSET
    spec: Bytes32Filter | None = UNSET
    reward: BigIntFilter | None = UNSET
    created_block: UIntFilter | None = UNSET
    settled_block: UIntFilter | None = UNSET
    updated_block: UIntFilter | None = UNSET
    created_at: DateTimeFilter | None = UNSET
    settled_at: DateTimeFilter | None = UNSET
    and_: list[Self] | None = _operator("and")
    or_: list[Self] | None = _operator("or")
    not_: Self | None = _operator("not")


@strawberry.input(description="All given conditions must hold.")
class RunnerWhere:
    node: AddressFilter | None = UNSET
    owner: AddressFilter | None = UNSET
    status: RunnerStatusFilter | None = UNSET
    score: UIntFilter | None = UNSET
    registered_block: UIntFilter | None = UNSET
    model: StringFilter | None = strawberry.field(
        default=UNSET, description="Name of a model that it offers."
    )
    and_: list[Self] | None = _operator("and")
    or_: list[Self] | None = _operator("or")
    not_: Self | None = _operator("not")


@strawberry.input(description="All given conditions must hold.")
class PromptWhere:
    id: Bytes32Filter | None = UNSET
    creator: AddressFilter | None = UNSET
    client_id: StringFilter | None = UNSET
    model: StringFilter | None = UNSET
    status: TaskStatusFilter | None = UNSET
    created_at: DateTimeFilter | None = UNSET
    and_: list[Self] | None = _operator("and")
    or_: list[Self] | None = _operator("or")
    not_: Self | None = _operator("not")


@strawberry.input(description="All given conditions must hold.")
class ReputationEventWhere:
    node: AddressFilter | None = UNSET
    ref: Bytes32Filter | None = UNSET
    outcome: OutcomeFilter | None = UNSET
    block_number: UIntFilter | None = UNSET


def plain(where: object | None) -> Mapping[str, object] | None:
    """Turn a filter into words and values; what was not given, or given as null, is left out."""
    return _plain(where) if where else None  # type: ignore[return-value]  # a dataclass becomes a mapping


def _plain(value: Any) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list):
        return [_plain(item) for item in value]
    words = _words_of(type(value))  # type: ignore[arg-type]  # mypy takes a class for what it makes
    if words is None:
        return value
    given = ((word, getattr(value, name)) for name, word in words)
    return {word: _plain(item) for word, item in given if item is not UNSET and item is not None}


@cache
def _words_of(kind: type) -> tuple[tuple[str, str], ...] | None:
    """Return the fields of a type of filter, each with its word; None for what is no filter."""
    if not dataclasses.is_dataclass(kind):
        return None
    return tuple((field.name, _word(field.name)) for field in dataclasses.fields(kind))


def _word(name: str) -> str:
    return "notIn" if name == "not_in" else name.rstrip("_")
