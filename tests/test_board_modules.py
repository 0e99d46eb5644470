"""The stand-ins are as strict as the port: same names, same arguments, same exceptions."""

import board_refusals
import pytest
from board_refusals import REFUSED
from board_rig import board_with, printed_lines


@pytest.fixture(scope="module")
def answers():
    """What each refused call raises, in one run of the board."""
    board = board_with(board_refusals.program())
    board.power_on()
    board.run_for(3)
    return board_refusals.answers(board.usb.read().decode())


ALIASES = {  # names of CPython's that the firmware would see as the port's
    "FileNotFoundError": "OSError",
}


@pytest.mark.parametrize("number", range(len(REFUSED)), ids=[code for code, _ in REFUSED])
def test_what_the_port_refuses_is_refused(answers, number):
    answer = answers[str(number)]
    assert ALIASES.get(answer, answer) == REFUSED[number][1]


def test_ticks_wrap_at_two_to_the_thirty():
    lines = printed_lines("""
        import time
        P = 1 << 30
        print(time.ticks_diff(5, P - 5), time.ticks_diff(P - 5, 5), time.ticks_add(P - 1, 2))
        print(time.ticks_diff(P // 2, 0), time.ticks_diff(P // 2 - 1, 0))
        a = time.ticks_us(); time.sleep_us(250); b = time.ticks_us()
        print(250 <= time.ticks_diff(b, a) < 260)
        a = time.ticks_ms(); time.sleep_ms(25); b = time.ticks_ms()
        print(25 <= time.ticks_diff(b, a) <= 26)
        print(time.ticks_cpu() - time.ticks_us() <= 0)
    """)
    assert lines == ["10 -10 1", "-536870912 536870911", "True", "True", "True"]


def test_the_wrap_of_the_counters_themselves():
    board = board_with("""
        import time
        while True:
            if time.ticks_us() < 1000:
                print("wrapped", time.ticks_us() < 1000)
                break
            time.sleep_us(200)
    """)
    board.start()
    # 2**30 us are 1074 s of sleeping in steps: jump there instead
    board.chip.timer._zero -= board.clocks((1 << 30) / 1e6) - board.clocks(0.6)
    board.run_for(1)
    assert b"wrapped True" in board.usb.read()


def test_imports_of_packages_modules_and_names():
    lines = printed_lines(
        """
        import pack, pack.one
        from pack import two, VALUE
        from pack.deep import three as third
        import helper
        print(pack.one.name, two.name, VALUE, third.name, helper.name)
        print(pack.__path__, pack.one.__file__, helper.__file__)
        for name in ("pack.none", "nothing"):
            try:
                __import__(name)
            except ImportError as e:
                print(e)
        try:
            from pack import missing
        except ImportError as e:
            print(e)
        """,
        files={
            "pack/__init__.py": "VALUE = 7",
            "pack/one.py": "name = 'one'\nfrom . import two\nfrom .deep import three",
            "pack/two.py": "name = 'two'",
            "pack/deep/three.py": "name = 'three'\nfrom ..two import name as other",
            "lib/helper.py": "name = 'helper'",
        },
    )
    assert lines == [
        "one two 7 three helper",
        "pack pack/one.py /lib/helper.py",
        "no module named 'pack.none'",
        "no module named 'nothing'",
        "no module named 'pack.missing'",
    ]


def test_a_module_that_fails_to_load_is_loaded_anew():
    lines = printed_lines(
        """
        for _ in range(2):
            try:
                import bad
            except ValueError as e:
                print("again", e)
        """,
        files={"bad.py": "raise ValueError(1)"},
    )
    assert lines == ["again 1", "again 1"]


def test_random_numbers_repeat_from_boot_to_boot():
    lines = [
        printed_lines("import random, os; print(random.getrandbits(30), os.urandom(4))")
        for _ in range(2)
    ]
    assert lines[0] == lines[1]


def test_compiler_names_and_decorators():
    lines = printed_lines("""
        import micropython
        from micropython import const
        from array import array
        A = const(5)

        @micropython.viper
        def fill(buffer: ptr16, count: int):
            words = ptr32(buffer)
            for i in range(count):
                buffer[i] = i * 3
            words[1] = 0x00050004

        @micropython.native
        def double(x):
            return 2 * x

        numbers = array("H", [0] * 6)
        fill(numbers, 6)
        print(list(numbers), double(A), bytes(array("L", [1])))
    """)
    assert lines == ["[0, 3, 4, 5, 12, 15] 10 b'\\x01\\x00\\x00\\x00'"]


def test_files_as_the_firmware_sees_them():
    lines = printed_lines(
        """
        import os
        with open("a.txt", "w") as f:
            print(f.write("zeile\\n"), f.write("zwei"))
        print(open("a.txt").read(), open("a.txt", "rb").readline(), open("a.txt").readlines())
        os.mkdir("d")
        os.rename("a.txt", "d/b")
        print(sorted(os.listdir()), list(os.ilistdir("d")), os.stat("d/b")[6])
        os.chdir("d")
        print(os.getcwd(), os.listdir(), open("b").read(3))
        try:
            open("a.txt")
        except OSError as e:
            print(e.errno, e.args)
        buffer = bytearray(3)
        with open("b", "rb") as f:
            print(f.readinto(buffer), buffer, f.seek(-2, 2), f.read(), f.tell())
        print(os.statvfs("/")[0], os.uname().machine)
        """
    )
    assert lines == [
        "6 4",
        "zeile", "zwei b'zeile\\n' ['zeile\\n', 'zwei']",
        "['d', 'main.py'] [('b', 32768, 0, 10)] 10",
        "/d ['b'] zei",
        "2 (2,)",
        "3 bytearray(b'zei') 8 b'ei' 10",
        "4096 Raspberry Pi Pico with RP2040",
    ]  # fmt: skip


def test_who_we_are():
    lines = printed_lines("""
        import sys, machine, gc
        print(sys.platform, sys.implementation.name, sys.implementation[1][:3], sys.maxsize)
        print(sys.implementation._machine, sys.path, machine.freq(), len(machine.unique_id()))
        print(gc.isenabled(), gc.collect(), gc.mem_free() > 0, gc.threshold())
    """)
    assert lines == [
        "rp2 micropython (1, 28, 0) 2147483647",
        "Raspberry Pi Pico with RP2040 ['', '.frozen', '/lib'] 125000000 8",
        "True None True -1",
    ]


def test_pin_objects():
    lines = printed_lines("""
        from machine import Pin, Signal
        p = Pin(5, Pin.OUT, value=1)
        print(p is Pin(5), Pin("GP5") is p, Pin.board.GP5 is p, Pin.cpu.GPIO5 is p, p)
        print(p(), p.value()); p.low(); print(p()); p.toggle(); print(p()); p(0); print(p())
        q = Pin(6, Pin.IN, Pin.PULL_UP)
        print(q(), q); q.init(Pin.IN, Pin.PULL_DOWN); print(q())
        d = Pin(7, Pin.OPEN_DRAIN, Pin.PULL_UP, value=1)
        print(d()); d(0); print(d()); d(1); print(d())
        s = Signal(p, invert=True); s.on(); print(p(), s.value())
    """)
    assert lines == [
        "True True True True Pin(GPIO5, mode=OUT)",
        "1 1", "0", "1", "0",
        "1 Pin(GPIO6, mode=IN, pull=PULL_UP)", "0",
        "1", "0", "1",
        "0 1",
    ]  # fmt: skip


def test_pwm_frequency_and_duty_as_the_port_rounds_them():
    lines = printed_lines("""
        from machine import Pin, PWM
        p = PWM(Pin(16), freq=61000, duty_u16=32768)
        print(p.freq(), p.duty_u16(), p.duty_ns(), p)
        p.freq(50)
        print(p.freq(), p.duty_u16())
        p.duty_ns(1_500_000)
        print(p.duty_ns(), PWM(Pin(0)) is p)
    """)
    assert lines == [
        "61005 32783 8200 <PWM slice=0 channel=0 invert=0>",
        "50 32768",
        "1500005 True",
    ]


def test_pack_and_unpack_ctrl():
    lines = printed_lines("""
        import rp2
        a, b = rp2.DMA(), rp2.DMA()
        word = b.pack_ctrl(size=1, inc_write=False, treq_sel=4, chain_to=a.channel)
        print(hex(word), hex(b.pack_ctrl()), hex(b.pack_ctrl(default=word, irq_quiet=False)))
        fields = rp2.DMA.unpack_ctrl(word)
        print(fields["size"], fields["treq_sel"], fields["busy"], b.pack_ctrl(**fields) == word)
        print(a, len(a.registers), len(a.registers[14:16]), a.channel, b.channel)
    """)
    quiet, always = 1 << 21, 0x3F << 15
    word = quiet | 4 << 15 | 0 << 11 | 1 << 4 | 1 << 2 | 1
    plain = quiet | always | 1 << 11 | 1 << 5 | 1 << 4 | 2 << 2 | 1
    assert lines[0] == f"{word:#x} {plain:#x} {word & ~quiet:#x}"
    assert lines[1:] == ["1 4 0 True", "DMA(0) 16 2 0 1"]


def test_a_dropped_dma_object_gives_its_channel_back():
    assert printed_lines("""
        import rp2
        for _ in range(40):
            rp2.DMA()
        kept = [rp2.DMA() for _ in range(12)]
        print(len(kept))
    """) == ["12"]


def test_print_cooks_newlines_and_buffer_does_not():
    board = board_with("""
        import sys, time
        time.sleep_ms(500)
        print("a\\nb", end="")
        sys.stdout.write("c\\n")
        sys.stdout.buffer.write(b"d\\n")
        print("e", "f", sep="-", file=sys.stderr)
    """)
    board.power_on()
    board.run_for(0.7)
    assert board.usb.read().split(b"MicroPython")[0] == b"a\r\nbc\r\nd\ne-f\r\n"


def test_print_exception_names_the_files_of_the_board(tmp_path):
    source = tmp_path / "deep.py"
    source.write_text("def f():\n    raise OSError(19)\n")
    lines = printed_lines("""
        import sys, deep
        try:
            deep.f()
        except OSError as e:
            sys.print_exception(e)
        """, files={"lib/deep.py": source})
    assert lines == [
        "Traceback (most recent call last):",
        '  File "main.py", line 6, in <module>',
        '  File "lib/deep.py", line 2, in f',
        "OSError: [Errno 19] ENODEV",
    ]
