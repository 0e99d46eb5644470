"""The fault matrix, in the states that matter most; `make safety` runs all of it."""

import pytest

from rheobase.safety.faults import FAULTS, LAYERS, Fault
from rheobase.safety.matrix import everything, states_of, try_out
from rheobase.safety.trial import STATES

IN_EVERY_RUN = ("RUNNING", "ARMED")
BY_OTHERS_TOO = ("loop", "none", "supervisor")  # layers that take no notice of what is played


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        pytest.param(f, s, id=f"{f.name}-{s}")
        for f, s in everything()
        if s in IN_EVERY_RUN or s == "WAITING" and f.layer not in BY_OTHERS_TOO
    ],
)
def test_every_fault_ends_within_its_bound(fault, state):
    assert try_out(fault, state).wrong == ""


def test_the_list_is_long_enough_and_names_are_unique():
    names = [fault.name for fault in (*FAULTS, *LAYERS)]
    assert len(set(names)) == len(names)
    assert len(FAULTS) >= 40
    assert {state for fault in FAULTS for state in states_of(fault)} == set(STATES)


def test_a_fault_that_nothing_acts_upon_is_over_its_bound():
    row = try_out(Fault("nothing at all", "none", lambda trial: None, 1.0), "RUNNING")
    assert "RUNNING after it" in row.wrong
