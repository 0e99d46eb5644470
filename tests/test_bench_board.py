"""Bench and virtual board together: firmware moves pins, current flows, the trip comes back."""

from math import isclose

from rheobase.recording import pulses
from rheobase.sim.bench import LOADS, Bench, Wiring
from rheobase.sim.board import VirtualBoard

MAIN = b"""
from machine import ADC, PWM, Pin
import rp2
import time

@rp2.asm_pio(set_init=(rp2.PIO.OUT_LOW,) * 5)
def pulse():
    pull(block)
    set(pins, 16)
    nop()[31]
    set(pins, 17)[24]
    nop()[24]
    set(pins, 16)[9]
    set(pins, 18)[24]
    nop()[24]
    set(pins, 0)

trip = Pin(10, Pin.IN, Pin.PULL_UP)
stop = Pin(11, Pin.IN, Pin.PULL_UP)
heart = Pin(18, Pin.OUT, value=0)
amplitude = PWM(Pin(16), freq=61000, duty_u16=16384)
sense = ADC(26)
supply = ADC(28)
machine = rp2.StateMachine(0, pulse, freq=250_000, set_base=Pin(2))
for beat in range(20):
    heart.toggle()
    time.sleep_ms(20)
print("supply", supply.read_u16(), "trip", trip(), "stop", stop())
machine.active(1)
for count in range(3):
    machine.put(0)
    time.sleep_us(200)
    print("sense", sense.read_u16())
    time.sleep_ms(18)
    heart.toggle()
while not trip():
    time.sleep_us(10)
print("tripped", stop())
"""


def test_firmware_and_bench():
    bench = Bench(Wiring(blocking_f=None), electrodes=(LOADS["500"], LOADS["500"]))
    board = VirtualBoard({"/main.py": MAIN}, bench=bench)
    board.power_on()
    board.run_for(2.0)
    bench.press_stop()
    board.run_for(0.01)
    bench.settle()
    found = pulses(bench.recorder)
    assert len(found) == 3
    for one in found:
        assert (one.channel, one.first) == (1, 1)
        assert one.width_1 == one.width_2 == 50 * 500  # 4 us an instruction
        assert one.gap == 10 * 500
        assert isclose(one.delivered_1_a, one.commanded_a, rel_tol=1e-9)
        assert isclose(one.commanded_a, 0.25 * Wiring().full_scale_a, rel_tol=1e-3)
        assert one.net_c == 0.0
    said = board.usb.read().decode().splitlines()
    words = said[0].split()
    assert words[2:] == ["trip", "0", "stop", "0"]
    assert isclose(int(words[1]) / 65535 * 3.3, 2.5, rel_tol=2e-3)
    expected = 1.65 + 10 * found[0].delivered_1_a
    assert [line for line in said if line.startswith("sense")]
    for line in said[1:4]:
        assert isclose(int(line.split()[1]) / 65535 * 3.3, expected, rel_tol=2e-3)
    assert said[4] == "tripped 1"
    assert bench.recorder.of_kind("supply_off")
