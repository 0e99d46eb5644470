"""`machine` of the rp2 port: what an unpatched RPI_PICO build has and the stimulator may need."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from rheobase.sim import costs, gpio
from rheobase.sim.adc import CHANNELS, FIRST_PIN, READY, TEMPERATURE, TS_EN
from rheobase.sim.chip import Chip
from rheobase.sim.cpu import Cpu
from rheobase.sim.errors import ChipReset
from rheobase.sim.kernel import Event
from rheobase.sim.modules.arguments import MASK, as_int, module
from rheobase.sim.modules.machine_pin import BOARD_PINS, CPU_PINS, Pin, Signal, named
from rheobase.sim.modules.machine_pwm import PWM

PWRON_RESET, WDT_RESET = 1, 3
_WDT_MAX_MS = 8388


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
    pins.board = named(pins, BOARD_PINS)
    pins.cpu = named(pins, CPU_PINS)
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
