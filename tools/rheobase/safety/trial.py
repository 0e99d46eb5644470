"""One board for one trial: brought into a state, broken, measured at pins and electrodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from rheobase.sim.bench.bench import Bench
from rheobase.sim.bench.recorder import Phase, Recorder
from rheobase.sim.bench.wiring import Wiring
from rheobase.sim.board import VirtualBoard

CLOCK_HZ = 125_000_000
LEGS = 0b1111 << 2
GATE = 1 << 6
STATES = (
    "SELFTEST", "IDLE", "CHECKING", "ARMED", "RUNNING", "REST", "WAITING", "FADING", "PAUSED",
    "FAULT",
)  # fmt: skip
"""The firmware's states; REST is RUNNING in the off time between contractions."""
STEPS_MA = (4, 3)
_QUIET_A = 200e-6
"""Below this no charge flows: three steps of the sense ADC."""
_SPENT = 0.05
"""A phase with less of its commanded charge than this is the supply's last."""


class Measured(NamedTuple):
    """Milliseconds after the fault at which the last leg or GATE fell, and the last charge flowed.

    None: none was high, none flowed. state: the firmware's in the end, "" if it does not answer.
    """

    legs_ms: float | None
    charge_ms: float | None
    state: str
    fault: int


class Trial:
    """A powered board with both channels set up: 100 Hz, 300 us, 4 and 3 mA."""

    def __init__(
        self,
        currents_ma: tuple[int, int] = STEPS_MA,
        setup: Sequence[str] = (),
        **wiring: Any,
    ) -> None:
        from firmware.boards import pico_reference

        self.recorder = Recorder(("edges", "phases"))
        self.bench = Bench(Wiring.of(pico_reference, **wiring), self.recorder)
        self.board = VirtualBoard(bench=self.bench, raise_crashes=False)
        self.board.record_edges = False
        self._currents_ma = currents_ma
        self._setup = setup
        self.since: int | None = None
        """The clock of the fault, if it is not that of its injection."""

    # Talking

    def say(self, line: str, wait_s: float = 0.015) -> str:
        self.board.usb.write(line.encode() + b"\n")
        self.board.run_for(wait_s)
        said = self.board.usb.read()
        while said and not said.endswith(b"\n"):
            self.board.run_for(0.005)
            said += self.board.usb.read()
        return said.decode().strip()

    def state(self) -> str:
        for _ in range(20):
            answer = self.say("SESS:STAT?")
            if answer:
                return answer.splitlines()[-1]
        return ""

    def settle(self, *while_in: str) -> None:
        for _ in range(300):
            if self.state() not in (while_in or ("BOOT", "SELFTEST", "CHECKING")):
                return
            self.board.run_for(0.01)

    @property
    def app(self) -> Any:
        """The firmware's App, for what can be broken only inside it."""
        return self.board.names["app"]

    # Into a state

    def to(self, state: str) -> None:
        """Power on and go where the fault is to strike."""
        self.board.start()
        if state == "SELFTEST":
            self.board.run_for(0.1)
            return
        self.bench.try_stop()
        self.board.run_for(0.1)
        self.settle()
        on = "CYCL:ON 0.4;OFF 5" if state == "REST" else "CYCL:ON INF"
        for number in (1, 2):
            self.say(
                f"SOUR{number}:STAT ON;FREQ 100;PULS:WIDT 300us;:SOUR{number}:{on};"
                f":SOUR{number}:RAMP:UP 0;DOWN 0;:SOUR{number}:PAD:AREA 25"
            )
        self.say("SESS:DUR 600;PATT SIM;STAN ON")
        for line in self._setup:
            self.say(line)
        if state == "WAITING":
            self.say("SESS:TRIG:SOUR BUTT;TIM 0.5;WAIT 60")
        if state == "IDLE":
            return
        self.say('CHEC:ACKN "D1"')
        self.say(f"ARM {self.say('ARM:HASH?')}", 0.02)
        if state == "CHECKING":
            self.board.run_for(0.1)
            return
        self.settle("CHECKING")
        if state == "ARMED":
            return
        self.say("OUTP ON")
        for step in range(1, max(self._currents_ma) + 1):
            parts = [
                f"SOUR{n}:CURR {step} mA"
                for n, most in enumerate(self._currents_ma, 1)
                if step <= most
            ]
            self.say(";:".join(parts))
            self.board.run_for(0.488)
        if state == "REST":
            while self.legs_high_since(self.board.now - self.board.clocks(0.3)):
                self.board.run_for(0.1)
        elif state == "FADING":
            self.say("SESS:STOP", 0.3)
        elif state == "PAUSED":
            self.say("SESS:PAUS")
            self.settle("RUNNING", "FADING")
        elif state == "FAULT":
            self.bench.force_trip(self.board.now + 100)
            self.board.run_for(0.3)

    def reaches(self, state: str) -> bool:
        """Whether it is there (a trial that is not proves nothing)."""
        return self.state() == {"REST": "RUNNING"}.get(state, state)

    # Measuring

    def legs_high_since(self, clock: int) -> bool:
        """Whether a leg or GATE was high at or after a clock."""
        return self._last_high(clock) is not None

    def _last_high(self, clock: int) -> int | None:
        """When the last of legs and GATE fell, if one was high at `clock` or later."""
        record = self.recorder
        last = None
        high = bool(record.levels_at(clock) & (LEGS | GATE))
        for at, levels in zip(
            reversed(record.edge_clocks), reversed(record.edge_levels), strict=True
        ):
            if levels & (LEGS | GATE):
                return last if last is not None else self.board.now
            if at < clock:
                break
            last = at
        return last if high else None

    def measure(self, began: int, watch_s: float) -> Measured:
        """Let the time pass in which it has to end, and look back."""
        charge = None
        end = began + self.board.clocks(watch_s)
        step = self.board.clocks(5e-3)
        while self.board.now < end:
            self.board.run_until(min(end, self.board.now + step))
            for number in (1, 2):
                if self.bench.channel(number).sign and (
                    abs(self.bench.current_a(number)) > _QUIET_A
                ):
                    charge = self.board.now
        self.bench.settle()
        since = self.since if self.since is not None else began
        for number in (1, 2):
            for phase in self.recorder.phases(number):
                if phase.end > since and not _spent(phase):
                    charge = max(charge or 0, phase.end)
        fell = self._last_high(since)
        self.board.usb.read()
        if self.board.held:
            app = None  # what it last thought is of no use
        else:
            app = self.board.names.get("app") if self.board.powered else None
        stimulator = app.stimulator if app is not None else None
        return Measured(
            None if fell is None else (fell - since) / CLOCK_HZ * 1e3,
            None if charge is None else max(0.0, (charge - since) / CLOCK_HZ * 1e3),
            stimulator.state_name() if stimulator else "BOOT" if self.board.powered else "off",
            stimulator.fault.number if stimulator else 0,
        )


def _spent(phase: Phase) -> bool:
    """Whether the supply had next to nothing left for this phase."""
    commanded_c = phase.commanded_a * (phase.end - phase.on) / phase.clock_hz
    return abs(phase.charge_c) <= _SPENT * commanded_c
