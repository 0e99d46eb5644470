"""The RP2040: its parts, how they hang together, and what a reset does to them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from rheobase.sim import bus as at
from rheobase.sim.adc import Adc
from rheobase.sim.bus import Bus
from rheobase.sim.bus_pio import PioRegisters
from rheobase.sim.cpu import Cpu
from rheobase.sim.dma import DREQ_ADC, Dma
from rheobase.sim.flash import Flash
from rheobase.sim.gpio import PINS, Gpio, IoBank, PadsBank, Sio
from rheobase.sim.gpio import PWM as PWM_FUNCTION
from rheobase.sim.kernel import Kernel
from rheobase.sim.memory import ADDRESS_MASK, Memory
from rheobase.sim.pio import PioBlock, StateMachineModel
from rheobase.sim.pwm import Pwm
from rheobase.sim.timer import Timer
from rheobase.sim.usb import UsbSerial
from rheobase.sim.watchdog import Watchdog

UNIQUE_ID = bytes.fromhex("e660583883724b2f")
PIO_BLOCKS = 2
_HAD_POR, _HAD_RUN = 1 << 8, 1 << 16


class Bench(Protocol):
    """What is wired to the chip: see `rheobase.sim.bench`."""

    watched: int

    def connect(self, chip: Chip) -> None: ...

    def reset(self, clock: int) -> None: ...

    def pins_changed(self, clock: int, levels: int, changed: int) -> None: ...

    def pwm_changed(self, clock: int, pin: int, high: int, top_plus_1: int) -> None: ...

    def adc_volts(self, clock: int, pin: int) -> float: ...


class NoBench:
    """Nothing is wired to the pins, and the ADC inputs are at ground."""

    watched = 0

    def connect(self, chip: Chip) -> None:
        pass

    def reset(self, clock: int) -> None:
        pass

    def pins_changed(self, clock: int, levels: int, changed: int) -> None:
        pass

    def pwm_changed(self, clock: int, pin: int, high: int, top_plus_1: int) -> None:
        pass

    def adc_volts(self, clock: int, pin: int) -> float:
        return 0.0


class Chip:
    """The hardware. `cpu` is the run of the firmware that gets its interrupts, if there is one."""

    def __init__(self, kernel: Kernel, clock_hz: int, flash: Flash, bench: Bench) -> None:
        self.kernel = kernel
        self.clock_hz = clock_hz
        self.flash = flash
        self.bench = bench
        self.unique_id = UNIQUE_ID
        self.cpu: Cpu | None = None
        self.bootsel = False
        self.on_reset: Callable[[], None] = lambda: None

        self.gpio = Gpio(kernel)
        self.gpio.bench = bench
        self.gpio.on_interrupt = partial(self.interrupt, "gpio")
        self.gpio.on_pwm = self._pwm_selected
        self.pwm = Pwm(kernel, self._duty_changed)
        self.adc = Adc(kernel, clock_hz, bench.adc_volts)
        self.timer = Timer(clock_hz)
        self.watchdog = Watchdog(kernel, clock_hz, self._watchdog_bites)
        self.usb = UsbSerial(kernel, clock_hz)
        self.memory = Memory()
        self.bus = Bus(self.memory)
        self.dma = Dma(kernel, self.bus)
        self.dma.on_interrupt = partial(self.interrupt, "dma")
        self.pio = [self._pio(index) for index in range(PIO_BLOCKS)]
        self.dma.ready[DREQ_ADC] = self.adc.dreq
        self.adc.on_dreq = partial(self.dma.request, DREQ_ADC)
        self._map()
        bench.connect(self)

    def _pio(self, index: int) -> PioRegisters:
        block = PioBlock(index, self.kernel, self.gpio)
        registers = PioRegisters(block, self.kernel)
        registers.on_interrupt = partial(self.interrupt, f"pio{index}")
        request = self.dma.request
        first = 8 * index
        block.on_tx_space = lambda machine, clock: request(first + machine, clock)
        block.on_rx_data = lambda machine, clock: request(first + 4 + machine, clock)
        for machine in block.machines:
            tx, rx = first + machine.index, first + 4 + machine.index
            self.dma.ready[tx] = partial(_has_room, machine)
            self.dma.ready[rx] = partial(_has_data, machine)
            self.dma.direct_writes[registers.tx_address(machine.index)] = machine.tx_put
            self.dma.direct_reads[registers.rx_address(machine.index)] = machine.rx_get
        return registers

    def _map(self) -> None:
        attach = self.bus.attach
        attach(at.RESETS, Resets(self))
        attach(at.IO_BANK0, IoBank(self.gpio))
        attach(at.PADS_BANK0, PadsBank(self.gpio))
        attach(at.ADC, self.adc)
        attach(at.PWM, self.pwm)
        attach(at.TIMER, self.timer)
        attach(at.WATCHDOG, self.watchdog)
        self.reset_cause = ResetCause()
        attach(at.VREG_AND_CHIP_RESET, self.reset_cause)
        attach(at.DMA, self.dma)
        attach(at.PIO0, self.pio[0])
        attach(at.PIO1, self.pio[1])
        attach(at.SIO, Sio(self.gpio))
        for one in self.pwm.slices:
            self.dma.direct_writes[at.PWM + one.cc_offset] = one.set_cc

    # --- what the bench sees ---

    def drive(self, pin: int, level: int | None) -> None:
        """An external driver on this input pin, from `kernel.now` on; None: not driven."""
        self.gpio.drive(pin, level)

    def _duty_changed(self, clock: int, index: int, channel: int, high: int, total: int) -> None:
        for pin in range(2 * index + channel, PINS, 16):
            self.gpio.pwm_level(pin, high >= total, clock)
            if self.gpio.function(pin) == PWM_FUNCTION:
                self.bench.pwm_changed(clock, pin, high, total)

    def _pwm_selected(self, clock: int, pin: int, selected: bool) -> None:
        """A pin gets or loses its PWM output: tell what is on it now."""
        if selected:
            one, channel = self.pwm.of_pin(pin)
            self.bench.pwm_changed(clock, pin, *one.duty(channel))
        else:
            self.bench.pwm_changed(clock, pin, self.gpio.levels >> pin & 1, 1)

    # --- interrupts and resets ---

    def interrupt(self, line: str) -> None:
        if self.cpu is not None:
            self.cpu.interrupt(line)

    def address_of(self, target: Any, write: bool = False) -> int:
        """The 32-bit address of a buffer, a state machine's FIFO, or a number that is one."""
        if isinstance(target, int):
            return target & ADDRESS_MASK
        own = getattr(target, "_bus_address", None)
        if own is not None:
            return own(write)
        return self.memory.address_of(target)

    def new_heap(self) -> None:
        """The firmware starts with an empty heap; buffers of the last one are gone."""
        self.memory.clear()

    def reset_part(self, name: str, clock: int) -> None:
        """Reset one peripheral, as the RESETS block does."""
        if name == "adc":
            self.adc.reset()
        elif name == "dma":
            self.dma.reset()
        elif name in ("io_bank0", "pads_bank0"):
            self.gpio.reset(clock)
        elif name in ("pio0", "pio1"):
            self.pio[int(name[3])].reset(clock)
        elif name == "pwm":
            self.pwm.reset(clock)

    def reset(self, reason: int) -> None:
        """Reset everything but the watchdog's scratch registers; `reason` is what it keeps."""
        clock = self.kernel.now
        self.dma.reset()
        self.gpio.reset(clock)
        for block in self.pio:
            block.reset(clock)
        self.pwm.reset(clock)
        self.adc.reset()
        self.timer.reset(clock)
        self.watchdog.reset(reason)
        self.usb.reset()
        self.bench.reset(clock)
        if self.cpu is not None:
            self.cpu.kill()
            self.cpu = None
        self.on_reset()

    def _watchdog_bites(self) -> None:
        self.reset(self.watchdog.reason)


def _has_room(machine: StateMachineModel) -> bool:
    return len(machine.tx) < machine.tx_depth


def _has_data(machine: StateMachineModel) -> bool:
    return bool(machine.rx)


class Resets:
    """RESETS on the bus: firmware may put a peripheral back to its power-on state."""

    _PARTS = {
        0: "adc", 2: "dma", 5: "io_bank0", 8: "pads_bank0", 10: "pio0", 11: "pio1", 14: "pwm",
    }  # fmt: skip

    def __init__(self, chip: Chip) -> None:
        self._chip = chip
        self._held = 0
        self._select = 0

    def read(self, offset: int, clock: int) -> int:
        return (self._held, self._select, ~self._held & 0x01FFFFFF)[min(offset >> 2, 2)]

    def write(self, offset: int, value: int, clock: int) -> None:
        if offset == 4:
            self._select = value
        elif offset == 0:
            for bit, name in self._PARTS.items():
                if value >> bit & 1 and not self._held >> bit & 1:
                    self._chip.reset_part(name, clock)
            self._held = value & 0x01FFFFFF


class ResetCause:
    """VREG_AND_CHIP_RESET on the bus: whether power-up or the RUN pin reset it last."""

    def __init__(self) -> None:
        self.by_run_pin = False

    def read(self, offset: int, clock: int) -> int:
        if offset != 8:
            return 0
        return _HAD_RUN if self.by_run_pin else _HAD_POR

    def write(self, offset: int, value: int, clock: int) -> None:
        pass
