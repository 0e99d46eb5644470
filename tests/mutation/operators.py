"""The changes that are tried: a choice of cosmic-ray's operators, and two of our own.

Left out are cosmic-ray's changes that only repeat others (each comparison by six, each sum by
eleven): a comparison moves by one or is turned round, a sum becomes a difference.
"""

import parso
from cosmic_ray.operators import (
    boolean_replacer,
    break_continue,
    exception_replacer,
    number_replacer,
    zero_iteration_for_loop,
)
from cosmic_ray.operators.binary_operator_replacement import operators as binary
from cosmic_ray.operators.comparison_operator_replacement import operators as comparison
from cosmic_ray.operators.operator import Operator
from cosmic_ray.operators.unary_operator_replacement import operators as unary

BINARY = (
    "Add_Sub", "Sub_Add", "Mul_FloorDiv", "FloorDiv_Mul", "Mod_Mul", "Pow_Mul", "LShift_RShift",
    "RShift_LShift", "BitOr_BitAnd", "BitAnd_BitOr", "BitXor_BitOr",
)  # fmt: skip
COMPARISON = (
    "Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt", "Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is",
    "In_NotIn", "NotIn_In",
)  # fmt: skip
UNARY = ("USub_UAdd", "Delete_Not", "Delete_Invert")


class StatementRemoved(Operator):
    """An assignment, a call, a raise or a yield inside a function becomes `pass`."""

    KINDS = ("expr_stmt", "atom_expr", "raise_stmt", "yield_expr")

    def mutation_positions(self, node):
        if node.type != "simple_stmt" or node.children[0].type not in self.KINDS:
            return
        if parso.python.tree.search_ancestor(node, "funcdef"):
            yield (node.start_pos, node.end_pos)

    def mutate(self, node, index):
        statement = node.children[0]
        prefix = statement.get_first_leaf().prefix
        node.children[0] = parso.python.tree.Keyword("pass", statement.start_pos, prefix)
        return node

    @classmethod
    def examples(cls):
        return ()


class AddedSubtracted(Operator):
    """`+=` becomes `-=` and the other way round; `|=` becomes `&=`."""

    OTHER = {"+=": "-=", "-=": "+=", "|=": "&=", "&=": "|=", ">>=": "<<=", "<<=": ">>="}

    def mutation_positions(self, node):
        if node.type == "operator" and node.value in self.OTHER:
            yield (node.start_pos, node.end_pos)

    def mutate(self, node, index):
        node.value = self.OTHER[node.value]
        return node

    @classmethod
    def examples(cls):
        return ()


def chosen():
    """The operators, ready to use."""
    some = [
        *_named(binary(), "ReplaceBinaryOperator_", BINARY),
        *_named(comparison(), "ReplaceComparisonOperator_", COMPARISON),
        *_named(unary(), "ReplaceUnaryOperator_", UNARY),
        boolean_replacer.ReplaceTrueWithFalse,
        boolean_replacer.ReplaceFalseWithTrue,
        boolean_replacer.ReplaceAndWithOr,
        boolean_replacer.ReplaceOrWithAnd,
        boolean_replacer.AddNot,
        break_continue.ReplaceBreakWithContinue,
        break_continue.ReplaceContinueWithBreak,
        exception_replacer.ExceptionReplacer,
        number_replacer.NumberReplacer,
        zero_iteration_for_loop.ZeroIterationForLoop,
        StatementRemoved,
        AddedSubtracted,
    ]
    return [kind() for kind in some]


def _named(kinds, prefix, names):
    found = {kind.__name__: kind for kind in kinds}
    return [found[prefix + name] for name in names if prefix + name in found]
