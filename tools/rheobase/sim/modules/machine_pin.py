"""`machine.Pin` and `machine.Signal` of the rp2 port."""

from __future__ import annotations

from functools import partial
from typing import Any

from rheobase.sim import costs, gpio
from rheobase.sim.chip import Chip
from rheobase.sim.cpu import Cpu
from rheobase.sim.modules.arguments import as_int
from rheobase.sim.modules.irq import Irq

_ALTERNATIVES = {gpio.SPI, gpio.UART, gpio.I2C, gpio.PWM, gpio.SIO, gpio.PIO0, gpio.PIO1, gpio.USB}
BOARD_PINS = {f"GP{n}": n for n in (*range(23), 25, 26, 27, 28)} | {"LED": 25}
CPU_PINS = {f"GPIO{n}": n for n in range(gpio.PINS)}
_MODE_NAMES = {1: "SPI", 2: "UART", 3: "I2C", 4: "PWM", 6: "PIO0", 7: "PIO1", 8: "GPCK", 9: "USB"}


class Pin:
    """A GPIO; there is one object for each."""

    IN, OUT, OPEN_DRAIN, ALT = 0, 1, 2, 3
    PULL_UP, PULL_DOWN = 1, 2
    IRQ_RISING, IRQ_FALLING = gpio.EDGE_RISE, gpio.EDGE_FALL
    ALT_SPI, ALT_UART, ALT_I2C, ALT_PWM, ALT_SIO = 1, 2, 3, 4, 5
    ALT_PIO0, ALT_PIO1, ALT_GPCK, ALT_USB = 6, 7, 8, 9

    _chip: Chip
    _cpu: Cpu
    _pins: dict[int, Any]
    _open_drain: set[int]
    _irqs: dict[int, Irq]
    _id: int
    _bit: int
    _cost: int

    def __new__(cls, id: Any, /, *args: Any, **options: Any) -> Any:
        return cls._of(id)

    def __init__(self, id: Any, /, *args: Any, **options: Any) -> None:
        if args or options:
            self.init(*args, **options)

    @classmethod
    def _of(cls, id: Any) -> Any:
        if isinstance(id, Pin):
            return id
        if isinstance(id, str):
            number = BOARD_PINS.get(id, CPU_PINS.get(id))
            if number is None:
                raise ValueError(f'unknown named pin "{id}"')
        elif isinstance(id, int) and 0 <= id < gpio.PINS:
            number = int(id)
        else:
            raise ValueError("invalid pin")
        pin = cls._pins.get(number)
        if pin is None:
            pin = cls._pins[number] = object.__new__(cls)
            pin._id = number
            pin._bit = 1 << number
            pin._cost = cls._cpu.clocks(costs.PIN)
        return pin

    def init(
        self, mode: Any = None, pull: Any = None, *, value: Any = None, alt: int = gpio.SIO
    ) -> None:
        chip, cpu = self._chip, self._cpu
        cpu.touch(cpu.clocks(costs.PIN_INIT))
        wires = chip.gpio
        bit, clock = self._bit, cpu.clock
        if mode is not None:
            mode = as_int(mode)
            if mode == self.IN:
                wires.sio_write(wires.sio_out, wires.sio_oe & ~bit, clock)
                self._open_drain.discard(self._id)
                wires.set_function(self._id, gpio.SIO, clock)
            elif mode == self.OUT:
                out = wires.sio_out
                if value is not None:
                    out = out | bit if value else out & ~bit
                wires.sio_write(out, wires.sio_oe, clock)
                wires.sio_write(out, wires.sio_oe | bit, clock)
                self._open_drain.discard(self._id)
                wires.set_function(self._id, gpio.SIO, clock)
            elif mode == self.OPEN_DRAIN:
                oe = wires.sio_oe & ~bit
                if value is not None and not value:
                    oe |= bit
                wires.sio_write(wires.sio_out & ~bit, oe, clock)
                self._open_drain.add(self._id)
                wires.set_function(self._id, gpio.SIO, clock)
            else:
                if as_int(alt) not in _ALTERNATIVES:
                    raise ValueError(f"invalid pin af: {alt}")
                wires.set_function(self._id, alt, clock)
                self._open_drain.discard(self._id)
        pulls = 0 if pull is None else as_int(pull)
        wires.set_pulls(self._id, bool(pulls & 1), bool(pulls & 2), clock)
        cpu.settle()

    def __call__(self, *value: Any) -> Any:
        if not value:
            self._cpu.touch(self._cost)
            return self._chip.gpio.inputs >> self._id & 1
        if len(value) > 1:
            raise TypeError("function expected at most 1 arguments")
        self._put(bool(value[0]))
        return None

    def value(self, *value: Any) -> Any:
        return self(*value)

    def _put(self, high: bool) -> None:
        cpu = self._cpu
        cpu.touch(self._cost)
        wires = self._chip.gpio
        bit = self._bit
        out, oe = wires.sio_out, wires.sio_oe
        if self._id in self._open_drain:
            oe = oe & ~bit if high else oe | bit
        else:
            out = out | bit if high else out & ~bit
        wires.sio_write(out, oe, cpu.clock)
        cpu.settle()

    def low(self) -> None:
        self._put(False)

    def high(self) -> None:
        self._put(True)

    off = low
    on = high

    def toggle(self) -> None:
        wires = self._chip.gpio
        if self._id in self._open_drain:
            self._put(bool(wires.sio_oe & self._bit))
        else:
            self._put(not wires.sio_out & self._bit)

    def irq(self, *args: Any, **options: Any) -> Irq:
        """irq(handler=None, trigger=IRQ_FALLING | IRQ_RISING, hard=False)"""
        self._cpu.touch(self._cpu.clocks(costs.PIN_INIT))
        irq = self._irqs.get(self._id)
        if irq is None:
            enable = partial(self._chip.gpio.enable_irq, self._id)
            irq = self._irqs[self._id] = Irq(self._cpu, self, enable)
        return irq.update(args, options, gpio.EDGE_FALL | gpio.EDGE_RISE)

    def __repr__(self) -> str:
        wires = self._chip.gpio
        function = wires.function(self._id)
        if function == gpio.SIO:
            out = wires.sio_oe & self._bit
            drain = self._id in self._open_drain
            mode = "OPEN_DRAIN" if drain else "OUT" if out else "IN"
        else:
            mode = "ALT"
        up, down = wires.pulls(self._id)
        pulls = [name for name, on in (("PULL_UP", up), ("PULL_DOWN", down)) if on]
        text = f"Pin(GPIO{self._id}, mode={mode}"
        text += f", pull={'|'.join(pulls)}" if pulls else ""
        if function != gpio.SIO:
            text += f", alt={_MODE_NAMES.get(function, function)}"
        return text + ")"


class Signal:
    """A pin that may be active low."""

    def __init__(self, pin: Any, *args: Any, invert: bool = False, **options: Any) -> None:
        if not isinstance(pin, Pin):
            raise TypeError("Pin expected")
        if args or options:
            pin.init(*args, **options)
        self._pin = pin
        self._invert = bool(invert)

    def __call__(self, *value: Any) -> Any:
        if value:
            self._pin(bool(value[0]) ^ self._invert)
            return None
        return self._pin() ^ self._invert

    def value(self, *value: Any) -> Any:
        return self(*value)

    def on(self) -> None:
        self(1)

    def off(self) -> None:
        self(0)


def named(pins: Any, names: dict[str, int]) -> Any:
    class Names:
        def __getattr__(self, name: str) -> Any:
            if name not in names:
                raise AttributeError(f"no attribute '{name}'")
            return pins._of(names[name])

    return Names()
