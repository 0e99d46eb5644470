"""Python's prompt and raw REPL of the virtual board."""

import pytest
from board_rig import board_with


@pytest.fixture
def prompt():
    board = board_with()
    board.start()
    board.run_for(0.1)
    board.usb.read()
    return board


def type_in(board, data, seconds=0.1):
    board.usb.write(data)
    board.run_for(seconds)
    return board.usb.read()


def test_expressions_and_statements_at_the_prompt(prompt):
    assert type_in(prompt, b"1 + 1\r") == b"1 + 1\r\n2\r\n>>> "
    assert type_in(prompt, b"x = 5\r") == b"x = 5\r\n>>> "
    assert type_in(prompt, b"x\r").endswith(b"5\r\n>>> ")
    assert type_in(prompt, b"1/0\r").endswith(
        b'Traceback (most recent call last):\r\n  File "<stdin>", line 1, in <module>\r\n'
        b"ZeroDivisionError: division by zero\r\n>>> "
    )


def test_statements_over_several_lines(prompt):
    assert type_in(prompt, b"for i in range(2):\r").endswith(b"... ")
    assert type_in(prompt, b"  print(i)\r").endswith(b"... ")
    assert type_in(prompt, b"\r").endswith(b"0\r\n1\r\n>>> ")


def test_backspace_ctrl_c_and_paste(prompt):
    assert type_in(prompt, b"12\x7f3\r").endswith(b"13\r\n>>> ")
    assert type_in(prompt, b"garbage\x03").endswith(b"\r\n>>> ")
    assert b"paste mode" in type_in(prompt, b"\x05")
    assert type_in(prompt, b"a = 4\rprint(a)\x04").endswith(b"4\r\n>>> ")


def test_the_raw_repl_as_tools_use_it(prompt):
    assert type_in(prompt, b"\x01") == b"\r\nraw REPL; CTRL-B to exit\r\n>"
    assert type_in(prompt, b"print('hi')\x04") == b"OKhi\r\n\x04\x04>"
    answer = type_in(prompt, b"nonsense\x04")
    assert answer.startswith(b"OK\x04Traceback")
    assert answer.endswith(b"NameError: name 'nonsense' is not defined\r\n\x04>")
    assert type_in(prompt, b"\x05A\x01") == b"R\x01\x80\x00\x01"
    assert type_in(prompt, b"print(1)\n" * 20 + b"\x04") == (
        b"\x01\x04" + b"1\r\n" * 20 + b"\x04\x04>"
    )
    assert b"MicroPython v1.28.0" in type_in(prompt, b"\x02")


def test_a_soft_reset_in_the_raw_repl_skips_main():
    board = board_with("print('main ran')", boot="print('boot ran')")
    board.start()
    board.run_for(0.1)
    board.usb.read()
    text = type_in(board, b"\x01\x04", 0.2)
    assert b"soft reboot" in text
    assert b"boot ran" in text
    assert b"main ran" not in text
    assert text.endswith(b"raw REPL; CTRL-B to exit\r\n>")
    assert b"main ran" in type_in(board, b"\x02\x04", 0.2)


def test_long_running_code_at_the_prompt_is_interrupted(prompt):
    type_in(prompt, b"import time\r")
    type_in(prompt, b"time.sleep(100)\r")
    assert b"KeyboardInterrupt" in type_in(prompt, b"\x03")
