"""`machine.PWM` of the rp2 port."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rheobase.sim import costs, gpio
from rheobase.sim.chip import Chip
from rheobase.sim.cpu import Cpu
from rheobase.sim.modules.arguments import as_int
from rheobase.sim.modules.machine_pin import Pin

_PWM_TOP_MAX = 65534


def _rounded(number: int, divisor: int) -> int:
    return (number + divisor // 2) // divisor


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
        return _rounded(16 * self._cpu.clock_hz, divisor)

    def _set_freq(self, freq: int) -> None:
        source = self._cpu.clock_hz
        if _rounded(source, freq) < _PWM_TOP_MAX:
            divider, top = 16, _rounded(source, freq) - 1
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
        return self._set_or_ask(value, self._set_u16, lambda: _rounded(
            self._compare() * 65535, self._slice.top + 1
        ))  # fmt: skip

    def _set_u16(self, duty: int) -> None:
        duty = min(duty, 65535)
        self._set_compare(_rounded(duty * (self._slice.top + 1), 65535))
        self._duty = ("u16", duty)

    def duty_ns(self, *value: int) -> Any:
        return self._set_or_ask(value, self._set_ns, lambda: _rounded(
            self._compare() * 1_000_000_000, self._hz_round(self._slice.divider)
        ))  # fmt: skip

    def _set_or_ask(
        self, value: tuple[int, ...], put: Callable[[int], None], ask: Callable[[], int]
    ) -> Any:
        self._cpu.touch(self._cpu.clocks(costs.PWM))
        if value:
            put(*map(as_int, value))
            self._start()
            return None
        if self._duty is None or self._slice.index not in self._freq_set:
            return 0
        return ask()

    def _set_ns(self, duty: int) -> None:
        hz = self._hz_round(self._slice.divider)
        compare = _rounded(duty * hz, 1_000_000_000)
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
