"""The virtual board against genuine MicroPython on an emulated RP2040: same programs, same output.

What other tests say of the port is held here, too, when an image is named.
"""

import json
import re
from pathlib import Path

import board_refusals
import board_snippets
import pytest
from board_rig import board_with
from emulator_bench import boot, needs_image

pytestmark = needs_image

PLAYER = Path(__file__).with_name("board_tape_firmware.py").read_text()
LEGS = 0b111111 << 2
PATIENCE_S = 20  # virtual


def on_genuine(main, files=None, until="END"):
    with boot({**(files or {}), "main.py": main}) as pico:
        return pico.run_until_text(until, PATIENCE_S).decode()


def on_virtual(main, files=None):
    board = board_with(files={**(files or {}), "main.py": main})
    board.power_on()
    board.run_for(6)
    return board.usb.read().decode()


def test_the_same_calls_are_refused_in_the_same_way():
    answers = board_refusals.answers(on_genuine(board_refusals.program()))
    wrong = {
        code: answers.get(str(number))
        for number, (code, expected) in enumerate(board_refusals.REFUSED)
        if answers.get(str(number)) != expected
    }
    assert wrong == {}


def test_small_programs_print_the_same():
    program = board_snippets.program()
    genuine = board_snippets.results(on_genuine(program, board_snippets.FILES))
    virtual = board_snippets.results(on_virtual(program, board_snippets.FILES))
    assert len(genuine) == len(board_snippets.SNIPPETS) + 1
    wrong = [
        (snippet, genuine[str(number)], virtual.get(str(number)))
        for number, snippet in enumerate(board_snippets.SNIPPETS)
        if genuine[str(number)] != virtual.get(str(number))
    ]
    assert wrong == []


def played(edges):
    """(clocks, pins) of the tape pins, from the first edge on."""
    found = [(0, 0)]
    for clock, levels in edges:
        pins = (levels & LEGS) >> 2
        if pins != found[-1][1]:
            found.append((clock, pins))
    found = found[1:]
    return [(b[0] - a[0], a[1]) for a, b in zip(found, found[1:], strict=False)]


@pytest.mark.parametrize("closed", [False, True])
def test_a_tape_plays_the_same(closed):
    def segment(turns, pins):
        return turns - 5 << 6 | pins

    blocks = [
        [
            segment(1000, 16), segment(300 + n, 49), segment(7, 16), segment(300 + n, 18),
            segment(900, 0), 1 << 31 | n << 16 | 2 * n,
        ]
        for n in range(8)
    ]  # fmt: skip
    files = {"tape.json": json.dumps({"blocks": blocks, "closed": closed})}
    with boot({**files, "main.py": PLAYER}) as pico:
        pico.drive(10, 0)
        pico.run_for(0.6)
        genuine = played(pico.edges)
    board = board_with(files={**files, "main.py": PLAYER})
    board.power_on()
    board.drive(10, 0)
    board.run_for(0.6)
    virtual = played(board.edges)
    common = min(len(genuine), len(virtual))
    assert common > 25
    assert genuine[:common] == virtual[:common]


def test_a_soft_reset_leaves_the_same_behind():
    boot_py = """
import machine
m = machine.mem32
print("LEFT", [hex(m[a]) for a in (0x50200000, 0x5020003C, 0x50200040, 0x40014014, 0x400500A0)])
"""
    main = """
import machine, rp2, time
@rp2.asm_pio(out_init=(rp2.PIO.OUT_LOW,) * 2)
def high():
    pull()
    out(pins, 2)
sm = rp2.StateMachine(0, high, out_base=machine.Pin(2))
sm.active(1)
sm.put(1 << 30)
low = machine.PWM(machine.Pin(16), freq=1000, duty_u16=30000)
high = machine.PWM(machine.Pin(9), freq=1000, duty_u16=30000)
time.sleep_ms(500)
print("READY")
"""
    with boot({"boot.py": boot_py, "main.py": main}) as pico:
        pico.run_until_text("READY", PATIENCE_S)
        pico.serial.write(b"\x04")
        genuine = pico.run_until_text("]", PATIENCE_S).decode()
    board = board_with(main, boot_py)
    board.start()
    board.run_for(0.5)
    board.usb.read()
    board.usb.write(b"\x04")
    board.run_for(0.2)
    virtual = board.usb.read().decode()
    left = [re.search(r"LEFT \[.*\]", text).group() for text in (genuine, virtual)]
    assert left[0] == left[1]


def test_a_host_that_does_not_read_stalls_writes_the_same():
    main = """
import sys, time, micropython
sys.stdin.read(1)
times = []
out = sys.stdout.buffer
for write in (lambda: out.write(b"x" * 100), lambda: out.write(b"y" * 300),
              lambda: print("z\\nz")):
    a = time.ticks_us()
    n = write()
    times.append(((time.ticks_diff(time.ticks_us(), a) + 5000) // 10000, n))
sys.stdin.read(1)
print("took", times)
try:
    time.sleep_ms(3000)
except KeyboardInterrupt:
    print("ctrl-c", sys.stdin.buffer.read(2))
micropython.kbd_intr(-1)
print(sys.stdin.buffer.read(3))
"""

    def drive(board, port):
        while not port.connected:
            board.run_for(0.05)
        board.run_for(0.2)
        port.read()
        port.reading = False
        port.write(b"1")
        board.run_for(4)
        port.reading = True
        board.run_for(0.1)
        stuck = port.read()
        port.write(b"2")
        board.run_for(0.1)
        port.write(b"old\x03ne")
        board.run_for(0.1)
        port.write(b"A\x03B")
        board.run_for(0.1)
        return stuck, port.read().split(b"MicroPython")[0]

    with boot({"main.py": main}) as pico:
        genuine = drive(pico, pico.serial)
    board = board_with(files={"main.py": main})
    board.power_on()
    virtual = drive(board, board.usb)
    assert genuine == virtual
    assert genuine[0] == b"x" * 100 + b"y" * 220
