"""Where the bench is soldered to, and the values of its parts."""

from __future__ import annotations

from dataclasses import dataclass, fields

_BOARD_NAMES = {
    "trip": "TRIP",
    "stop_button": "STOP_BUTTON",
    "foot_switch": "FOOT_SWITCH",
    "latch_clear": "LATCH_CLEAR",
    "trip_test": "TRIP_TEST",
    "amplitude": "AMPLITUDE",
    "supply_enable": "SUPPLY_ENABLE",
    "led": "LED",
    "sense": "SENSE",
    "supply_sense": "SUPPLY_SENSE",
    "monitor_select": "MONITOR_SELECT",
}


_NOISE_V = 0.8e-3  # one step of a 12-bit ADC; without any an ADC has a bias of up to one step


@dataclass(frozen=True)
class Wiring:
    """The reference board's output stage; every value can be another one.

    Pins are GPIO numbers. Values are project choices for the reference design unless a source is
    named; SI units except where a name says otherwise.
    """

    legs: tuple[tuple[int, int], tuple[int, int]] = ((2, 3), (4, 5))
    """Plus and minus leg of channel 1, then of channel 2."""
    gate: int = 6
    sync: int = 7
    trip: int = 10
    stop_button: int = 11
    foot_switch: int = 12
    latch_clear: int = 13
    trip_test: int = 14
    """High makes the comparators trip, whatever the current."""
    amplitude: tuple[int, int] = (16, 17)
    supply_enable: int = 18
    led: int = 25
    sense: tuple[int, int] = (26, 27)
    supply_sense: int = 28
    monitor_select: tuple[int, int] = (19, 20)
    """Address of the multiplexer before `supply_sense`: 0 supply, 1 output voltage, 2 the same
    with the low divider, 3 ground."""

    full_scale_a: float = 2047 * 60e-6
    """Sink current at 100 % PWM duty: with 2047 clocks a period one level is 60 uA."""
    filter_tau_s: float = 100e-6
    """Each of the two equal poles between PWM and sink; ten of them settle to 0.05 %."""

    supply_v: float = 200.0
    supply_rise_s: float = 20e-3
    supply_fall_s: float = 20e-3
    """Bleeder: 200 V to 5 V in 74 ms, inside the 100 ms of SR-01."""
    supply_hold_s: float = 100e-3
    """One-shot: every edge of the heartbeat keeps the supply on for this long (SR-29)."""
    supply_divider: float = 80.0
    """200 V reads 2.5 V."""

    driver_dead_ns: int = 200
    """A leg that rises conducts this much later; one that falls stops at once."""
    bridge_ohm: float = 10.0
    """Switches, sense resistor and sink at its limit: what the supply sees besides electrodes."""
    blocking_f: float | None = 10e-6
    """Capacitor in series with each electrode pair, None for a wire: no d.c. on a stuck leg."""
    discharge_ohm: float | None = 10e3
    """Across the output, switched in while GATE is low and no leg conducts; None for nothing."""

    sense_zero_v: float = 1.65
    sense_v_per_a: float = 10.0
    """Signed electrode current around mid-rail, 10 mV/mA: +-156 mA reads 0.09 to 3.21 V."""
    sense_noise_v: float = 0.0
    """r.m.s., white: amplifier and ADC together."""
    output_divider: float = 80.0
    output_low_divider: float = 2.0
    """Of the voltage across the output that conducts; limited to `adc_full_v`."""
    adc_full_v: float = 3.3

    comparator_a: float = 156e-3
    """130 % of 120 mA (SR-22)."""
    comparator_delay_ns: int = 100
    """From the cause to the trip line high."""
    latch_cuts_power: bool = True
    """A set latch also disables drivers and supply in hardware, without the trip line."""
    pull_downs: bool = True
    """External resistors pull the six output pins down."""

    @classmethod
    def of(cls, board: object, **values: object) -> Wiring:
        """The wiring a board file (`firmware/boards/*.py`) describes; `values` replace defaults.

        Raises AttributeError if the board lacks one of the pins, TypeError for an unknown value.
        """
        base: int = board.LEGS_BASE  # type: ignore[attr-defined]
        levels: int = board.PWM_TOP + 1  # type: ignore[attr-defined]
        given: dict[str, object] = {
            "legs": ((base, base + 1), (base + 2, base + 3)),
            "gate": base + 4,
            "sync": base + 5,
            "full_scale_a": levels * board.LEVEL_UA * 1e-6,  # type: ignore[attr-defined]
            "sense_noise_v": _NOISE_V,
        }
        for field in fields(cls):
            name = _BOARD_NAMES.get(field.name)
            if name is not None and field.name not in given:
                given[field.name] = getattr(board, name)
        return cls(**{**given, **values})  # type: ignore[arg-type]

    @property
    def six(self) -> tuple[int, ...]:
        """The pins of a tape word."""
        return (*self.legs[0], *self.legs[1], self.gate, self.sync)

    @property
    def outputs(self) -> int:
        """Mask of the pins that the board listens to or that show in a record."""
        driven = (*self.six, self.latch_clear, self.trip_test, self.supply_enable, self.led)
        return sum(1 << pin for pin in (*driven, *self.monitor_select))

    @property
    def inputs(self) -> int:
        """Mask of the pins that the board drives."""
        return 1 << self.trip | 1 << self.stop_button | 1 << self.foot_switch


def clocks_of(nanoseconds: float, clock_hz: int) -> int:
    """The first whole clock not before this time."""
    scaled = round(nanoseconds) * clock_hz
    return -(-scaled // 1_000_000_000)
