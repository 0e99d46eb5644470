"""`machine` of the rp2 port: what an unpatched RPI_PICO build has and the stimulator may need."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

from rheobase.sim import costs, gpio
from rheobase.sim.adc import CHANNELS, FIRST_PIN, READY, TEMPERATURE, TS_EN
from rheobase.sim.chip import Chip
from rheobase.sim.cpu import Cpu
from rheobase.sim.errors import ChipReset
from rheobase.sim.kernel import Event
from rheobase.sim.modules.arguments import MASK, as_int, module
from rheobase.sim.modules.irq import Irq

PWRON_RESET, WDT_RESET = 1, 3
_WDT_MAX_MS = 8388
_PWM_TOP_MAX = 65534
_ALTERNATIVES = {gpio.SPI, gpio.UART, gpio.I2C, gpio.PWM, gpio.SIO, gpio.PIO0, gpio.PIO1, gpio.USB}
_BOARD_PINS = {f"GP{n}": n for n in (*range(23), 25, 26, 27, 28)} | {"LED": 25}
_CPU_PINS = {f"GPIO{n}": n for n in range(gpio.PINS)}
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
            number = _BOARD_PINS.get(id, _CPU_PINS.get(id))
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


class PWM:
    """One output of a slice; there is one object for each of the sixteen."""

    _chip: Chip
    _cpu: Cpu
    _pin: type[Pin]
    _outputs: dict[int, Any]
    _freq_set: set[int]
    _key: int
    _duty: tuple[str, int] | None

    def __new__(cls, dest: Any, /, *args: Any, **options: Any) -> Any:
        pin = cls._pin._of(dest)
        key = pin._id & 15
        made = cls._outputs.get(key)
        if made is None:
            made = cls._outputs[key] = object.__new__(cls)
            made._key = key
            made._duty = None
        return made

    def __init__(self, dest: Any, /, *args: Any, **options: Any) -> None:
        chip, cpu = self._chip, self._cpu
        pin = self._pin._of(dest)
        self._slice, self._channel = chip.pwm.of_pin(pin._id)
        self._invert = 0
        self._duty = None
        self.init(*args, **options)
        chip.gpio.set_function(pin._id, gpio.PWM, cpu.clock)

    def init(
        self, freq: int = -1, *, duty_u16: int = -1, duty_ns: int = -1, invert: int = -1
    ) -> None:
        self._cpu.touch(self._cpu.clocks(costs.PWM))
        if as_int(freq) != -1:
            self._set_freq(freq)
        if as_int(duty_u16) != -1:
            self._set_u16(duty_u16)
        if as_int(duty_ns) != -1:
            self._set_ns(duty_ns)
        if as_int(invert) != -1:
            self._invert = int(bool(invert))
        self._start()

    def _start(self) -> None:
        if self._slice.index not in self._freq_set or self._duty is None:
            return
        other = self._outputs.get(self._key ^ 1)
        inverts = [0, 0]
        inverts[self._channel] = self._invert
        if other is not None:
            inverts[1 - self._channel] = other._invert
        csr = self._slice.csr & ~0xC | inverts[0] << 2 | inverts[1] << 3 | 1
        self._slice.set_csr(csr, self._cpu.clock)

    def deinit(self) -> None:
        self._cpu.touch(self._cpu.clocks(costs.PWM))
        self._slice.set_csr(self._slice.csr & ~1, self._cpu.clock)

    def freq(self, *value: int) -> Any:
        self._cpu.touch(self._cpu.clocks(costs.PWM))
        if value:
            self._set_freq(*map(as_int, value))
            return None
        if self._slice.index not in self._freq_set:
            return 0
        return self._hz_round(self._slice.divider * (self._slice.top + 1))

    def _hz_round(self, divisor: int) -> int:
        return (16 * self._cpu.clock_hz + divisor // 2) // divisor

    def _set_freq(self, freq: int) -> None:
        source = self._cpu.clock_hz
        if (source + freq // 2) // freq < _PWM_TOP_MAX:
            divider, top = 16, (source + freq // 2) // freq - 1
        else:
            divider = -(-16 * source // (_PWM_TOP_MAX * freq))
            top = self._hz_round(divider * freq) - 1
        if divider < 16:
            raise ValueError("freq too large")
        if divider >= 256 * 16:
            raise ValueError("freq too small")
        self._slice.set_divider(divider, self._cpu.clock)
        self._slice.set_top(top, self._cpu.clock)
        self._freq_set.add(self._slice.index)
        for output in (self, self._outputs.get(self._key ^ 1)):
            if output is not None and output._duty is not None:
                kind, duty = output._duty
                (output._set_u16 if kind == "u16" else output._set_ns)(duty)

    def duty_u16(self, *value: int) -> Any:
        self._cpu.touch(self._cpu.clocks(costs.PWM))
        if value:
            self._set_u16(*map(as_int, value))
            self._start()
            return None
        if self._duty is None or self._slice.index not in self._freq_set:
            return 0
        total = self._slice.top + 1
        return (self._compare() * 65535 + total // 2) // total

    def _set_u16(self, duty: int) -> None:
        duty = min(duty, 65535)
        self._set_compare((duty * (self._slice.top + 1) + 65535 // 2) // 65535)
        self._duty = ("u16", duty)

    def duty_ns(self, *value: int) -> Any:
        self._cpu.touch(self._cpu.clocks(costs.PWM))
        if value:
            self._set_ns(*map(as_int, value))
            self._start()
            return None
        if self._duty is None or self._slice.index not in self._freq_set:
            return 0
        hz = self._hz_round(self._slice.divider)
        return (self._compare() * 1_000_000_000 + hz // 2) // hz

    def _set_ns(self, duty: int) -> None:
        hz = self._hz_round(self._slice.divider)
        compare = (duty * hz + 500_000_000) // 1_000_000_000
        self._set_compare(min(compare, self._slice.top + 1))
        self._duty = ("ns", duty)

    def _compare(self) -> int:
        return self._slice.cc >> 16 * self._channel & 0xFFFF

    def _set_compare(self, level: int) -> None:
        shift = 16 * self._channel
        cc = self._slice.cc & ~(0xFFFF << shift) | (level & 0xFFFF) << shift
        self._slice.set_cc(cc, self._cpu.clock)

    def __repr__(self) -> str:
        return (
            f"<PWM slice={self._slice.index} channel={self._channel} invert={self._invert}>"
        )


class ADC:
    CORE_TEMP = TEMPERATURE

    _chip: Chip
    _cpu: Cpu
    _pin: type[Pin]

    def __init__(self, source: Any, /) -> None:
        chip, cpu = self._chip, self._cpu
        cpu.touch(cpu.clocks(costs.ADC))
        if isinstance(source, int) and not isinstance(source, Pin) and 0 <= source < CHANNELS:
            self._channel = int(source)
        else:
            pin = self._pin._of(source)
            if not FIRST_PIN <= pin._id < FIRST_PIN + CHANNELS - 1:
                raise ValueError("Pin doesn't have ADC capabilities")
            self._channel = pin._id - FIRST_PIN
            chip.gpio.set_function(pin._id, gpio.NULL, cpu.clock)
            chip.gpio.set_pad(pin._id, chip.gpio.pads[pin._id] & ~0x4C, cpu.clock)
        chip.adc.enable()
        if self._channel == TEMPERATURE:
            chip.adc.write(0, chip.adc.read(0, cpu.clock) & ~READY | TS_EN, cpu.clock)

    def read_u16(self) -> int:
        cpu = self._cpu
        adc = self._chip.adc
        cpu.touch(cpu.clocks(costs.ADC))
        raw = adc.convert(self._channel, cpu.clock)
        cpu.touch(adc.conversion_clocks())
        return raw << 4 | raw >> 8

    def __repr__(self) -> str:
        return f"<ADC channel={self._channel}>"


class WDT:
    _chip: Chip
    _cpu: Cpu

    def __init__(self, id: int = 0, timeout: int = 5000) -> None:
        if as_int(id) != 0:
            raise ValueError(f"WDT({id}) doesn't exist")
        if not 0 <= as_int(timeout) <= _WDT_MAX_MS:
            raise ValueError(f"timeout exceeds {_WDT_MAX_MS}")
        self._cpu.touch(self._cpu.clocks(costs.WATCHDOG))
        self._chip.watchdog.enable(timeout)

    def feed(self) -> None:
        self._cpu.touch(self._cpu.clocks(costs.WATCHDOG))
        self._chip.watchdog.feed()


class Timer:
    """A virtual timer. It stops when its object is collected, so keep it."""

    ONE_SHOT, PERIODIC = 0, 1

    _chip: Chip
    _cpu: Cpu
    _due: list[Callable[[], None]]

    def __init__(self, id: int = -1, /, **options: Any) -> None:
        self._event: Event | None = None
        if as_int(id) != -1:
            raise ValueError("Timer doesn't exist")
        if options:
            self.init(**options)

    def init(
        self, *, mode: int = PERIODIC, callback: Any = None, period: int = MASK,
        tick_hz: int = 1000, freq: Any = None, hard: bool = False,
    ) -> None:
        cpu = self._cpu
        cpu.touch(cpu.clocks(costs.TIMER))
        self._stop()
        self._mode = as_int(mode)
        if freq is not None:
            us = int(1_000_000 / freq)
        else:
            us = as_int(period) * 1_000_000 // as_int(tick_hz)
        self._us = max(us, 1)
        self._callback = callback
        self._hard = bool(hard)
        self._target = self._chip.timer.us(cpu.clock) + self._us
        self._arm()

    def _arm(self) -> None:
        when = max(self._chip.timer.clock_at(self._target), self._cpu.kernel.now)
        self._event = self._cpu.kernel.at(when, self._ring_if(self))

    @staticmethod
    def _ring_if(timer: Timer) -> Callable[[], None]:
        """The alarm knows its timer only as long as somebody else does."""
        import weakref

        alive = weakref.ref(timer)

        def ring() -> None:
            timer = alive()
            if timer is not None and timer._cpu.alive:
                timer._event = None
                timer._due.append(timer._fire)
                timer._cpu.interrupt("timer")

        return ring

    def _fire(self) -> None:
        done = self._callback is not None and not self._cpu.dispatch(
            self._callback, self, self._hard
        )
        if not done and self._mode != self.ONE_SHOT:
            self._target += self._us
            self._arm()

    def deinit(self) -> None:
        self._cpu.touch(self._cpu.clocks(costs.TIMER))
        self._stop()

    def _stop(self) -> None:
        if self._event is not None:
            self._event.cancel()
            self._event = None
        if self._fire in self._due:
            self._due.remove(self._fire)

    def __del__(self) -> None:
        if getattr(self, "_event", None) is not None:
            self._stop()

    def __repr__(self) -> str:
        mode = "ONE_SHOT" if self._mode == self.ONE_SHOT else "PERIODIC"
        return f"Timer(mode={mode}, tick_hz=1000000, period={self._us})"


class Mem:
    """mem8, mem16 and mem32."""

    def __init__(self, chip: Chip, cpu: Cpu, size: int) -> None:
        self._chip = chip
        self._cpu = cpu
        self._size = size
        self._mask = (1 << 8 * size) - 1
        self._cost = cpu.clocks(costs.MEMORY)

    def _address(self, address: int) -> int:
        address = as_int(address) & MASK
        if address & self._size - 1:
            raise ValueError(f"address {address:08x} is not aligned to {self._size} bytes")
        return address

    def __getitem__(self, address: int) -> int:
        address = self._address(address)
        cpu = self._cpu
        cpu.touch(self._cost)
        return cpu.guard(self._chip.bus.read, address, self._size, cpu.clock)

    def __setitem__(self, address: int, value: int) -> None:
        address = self._address(address)
        value = as_int(value) & self._mask
        cpu = self._cpu
        cpu.touch(self._cost)
        cpu.guard(self._chip.bus.write, address, value, self._size, cpu.clock)
        if not cpu.alive:
            raise ChipReset
        cpu.settle()

    def __repr__(self) -> str:
        return f"<{8 * self._size}-bit memory>"


def build(chip: Chip, cpu: Cpu) -> ModuleType:
    pins = _bound(Pin, chip, cpu, _pins={}, _open_drain=set(), _irqs={})
    pins.board = _named(pins, _BOARD_PINS)
    pins.cpu = _named(pins, _CPU_PINS)
    due: list[Callable[[], None]] = []

    def pin_interrupt() -> None:
        for pin, edges in chip.gpio.take_irqs():
            irq = pins._irqs.get(pin)
            if irq is not None:
                irq.fire(edges)

    def timer_interrupt() -> None:
        while due:
            due.pop(0)()

    cpu.vectors["gpio"] = pin_interrupt
    cpu.vectors["timer"] = timer_interrupt

    def freq(*value: int) -> Any:
        if not value:
            return cpu.clock_hz
        if len(value) > 2:
            raise TypeError("function expected at most 2 arguments")
        if as_int(value[0]) != cpu.clock_hz:
            cpu.not_modelled("changing the system clock")
        return None

    def reset() -> None:
        cpu.touch(0)
        chip.watchdog.force()
        raise ChipReset

    def soft_reset(*value: Any) -> None:
        if len(value) > 1:
            raise TypeError("function expected at most 1 arguments")
        raise SystemExit(*value)

    def reset_cause() -> int:
        return WDT_RESET if chip.watchdog.caused_reboot else PWRON_RESET

    def idle() -> None:
        cpu.wait(cpu.clock + cpu.clocks(1000))

    def disable_irq() -> int:
        cpu.touch(cpu.clocks(costs.TICKS))
        return cpu.disable_irq()

    def enable_irq(state: int, /) -> None:
        cpu.touch(cpu.clocks(costs.TICKS))
        cpu.enable_irq(as_int(state))

    def missing(what: str) -> Callable[..., None]:
        def call(*args: Any, **options: Any) -> None:
            cpu.not_modelled(what)

        return call

    names: dict[str, Any] = {
        "ADC": _bound(ADC, chip, cpu, _pin=pins),
        "PWM": _bound(PWM, chip, cpu, _pin=pins, _outputs={}, _freq_set=set()),
        "PWRON_RESET": PWRON_RESET,
        "Pin": pins,
        "Signal": Signal,
        "Timer": _bound(Timer, chip, cpu, _due=due),
        "WDT": _bound(WDT, chip, cpu),
        "WDT_RESET": WDT_RESET,
        "disable_irq": disable_irq,
        "enable_irq": enable_irq,
        "freq": freq,
        "idle": idle,
        "mem8": Mem(chip, cpu, 1),
        "mem16": Mem(chip, cpu, 2),
        "mem32": Mem(chip, cpu, 4),
        "reset": reset,
        "reset_cause": reset_cause,
        "soft_reset": soft_reset,
        "unique_id": lambda: chip.unique_id,
    }
    for name in (
        "I2C", "I2CTarget", "I2S", "RTC", "SPI", "SoftI2C", "SoftSPI", "UART", "USBDevice",
        "bitstream", "bootloader", "deepsleep", "dht_readinto", "lightsleep", "time_pulse_us",
    ):  # fmt: skip
        names[name] = missing(f"machine.{name}")
    return module("machine", names)


def _bound(kind: type, chip: Chip, cpu: Cpu, **attributes: Any) -> Any:
    """A class of this boot, bound to its chip."""
    return type(kind.__name__, (kind,), {"_chip": chip, "_cpu": cpu, **attributes})


def _named(pins: Any, names: dict[str, int]) -> Any:
    class Names:
        def __getattr__(self, name: str) -> Any:
            if name not in names:
                raise AttributeError(f"no attribute '{name}'")
            return pins._of(names[name])

    return Names()
