"""A bounded cache of documents that were parsed, validated and planned before."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    get_operation_ast,
    parse,
    specified_rules,
    validate,
)
from graphql.execution.values import VariableValues, get_variable_values

from api.graphql.cost import MAX_COST, cost_of, depends_on_variables
from api.graphql.direct import Rows, rows_asked
from api.graphql.excess import refuse_excess
from api.graphql.persisted import MAX_DOCUMENT
from api.graphql.planning import NotPlannable, Plan, flags_asked, plan_of

_REMEMBERED = 400_000
"""Characters of all documents that are remembered together; their trees take some two hundred times as many bytes."""
_MAX_PLANS = 16
"""Plans of one document, which may have one for each way that its `@skip` and `@include` fall out."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and what it asks of rows in root fields that may be answered with them."""

    plan: Plan
    rows: Mapping[str, Rows]
    is_direct: bool
    """Whether all root fields may be, so that each asks the database at once and once."""
    shares: bool
    """Whether rows of the shared state are among those rows."""


class Prepared:
    """A valid query whose plan is at hand."""

    def __init__(
        self, schema: GraphQLSchema, text: str, document: DocumentNode, operation: OperationDefinitionNode
    ) -> None:
        self.document = document
        self.may_wait = "minBlock" in text
        """Whether some field may ask for a block that the index does not hold yet."""
        self.reads_once = not self.may_wait
        """Whether all it has read so far could be asked for together."""
        self._schema = schema
        self._operation = operation
        self._flags = sorted(flags_asked(document))
        self._plans: dict[tuple[object, ...], Planned] = {}
        least = cost_of(document, {})
        self._cost = None if depends_on_variables(document) else least
        if least > MAX_COST:
            raise NotPlannable
        self.plan(dict.fromkeys(self._flags, True))

    def is_too_costly(self, variables: Mapping[str, object]) -> bool:
        """Return whether it costs more than it may."""
        cost = cost_of(self.document, variables) if self._cost is None else self._cost
        return cost > MAX_COST

    def values(self, variables: dict[str, Any]) -> VariableValues | None:
        """Read the variables; None if they are not as the query declares them."""
        read = get_variable_values(self._schema, self._operation.variable_definitions or (), variables)
        return read if isinstance(read, VariableValues) else None

    def plan(self, variables: Mapping[str, object]) -> Planned:
        """Return the plan for these values of variables."""
        key = tuple(variables.get(name) for name in self._flags)
        plan = self._plans.get(key)
        if plan is None:
            flags = {name: bool(value) for name, value in zip(self._flags, key, strict=True)}
            whole = plan_of(self._schema, self.document, self._operation, flags)
            rows = rows_asked(whole)
            plan = Planned(
                whole,
                rows,
                is_direct=all(field.key in rows for field in whole.selection.fields),
                shares=any(one.shares for one in rows.values()),
            )
            if len(self._plans) < _MAX_PLANS:
                self._plans[key] = plan
        return plan


class PreparedQueries:
    """The queries asked most lately, by text and operation; documents that cannot be planned are not kept."""

    def __init__(self, schema: GraphQLSchema, *, rules: list[Any], max_tokens: int) -> None:
        self._schema = schema
        self._rules = [*specified_rules, *rules]
        self._max_tokens = max_tokens
        self._known: OrderedDict[tuple[str, str | None], Prepared] = OrderedDict()
        self._characters = 0

    def find(self, text: str, operation_name: str | None) -> Prepared | None:
        """Return the query; None if it is no valid one, or none that plans cover."""
        key = (text, operation_name)
        prepared = self._known.get(key)
        if prepared is not None:
            self._known.move_to_end(key)
            return prepared
        prepared = self._prepare(text, operation_name)
        if prepared is not None:
            self._known[key] = prepared
            self._characters += len(text)
            while self._characters > _REMEMBERED:
                (forgotten, _), _ = self._known.popitem(last=False)
                self._characters -= len(forgotten)
        return prepared

    def _prepare(self, text: str, operation_name: str | None) -> Prepared | None:
        if len(text) > MAX_DOCUMENT:
            return None
        try:
            document = parse(text, max_tokens=self._max_tokens)
            refuse_excess(document)
            if validate(self._schema, document, self._rules):
                return None
            operation = get_operation_ast(document, operation_name)
            if operation is None or operation.operation is not OperationType.QUERY:
                return None
            return Prepared(self._schema, text, document, operation)
        except (GraphQLError, NotPlannable):
            return None
