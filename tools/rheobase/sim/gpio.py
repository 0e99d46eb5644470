"""The thirty GPIO pins: who drives each of them, what the wire is at, and who hears of an edge.

Register numbers and reset values are those of the RP2040 (IO_BANK0, PADS_BANK0, SIO).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from rheobase.sim.kernel import Kernel

PINS = 30
ALL = (1 << PINS) - 1

SPI, UART, I2C, PWM, SIO, PIO0, PIO1, GPCK, USB, NULL = 1, 2, 3, 4, 5, 6, 7, 8, 9, 31

PAD_RESET = 0x56  # input enabled, 4 mA, pull-down, Schmitt trigger
_PAD_DOWN, _PAD_UP, _PAD_IE, _PAD_OD = 1 << 2, 1 << 3, 1 << 6, 1 << 7
_SYNCHRONISER = 2  # clocks until PIO sees an input

EDGE_FALL, EDGE_RISE = 4, 8


class Bench(Protocol):
    """What is wired to the pins (see `rheobase.sim.bench`)."""

    watched: int

    def pins_changed(self, clock: int, levels: int, changed: int) -> None: ...


class Gpio:
    """All pins together, as bit masks.

    `levels` is what the wires are at. `log` has every change of it as (clock, levels) while
    `recording` is set. `pio_inputs` is what the state machines see: `levels` two clocks ago.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.log: list[tuple[int, int]] = []
        self.recording = True
        self.listeners: list[Callable[[int, int], None]] = []
        self.bench: Bench | None = None
        self.on_interrupt: Callable[[], None] = lambda: None
        self.on_pwm: Callable[[int, int, bool], None] = lambda clock, pin, selected: None
        self.levels = 0
        self._driven = 0  # by whatever is wired to the pins
        self._driven_levels = 0
        self._pio_watched = 0
        self._watched_by = [0, 0]
        self._last_inputs = 0
        self.pio_inputs = 0
        self._clear()

    def _clear(self) -> None:
        self.sio_out = 0
        self.sio_oe = 0
        self.pio_out = [0, 0]
        self.pio_oe = [0, 0]
        self.pwm_out = 0
        self.control = [NULL] * PINS
        self.pads = [PAD_RESET] * PINS
        self.irq_enabled = [0] * PINS
        self.irq_latched = [0] * PINS
        self._irq_pins = 0
        self._select()

    def reset(self, clock: int) -> None:
        """Power-on state: every pin an input with its pull-down, and no function."""
        self._clear()
        self._settle(clock)
        self._look(clock)

    # --- what is configured ---

    def function(self, pin: int) -> int:
        return self.control[pin] & 31

    def set_function(self, pin: int, function: int, clock: int) -> None:
        """As the SDK does it: input enabled, output not disabled, no overrides."""
        self.pads[pin] = self.pads[pin] & ~_PAD_OD | _PAD_IE
        self.set_control(pin, function, clock)

    def set_control(self, pin: int, value: int, clock: int) -> None:
        """Write IO_BANK0's CTRL register of a pin: function and overrides."""
        before = self.control[pin] & 31
        self.control[pin] = value & 0x3003331F
        self._select()
        self._settle(clock)
        self._look(clock)
        if (value & 31 == PWM) != (before == PWM):
            self.on_pwm(clock, pin, value & 31 == PWM)

    def set_pad(self, pin: int, value: int, clock: int) -> None:
        self.pads[pin] = value & 0xFF
        self._select()
        self._settle(clock)
        self._look(clock)

    def set_pulls(self, pin: int, up: bool, down: bool, clock: int) -> None:
        pad = self.pads[pin] & ~(_PAD_UP | _PAD_DOWN)
        self.set_pad(pin, pad | (_PAD_UP if up else 0) | (_PAD_DOWN if down else 0), clock)

    def pulls(self, pin: int) -> tuple[bool, bool]:
        """(up, down)"""
        return bool(self.pads[pin] & _PAD_UP), bool(self.pads[pin] & _PAD_DOWN)

    def _select(self) -> None:
        """Turn the registers of single pins into masks over all pins."""
        selected: dict[int, int] = {}
        self._invert = self._force_low = self._force_high = 0
        self._oe_invert = self._oe_off = self._oe_on = 0
        self._in_invert = self._in_low = self._in_high = 0
        self._up = self._down = 0
        for pin in range(PINS):
            bit = 1 << pin
            control = self.control[pin]
            pad = self.pads[pin]
            selected[control & 31] = selected.get(control & 31, 0) | bit
            if control >> 5:
                out, oe, inp = control >> 8 & 3, control >> 12 & 3, control >> 16 & 3
                self._invert |= bit if out == 1 else 0
                self._force_low |= bit if out == 2 else 0
                self._force_high |= bit if out == 3 else 0
                self._oe_invert |= bit if oe == 1 else 0
                self._oe_off |= bit if oe == 2 else 0
                self._oe_on |= bit if oe == 3 else 0
                self._in_invert |= bit if inp == 1 else 0
                self._in_low |= bit if inp == 2 else 0
                self._in_high |= bit if inp == 3 else 0
            if pad & _PAD_UP:
                self._up |= bit
            if pad & _PAD_DOWN:
                self._down |= bit
            if pad & _PAD_OD:
                self._oe_off |= bit
            if not pad & _PAD_IE:
                self._in_low |= bit
        self._sio_pins = selected.get(SIO, 0)
        self._pwm_pins = selected.get(PWM, 0)
        self._pio_pins = [selected.get(PIO0, 0), selected.get(PIO1, 0)]
        self._no_overrides = not (
            self._invert | self._force_low | self._force_high
            | self._oe_invert | self._oe_off | self._oe_on
        )

    # --- what drives the pins ---

    def sio_write(self, out: int, oe: int, clock: int) -> None:
        self.sio_out = out & ALL
        self.sio_oe = oe & ALL
        self._settle(clock)

    def pio_output(self, block: int, clock: int, mask: int, values: int) -> None:
        """A PIO block drives these of its pins from `clock` on."""
        before = self.pio_out[block]
        after = before & ~mask | values & mask
        if after != before:
            self.pio_out[block] = after
            if (after ^ before) & self._pio_pins[block]:
                self._settle(clock)

    def pio_direction(self, block: int, clock: int, mask: int, values: int) -> None:
        before = self.pio_oe[block]
        self.pio_oe[block] = before & ~mask | values & mask
        if (self.pio_oe[block] ^ before) & self._pio_pins[block]:
            self._settle(clock)

    def pwm_level(self, pin: int, high: bool, clock: int) -> None:
        """A PWM output is high (or low) without a break; one that toggles counts as low here."""
        bit = 1 << pin
        out = self.pwm_out | bit if high else self.pwm_out & ~bit
        if out != self.pwm_out:
            self.pwm_out = out
            if self._pwm_pins & bit:
                self._settle(clock)

    def drive(self, pin: int, level: int | None) -> None:
        """What is wired to the pin drives it so from now on; None lets it go."""
        bit = 1 << pin
        self._driven = self._driven & ~bit if level is None else self._driven | bit
        self._driven_levels = self._driven_levels | bit if level else self._driven_levels & ~bit
        self._settle(self._kernel.now)

    def outputs(self) -> tuple[int, int]:
        """(levels, enables) the chip itself puts on its pads."""
        pio_pins = self._pio_pins
        out = (
            self.sio_out & self._sio_pins
            | self.pio_out[0] & pio_pins[0]
            | self.pio_out[1] & pio_pins[1]
            | self.pwm_out & self._pwm_pins
        )
        oe = (
            self.sio_oe & self._sio_pins
            | self.pio_oe[0] & pio_pins[0]
            | self.pio_oe[1] & pio_pins[1]
            | self._pwm_pins
        )
        if self._no_overrides:
            return out, oe
        out = (out ^ self._invert) & ~self._force_low | self._force_high
        oe = (oe ^ self._oe_invert | self._oe_on) & ~self._oe_off
        return out, oe

    # --- what follows ---

    def _settle(self, clock: int) -> None:
        """Work the wires out again and tell everybody who cares."""
        out, oe = self.outputs()
        before = self.levels
        pulled = self._up & ~self._down | self._up & self._down & before
        free = pulled & ~self._driven | self._driven_levels
        levels = (out & oe | free & ~oe) & ALL
        changed = levels ^ before
        if not changed:
            return
        self.levels = levels
        if self.recording:
            self.log.append((clock, levels))
        for listener in self.listeners:
            listener(clock, levels)
        if changed & self._pio_watched:
            self._look(clock)
        if changed & self._irq_pins:
            self._edges(clock, levels, changed)
        if self.bench is not None and changed & self.bench.watched:
            self.bench.pins_changed(clock, levels, changed)

    def _look(self, clock: int) -> None:
        """Pass what the pins are at through the state machines' input synchroniser."""
        inputs = self._inputs(self.levels)
        if (inputs ^ self._last_inputs) & self._pio_watched:
            self._last_inputs = inputs
            self._kernel.at(clock + _SYNCHRONISER, partial(self._present, inputs))

    def _inputs(self, levels: int) -> int:
        """What the chip's own parts read from wires at `levels`."""
        return (levels ^ self._in_invert) & ~self._in_low | self._in_high

    @property
    def inputs(self) -> int:
        return self._inputs(self.levels)

    def _present(self, inputs: int) -> None:
        self.pio_inputs = inputs

    def watch(self, block: int, mask: int) -> None:
        """The programs of a PIO block look at these pins; others cause no events."""
        known = self._pio_watched
        self._watched_by[block] = mask & ALL
        self._pio_watched = self._watched_by[0] | self._watched_by[1]
        inputs = self.inputs
        self._last_inputs = self._last_inputs & known | inputs & ~known
        self.pio_inputs = self.pio_inputs & known | inputs & ~known

    # --- edge interrupts ---

    def enable_irq(self, pin: int, events: int) -> None:
        """Interrupt on these edges of the pin (EDGE_RISE, EDGE_FALL); forgets earlier ones."""
        self.irq_enabled[pin] = events & (EDGE_FALL | EDGE_RISE)
        self.irq_latched[pin] = 0
        bit = 1 << pin
        self._irq_pins = self._irq_pins | bit if self.irq_enabled[pin] else self._irq_pins & ~bit

    def take_irqs(self) -> list[tuple[int, int]]:
        """The pins with latched edges, as (pin, edges), which are thereby acknowledged."""
        taken = [(pin, edges) for pin, edges in enumerate(self.irq_latched) if edges]
        for pin, _ in taken:
            self.irq_latched[pin] = 0
        return taken

    def _edges(self, clock: int, levels: int, changed: int) -> None:
        if clock > self._kernel.now:
            self._kernel.at(clock, partial(self._edges, clock, levels, changed))
            return
        raised = False
        for pin in range(PINS):
            if changed >> pin & 1 and self.irq_enabled[pin]:
                edge = EDGE_RISE if levels >> pin & 1 else EDGE_FALL
                if edge & self.irq_enabled[pin]:
                    self.irq_latched[pin] |= edge
                    raised = True
        if raised:
            self.on_interrupt()


class IoBank:
    """IO_BANK0 on the bus."""

    def __init__(self, gpio: Gpio) -> None:
        self._gpio = gpio

    def read(self, offset: int, clock: int) -> int:
        gpio = self._gpio
        pin, which = offset // 8, offset & 4
        if pin < PINS:
            if which:
                return gpio.control[pin]
            out, oe = gpio.outputs()
            return (
                (out >> pin & 1) << 9 | (oe >> pin & 1) << 13
                | (gpio.levels >> pin & 1) << 17 | (gpio.inputs >> pin & 1) << 19
            )
        if 0xF0 <= offset < 0x100 or 0x120 <= offset < 0x130:
            return _nibbles(gpio.irq_latched, offset & 15)
        if 0x100 <= offset < 0x110:
            return _nibbles(gpio.irq_enabled, offset & 15)
        return 0

    def write(self, offset: int, value: int, clock: int) -> None:
        gpio = self._gpio
        if offset // 8 < PINS:
            if offset & 4:
                gpio.set_control(offset // 8, value, clock)
        elif 0xF0 <= offset < 0x110:
            first = (offset & 15) * 2
            for pin in range(first, min(first + 8, PINS)):
                events = value >> 4 * (pin - first) & 15
                if offset < 0x100:
                    gpio.irq_latched[pin] &= ~events
                else:
                    gpio.enable_irq(pin, events)


class PadsBank:
    """PADS_BANK0 on the bus."""

    def __init__(self, gpio: Gpio) -> None:
        self._gpio = gpio

    def read(self, offset: int, clock: int) -> int:
        pin = offset // 4 - 1
        return self._gpio.pads[pin] if 0 <= pin < PINS else 0

    def write(self, offset: int, value: int, clock: int) -> None:
        pin = offset // 4 - 1
        if 0 <= pin < PINS:
            self._gpio.set_pad(pin, value, clock)


class Sio:
    """The single-cycle IO block on the bus: GPIO only."""

    def __init__(self, gpio: Gpio) -> None:
        self._gpio = gpio

    def read(self, offset: int, clock: int) -> int:
        gpio = self._gpio
        if offset == 0x04:
            return gpio.inputs
        if offset in (0x10, 0x14, 0x18, 0x1C):
            return gpio.sio_out if offset == 0x10 else 0
        return gpio.sio_oe if offset == 0x20 else 0

    def write(self, offset: int, value: int, clock: int) -> None:
        gpio = self._gpio
        out, oe = gpio.sio_out, gpio.sio_oe
        if 0x10 <= offset <= 0x1C:
            out = _atomic(out, value, offset - 0x10 >> 2)
        elif 0x20 <= offset <= 0x2C:
            oe = _atomic(oe, value, offset - 0x20 >> 2)
        gpio.sio_write(out, oe, clock)


def _atomic(old: int, value: int, how: int) -> int:
    """SIO's four registers of a kind: write, set, clear, toggle."""
    return (value, old | value, old & ~value, old ^ value)[how]


def _nibbles(values: list[int], offset: int) -> int:
    first = offset * 2
    return sum(value << 4 * i for i, value in enumerate(values[first : first + 8]))
