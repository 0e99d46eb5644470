"""The four configuration registers of a PIO state machine, by field (RP2040 datasheet, 3.7)."""

from __future__ import annotations

from rheobase.sim.errors import NotModelled

ALL_ONES = 0xFFFFFFFF
GPIO_MASK = 0x3FFFFFFF  # the RP2040 has 30 GPIOs; the two bits above don't exist

CLKDIV_RESET = 0x00010000
EXECCTRL_RESET = 0x0001F000
SHIFTCTRL_RESET = 0x000C0000
PINCTRL_RESET = 0x14000000

_INLINE_OUT_EN = 1 << 18
_OUT_STICKY = 1 << 17


def rotated(value: int, places: int) -> int:
    """Rotate 32 bits to the left, the way pins are counted from a base and wrap after 31."""
    return (value << places | value >> (32 - places)) & ALL_ONES


def pin_mask(base: int, count: int) -> int:
    """The GPIOs that a group of `count` pins from `base` on covers."""
    return rotated((1 << count) - 1, base) & GPIO_MASK


class MachineConfig:
    """What the registers of one state machine say. Assign whole registers, read fields."""

    __slots__ = ("clkdiv", "execctrl", "pinctrl", "shiftctrl")

    def __init__(self) -> None:
        self.clkdiv = CLKDIV_RESET
        self.execctrl = EXECCTRL_RESET
        self.shiftctrl = SHIFTCTRL_RESET
        self.pinctrl = PINCTRL_RESET

    def check(self) -> None:
        """Raise ValueError for what the datasheet rules out, NotModelled for what we lack."""
        if self.clkdiv >> 16 == 0 and self.clkdiv >> 8 & 255:
            raise ValueError("a clock divider of 65536 can't have a fraction")
        if self.sideset_count > 5 or self.set_count > 5 or self.out_count > 32:
            raise ValueError("PINCTRL 0x{:08x}: a pin count is too large".format(self.pinctrl))
        if self.execctrl & (_INLINE_OUT_EN | _OUT_STICKY):
            raise NotModelled("PIO: EXECCTRL's INLINE_OUT_EN and OUT_STICKY")

    @property
    def divisor(self) -> int:
        """System clocks between two cycles of the state machine, times 256."""
        return (self.clkdiv >> 16 or 65536) << 8 | self.clkdiv >> 8 & 255

    @property
    def status_uses_rx(self) -> bool:
        return bool(self.execctrl & 1 << 4)

    @property
    def status_level(self) -> int:
        return self.execctrl & 15

    @property
    def wrap_bottom(self) -> int:
        return self.execctrl >> 7 & 31

    @property
    def wrap_top(self) -> int:
        return self.execctrl >> 12 & 31

    @property
    def jmp_pin(self) -> int:
        return self.execctrl >> 24 & 31

    @property
    def side_pindir(self) -> bool:
        return bool(self.execctrl & 1 << 29)

    @property
    def side_en(self) -> bool:
        return bool(self.execctrl & 1 << 30)

    @property
    def autopush(self) -> bool:
        return bool(self.shiftctrl & 1 << 16)

    @property
    def autopull(self) -> bool:
        return bool(self.shiftctrl & 1 << 17)

    @property
    def in_right(self) -> bool:
        return bool(self.shiftctrl & 1 << 18)

    @property
    def out_right(self) -> bool:
        return bool(self.shiftctrl & 1 << 19)

    @property
    def push_threshold(self) -> int:
        return self.shiftctrl >> 20 & 31 or 32

    @property
    def pull_threshold(self) -> int:
        return self.shiftctrl >> 25 & 31 or 32

    @property
    def join(self) -> int:
        """FIFO join: bit 0 gives both halves to TX, bit 1 to RX; both bits leave none."""
        return self.shiftctrl >> 30

    @property
    def out_base(self) -> int:
        return self.pinctrl & 31

    @property
    def set_base(self) -> int:
        return self.pinctrl >> 5 & 31

    @property
    def sideset_base(self) -> int:
        return self.pinctrl >> 10 & 31

    @property
    def in_base(self) -> int:
        return self.pinctrl >> 15 & 31

    @property
    def out_count(self) -> int:
        return self.pinctrl >> 20 & 63

    @property
    def set_count(self) -> int:
        return self.pinctrl >> 26 & 7

    @property
    def sideset_count(self) -> int:
        """Bits of the delay/side-set field that are side-set, with the enable bit."""
        return self.pinctrl >> 29

    @property
    def output_pins(self) -> int:
        """Every GPIO that some instruction could write."""
        return (
            pin_mask(self.out_base, self.out_count)
            | pin_mask(self.set_base, self.set_count)
            | pin_mask(self.sideset_base, self.side_pins)
        )

    @property
    def side_pins(self) -> int:
        """How many pins a side-set writes."""
        return max(0, self.sideset_count - self.side_en)

    def after(self, address: int) -> int:
        """Where execution goes on after `address`."""
        return self.wrap_bottom if address == self.wrap_top else address + 1 & 31

    def side_and_delay(self, word: int) -> tuple[int | None, int]:
        """(side-set value or None, delay) of an instruction."""
        field = word >> 8 & 31
        bits = self.sideset_count
        delay = field & (1 << 5 - bits) - 1
        if not bits or (self.side_en and not field & 16):
            return None, delay
        return field >> 5 - bits & (1 << self.side_pins) - 1, delay
