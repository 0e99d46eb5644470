"""Pins: who drives a wire, what it is at, and when PIO and interrupts see it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from rheobase.sim import gpio as g
from rheobase.sim.gpio import Gpio, IoBank, PadsBank, Sio
from rheobase.sim.kernel import Kernel

PIN = 5
BIT = 1 << PIN


def fresh():
    kernel = Kernel()
    gpio = Gpio(kernel)
    gpio.reset(0)
    return kernel, gpio


def drive_out(gpio, level):
    gpio.sio_write(BIT if level else 0, BIT, 0)
    gpio.set_function(PIN, g.SIO, 0)


def test_a_reset_pin_is_an_input_with_its_pull_down():
    _, gpio = fresh()
    assert gpio.levels == 0
    assert gpio.pulls(PIN) == (False, True)
    assert gpio.function(PIN) == g.NULL


def test_the_output_latch_shows_only_through_the_selected_function():
    _, gpio = fresh()
    gpio.sio_write(BIT, BIT, 0)
    assert gpio.levels == 0
    gpio.set_function(PIN, g.SIO, 0)
    assert gpio.levels == BIT
    gpio.set_function(PIN, g.PIO0, 0)
    assert gpio.levels == 0


def test_pulls_decide_only_while_nobody_drives():
    _, gpio = fresh()
    gpio.set_pulls(PIN, True, False, 0)
    assert gpio.levels == BIT
    gpio.drive(PIN, 0)
    assert gpio.levels == 0
    gpio.drive(PIN, None)
    assert gpio.levels == BIT
    drive_out(gpio, 0)
    assert gpio.levels == 0


def test_both_pulls_keep_the_last_level():
    _, gpio = fresh()
    gpio.set_pulls(PIN, True, True, 0)
    gpio.drive(PIN, 1)
    gpio.drive(PIN, None)
    assert gpio.levels == BIT
    gpio.drive(PIN, 0)
    gpio.drive(PIN, None)
    assert gpio.levels == 0


def test_a_pin_changes_hands_from_pio_to_sio_without_an_edge():
    _, gpio = fresh()
    gpio.pio_direction(0, 10, BIT, BIT)
    gpio.pio_output(0, 10, BIT, BIT)
    gpio.set_function(PIN, g.PIO0, 10)
    gpio.log.clear()
    gpio.sio_write(BIT, BIT, 20)
    gpio.set_function(PIN, g.SIO, 20)
    assert gpio.log == []


def test_overrides_of_the_control_register():
    _, gpio = fresh()
    bank = IoBank(gpio)
    drive_out(gpio, 1)
    seen = []
    for out_override in (0, 1, 2, 3):
        bank.write(8 * PIN + 4, g.SIO | out_override << 8, 0)
        seen.append(gpio.levels >> PIN & 1)
    assert seen == [1, 0, 0, 1]
    bank.write(8 * PIN + 4, g.SIO | 2 << 12, 0)  # output disabled: the pull-down wins
    assert gpio.levels == 0
    bank.write(8 * PIN + 4, g.SIO, 0)
    for in_override, read in ((0, 1), (1, 0), (2, 0), (3, 1)):
        bank.write(8 * PIN + 4, g.SIO | in_override << 16, 0)
        assert gpio.inputs >> PIN & 1 == read
        assert bank.read(8 * PIN, 0) >> 19 & 1 == read


def test_pad_can_disable_output_and_input():
    _, gpio = fresh()
    pads = PadsBank(gpio)
    drive_out(gpio, 1)
    pads.write(4 + 4 * PIN, g.PAD_RESET | 1 << 7, 0)
    assert gpio.levels == 0
    pads.write(4 + 4 * PIN, g.PAD_RESET & ~(1 << 6), 0)
    assert (gpio.levels, gpio.inputs) == (BIT, 0)


def test_sio_registers_set_clear_and_toggle():
    _, gpio = fresh()
    sio = Sio(gpio)
    gpio.set_function(PIN, g.SIO, 0)
    sio.write(0x24, BIT, 0)
    sio.write(0x14, BIT, 1)
    sio.write(0x1C, BIT, 2)
    sio.write(0x1C, BIT, 3)
    sio.write(0x18, BIT, 4)
    assert gpio.log == [(1, BIT), (2, 0), (3, BIT), (4, 0)]
    assert sio.read(0x20, 5) == BIT


def test_pio_sees_an_input_two_clocks_later():
    kernel, gpio = fresh()
    gpio.watch(0, BIT)
    kernel.advance_to(100)
    gpio.drive(PIN, 1)
    kernel.advance_to(101)
    assert gpio.pio_inputs == 0
    kernel.advance_to(102)
    assert gpio.pio_inputs == BIT


def test_a_short_pulse_passes_the_synchroniser_as_it_is():
    kernel, gpio = fresh()
    gpio.watch(1, BIT)
    seen = []
    for clock, level in ((10, 1), (11, 0)):
        kernel.at(clock, lambda level=level: gpio.drive(PIN, level))
    for clock in range(10, 16):
        kernel.advance_to(clock)
        seen.append(gpio.pio_inputs >> PIN & 1)
    assert seen == [0, 0, 1, 0, 0, 0]


def test_unwatched_inputs_make_no_events_and_are_right_when_watched():
    kernel, gpio = fresh()
    gpio.drive(PIN, 1)
    assert kernel.next_clock > 1 << 60
    gpio.watch(0, BIT)
    assert gpio.pio_inputs == BIT
    gpio.watch(0, 0)
    gpio.watch(1, 1 << 6)
    gpio.drive(PIN, 0)
    assert kernel.next_clock > 1 << 60


def test_edges_interrupt_only_in_the_enabled_direction():
    _, gpio = fresh()
    raised = []
    gpio.on_interrupt = lambda: raised.append(gpio.take_irqs())
    gpio.enable_irq(PIN, g.EDGE_RISE)
    gpio.drive(PIN, 1)
    gpio.drive(PIN, 0)
    gpio.drive(PIN, 1)
    assert raised == [[(PIN, g.EDGE_RISE)]] * 2
    gpio.enable_irq(PIN, 0)
    gpio.drive(PIN, 0)
    gpio.drive(PIN, 1)
    assert len(raised) == 2


def test_an_edge_ahead_of_the_kernel_interrupts_at_its_own_clock():
    kernel, gpio = fresh()
    raised = []
    gpio.on_interrupt = lambda: raised.append(kernel.now)
    gpio.enable_irq(PIN, g.EDGE_FALL | g.EDGE_RISE)
    gpio.pio_direction(0, 0, BIT, BIT)
    gpio.set_function(PIN, g.PIO0, 0)
    gpio.pio_output(0, 1234, BIT, BIT)
    assert raised == []
    kernel.advance_to(2000)
    assert raised == [1234]


class Bench:
    def __init__(self, watched):
        self.watched = watched
        self.seen = []

    def pins_changed(self, clock, levels, changed):
        self.seen.append((clock, levels, changed))


def test_the_bench_hears_only_of_pins_it_watches():
    _, gpio = fresh()
    gpio.bench = Bench(1 << 6)
    drive_out(gpio, 1)
    gpio.sio_write(BIT | 1 << 6, BIT | 1 << 6, 7)
    assert gpio.bench.seen == []
    gpio.set_function(6, g.SIO, 9)
    assert gpio.bench.seen == [(9, BIT | 1 << 6, 1 << 6)]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["sio", "pio0", "pio1", "drive", "function", "pull", "control"]),
            st.integers(0, 3), st.integers(0, 3), st.booleans(),
        ),
        max_size=40,
    )
)  # fmt: skip
def test_masks_agree_with_pins_looked_at_one_by_one(steps):
    """The same rules written plainly for a single pin."""
    _, gpio = fresh()
    functions = (g.SIO, g.PIO0, g.PIO1, g.NULL)
    outs = {g.SIO: [0] * 4, g.PIO0: [0] * 4, g.PIO1: [0] * 4}
    enables = {g.SIO: [0] * 4, g.PIO0: [0] * 4, g.PIO1: [0] * 4}
    function = [g.NULL] * 4
    override = [(0, 0)] * 4
    pull = [(False, True)] * 4
    driven = [None] * 4
    for what, pin, number, flag in steps:
        bit = 1 << pin
        if what in ("sio", "pio0", "pio1"):
            source = {"sio": g.SIO, "pio0": g.PIO0, "pio1": g.PIO1}[what]
            table = outs if flag else enables
            table[source][pin] = number & 1
            value = bit if number & 1 else 0
            if source == g.SIO:
                out, oe = gpio.sio_out, gpio.sio_oe
                if flag:
                    gpio.sio_write(out & ~bit | value, oe, 0)
                else:
                    gpio.sio_write(out, oe & ~bit | value, 0)
            else:
                change = gpio.pio_output if flag else gpio.pio_direction
                change(source - g.PIO0, 0, bit, value)
        elif what == "drive":
            driven[pin] = None if number > 1 else number
            gpio.drive(pin, driven[pin])
        elif what == "function":
            function[pin] = functions[number]
            override[pin] = (0, 0)
            gpio.set_function(pin, function[pin], 0)
        elif what == "control":
            override[pin] = (number, 3 if flag else 0)
            gpio.set_control(pin, function[pin] | number << 8 | override[pin][1] << 12, 0)
        else:
            pull[pin] = (flag, not flag)
            gpio.set_pulls(pin, flag, not flag, 0)
    for pin in range(4):
        out = outs.get(function[pin], [0] * 4)[pin]
        enable = enables.get(function[pin], [0] * 4)[pin]
        out = (out, 1 - out, 0, 1)[override[pin][0]]
        enable = 1 if override[pin][1] == 3 else enable
        free = pull[pin][0] if driven[pin] is None else driven[pin]
        assert gpio.levels >> pin & 1 == (out if enable else free)
