"""Genuine MicroPython on the emulated Pico: REPL, files, resets, and what the CPU sees."""

from __future__ import annotations

from itertools import pairwise

import pytest
from emulator_bench import boot, named_files, needs_image

from rheobase.emulator import EmulatedPico, EmulatorError

pytestmark = [pytest.mark.emulator, needs_image]


def banner(pico):
    return pico.run_until_text(">>> ").decode()


def test_banner_and_an_expression():
    with boot() as pico:
        text = banner(pico)
        assert text.startswith("MicroPython v1.") and "Raspberry Pi Pico with RP2040" in text
        pico.serial.write("2**70 + 1\r")
        assert b"1180591620717411303425" in pico.run_until_text(">>> ")
        assert pico.run_python("import machine; print(machine.freq())") == "125000000\n"
        assert pico.run_python("print(machine.unique_id())") == r"b'\xe6aRHEO\x00\x01'" + "\n"
        with pytest.raises(EmulatorError, match="ZeroDivisionError"):
            pico.run_python("1/0")


def test_files_run_and_what_the_device_writes_stays():
    files = {
        "boot.py": "print('boot')\n",
        "main.py": "import pack.mod\nprint(pack.mod.value, __name__)\n",
        "lib/pack/mod.py": "value = 42\n",
    }
    with boot(files) as pico:
        assert banner(pico).startswith("42 __main__\r\nMicroPython"), "no USB yet in boot.py"
        assert pico.run_python("import os; print(os.listdir('/lib/pack'))") == "['mod.py']\n"
        before = pico.now_s
        pico.run_python("with open('note.txt', 'w') as file: file.write('x' * 9000)")
        assert pico.now_s - before > 3 * 0.045, "erasing a sector takes time"
        assert pico.files()["note.txt"] == b"x" * 9000
        pico.run_python("os.remove('note.txt')\nwith open('n', 'w') as file: file.write('y')")
        kept = pico.filesystem()
        pico.power_cycle()
        banner(pico)
        assert pico.run_python("print(open('n').read())") == "y\n"
    with boot(filesystem=kept) as pico:
        banner(pico)
        listed = pico.run_python("import os; print(sorted(os.listdir()))")
        assert listed == "['boot.py', 'lib', 'main.py', 'n']\n"


def test_soft_reset_keeps_the_chip_and_runs_the_files_again():
    with boot({"main.py": "import machine\nprint('main', machine.reset_cause())\n"}) as pico:
        assert banner(pico).startswith("main 1")
        pico.serial.write("\x04")
        assert b"soft reboot\r\nmain 1" in pico.run_until_text("help()")
        assert pico.resets == 0


def test_the_watchdog_resets_the_chip_and_leaves_its_scratch_registers():
    with boot() as pico:
        banner(pico)
        pico.run_python("from machine import mem32, Pin, WDT\nmem32[0x4005800c] = 1234")
        pico.run_python("pin = Pin(2, Pin.OUT, value=1)")
        assert pico.level(2) == 1
        pico.run_python("wdt = WDT(timeout=200)\nimport time\nfor _ in range(5):"
                        "\n time.sleep_ms(150)\n wdt.feed()")  # fmt: skip
        fed = pico.now
        reset = pico.run_until_reset(1.0)
        assert 0.19 < (reset - fed) / pico.clock_hz < 0.2001
        pico.run_for(1e-6)
        assert pico.level(2) == 0, "the reset lets go of the pins"
        banner(pico)
        assert pico.run_python("import machine; print(machine.reset_cause())") == "3\n"
        assert pico.run_python("print(machine.mem32[0x4005800c])") == "1234\n"
        pico.serial.write("machine.reset()\r")
        pico.run_until_reset(1.0)
        assert pico.resets == 2


def test_pins_are_seen_and_interrupt():
    with boot() as pico:
        banner(pico)
        pico.run_python(
            "from machine import Pin\n"
            "out = Pin(3, Pin.OUT, value=1)\n"
            "button = Pin(10, Pin.IN, Pin.PULL_UP)\n"
            "seen = []\n"
            "button.irq(lambda pin: seen.append(pin.value()), Pin.IRQ_FALLING | Pin.IRQ_RISING)\n"
        )
        assert pico.run_python("print(out.value(), button.value())") == "1 1\n"
        pico.drive(10, 0, pico.now + 1000)
        pico.drive(10, 1, pico.now + 2_000_000)
        pico.run_for(0.05)
        assert pico.run_python("print(seen)") == "[0, 1]\n"
        clock = pico.now + 12_345
        pico.drive(10, 0, clock)
        assert pico.run_until_pin(10, 0) == clock


def test_the_adc_reads_the_voltage_at_its_pin():
    with boot() as pico:
        banner(pico)
        pico.adc(26, 1.65)
        pico.adc(28, 3.3)
        code = "from machine import ADC\nfor pin in 26, 27, 28: print(ADC(pin).read_u16())"
        half, nothing, full = map(int, pico.run_python(code).split())
        assert abs(half - 32768) < 32 and nothing == 0 and full == 65535
        with pytest.raises(ValueError, match="GP25"):
            pico.adc(25, 1.0)


TIMED_PRINT = """
import time
t = time.ticks_ms()
print('x' * 2000, end='')
t = time.ticks_diff(time.ticks_ms(), t)
"""


def test_a_host_that_does_not_read_stalls_the_device_half_a_second():
    with boot() as pico:
        banner(pico)
        pico.serial.write(b"\x01")
        pico.run_until_text(b"\n>")
        pico.serial.write(TIMED_PRINT + "\x04")
        pico.run_until_text("OKxxxx")
        pico.serial.reading = False
        pico.run_for(0.8)
        pico.serial.reading = True
        assert pico.run_until_text("\x04\x04>").count(b"x") < 1900, "the rest was dropped"
        pico.serial.write("print(t)\x04")
        taken = int(pico.run_until_text("\x04\x04>")[2:-3])
        assert 500 <= taken < 520


def test_a_closed_port_lets_the_device_go_on():
    with boot({"main.py": "import time\ntime.sleep_ms(200)\n" + TIMED_PRINT}) as pico:
        pico.serial.close()
        pico.run_for(0.5)
        pico.serial.open()
        pico.run_for(0.1)
        assert int(pico.run_python("print(t)")) < 20


def test_a_halted_cpu_leaves_the_hardware_running():
    with boot() as pico:
        banner(pico)
        pico.run_python(
            "import rp2\nfrom machine import Pin, PWM\n"
            "@rp2.asm_pio(set_init=rp2.PIO.OUT_LOW)\n"
            "def blink():\n"
            "    set(pins, 1) [24]\n"
            "    set(pins, 0) [24]\n"
            "sm = rp2.StateMachine(0, blink, freq=12_500_000, set_base=Pin(2))\n"
            "sm.active(1)\n"
        )
        pico.hold_cpu()
        registers = pico.registers()["registers"]
        pico.take_edges()
        start = pico.now
        pico.run_for(0.01)
        edges = [edge for edge in pico.edges if edge[0] > start]
        assert {b[0] - a[0] for a, b in pairwise(edges)} == {250}
        assert pico.registers()["registers"] == registers
        pico.hold_cpu(False)
        assert pico.run_python("print(sm.active())") == "True\n"


def test_memory_can_be_read_and_written_from_outside():
    with boot() as pico:
        banner(pico)
        code = "import uctypes\nb = bytearray(b'here I am!')\nprint(uctypes.addressof(b))"
        address = int(pico.run_python(code))
        assert pico.peek(address, 10) == b"here I am!"
        pico.poke(address, b"HERE")
        assert pico.run_python("print(bytes(b))") == "b'HERE I am!'\n"
        pico.write32(0x4005_8010, 0xCAFE)
        assert pico.read32(0x4005_8010) == 0xCAFE
        assert pico.run_python("from machine import mem32; print(mem32[0x40058010])") == "51966\n"


def test_time_passes_at_the_rate_of_the_clock():
    with boot() as pico:
        banner(pico)
        pico.run_python("import time\nt = time.ticks_us()")
        at = pico.now
        first = int(pico.run_python("print(time.ticks_us())"))
        middle = pico.now
        pico.run_for(3.0)
        second = int(pico.run_python("print(time.ticks_us())"))
        assert abs((second - first) - (pico.now - middle) / 125) < 20_000
        assert middle > at


def test_what_is_not_there_is_refused():
    with boot() as pico:
        banner(pico)
        code = "import _thread; _thread.start_new_thread(print, ())"
        with pytest.raises(EmulatorError, match="second core is not modelled"):
            pico.run_python(code)


def test_an_unusable_image_is_refused(tmp_path):
    named = named_files()
    assert named is not None
    with pytest.raises(ValueError, match="no binary info"):
        EmulatedPico(named[1], named[1])
    (tmp_path / "rom").write_bytes(bytes(16384))
    with pytest.raises(EmulatorError, match="boot ROM"):
        EmulatedPico(named[0], tmp_path / "rom")
