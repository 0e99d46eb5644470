"""A board at the pace of the wall clock, as a VISA library meets it."""

import warnings
from contextlib import contextmanager

TERMS = {"read_termination": "\n", "write_termination": "\n", "timeout": 5000}


def address(board):
    return f"ASRL{board.port}::INSTR"


@contextmanager
def quietly():
    """Without its warnings of interfaces that this computer does not have."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
