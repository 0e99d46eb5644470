"""No sequence of commands leads to current without arming, above a limit, after a stop, or from a
non-zero start: anything of the whole command set in any order, judged at the electrodes.

`make nightly` tries 10 000 sequences.
"""

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from judge import CLOCKS_PER_S, Judge
from rig import Rig
from strategies import NIGHTLY, any_value

from firmware.core.settings import CHANNEL, SESSION
from firmware.remote.commands import ROWS
from scpi.instrument import STANDARD
from scpi.listing import rows
from scpi.table import Table

SEQUENCES = 10_000 if NIGHTLY else 40
STEPS = 14
STOP_S = 0.02  # a line or a byte: a turn of the loop, with room for its bytes
FADE_S = 1.1  # SESS:STOP, SESS:PAUS: a second at most, and what is queued already
TRIP_CLOCKS = 20  # the board's latch takes 13, the state machine 6
ON = ("RUNNING", "FADING")
BUSY = "SOUR1:STAT ON;FREQ 100;PULS:WIDT 300us;:SOUR1:RAMP:UP 0;DOWN 0;:SOUR1:CYCL:ON INF"
# These change how errors are told, or who may speak at all; they have tests of their own.
ELSEWHERE = ("SYSTem:PROMpt", "SYSTem:CHECked", "SYSTem:KEY:NEW", "SYSTem:ERRor[:NEXT]")


def headers():
    """Every header of the tree that isn't a setting, one way to write it."""
    found = []
    for table in (Table(STANDARD, None), Table(ROWS, None)):
        for header, can_set, can_ask in rows(table):
            if header.lstrip(":") in ELSEWHERE:
                continue
            plain = header.replace("[1|2]", "1").replace("[", "").replace("]", "").lstrip(":")
            if can_set:
                found.append(plain)
            if can_ask:
                found.append(plain + "?")
    return sorted(found)


ARGUMENTS = ["", "", "", "0", "1", "2", "-1", "ON", "OFF", "1mA", "500uA", "5mA", "9E9", "MIN",
             "MAX", "DEF", '"N01",1', '"D35",2', '"x"', "1,1,1"]
anything = st.builds(
    lambda header, argument: f"{header} {argument}".strip(),
    st.sampled_from(headers()), st.sampled_from(ARGUMENTS),
)


@st.composite
def settings_lines(draw):
    """A setting anywhere in its range, as a line."""
    table, head = draw(st.sampled_from([(CHANNEL, "SOUR1:"), (CHANNEL, "SOUR2:"),
                                        (SESSION, "SESS:")]))
    field = draw(st.sampled_from(list(table)))
    return Rig.set(None, head, field, draw(any_value(field)))


_rigs = []


def rig_and_judge():
    """One board for all sequences: booting is what takes long. A failed one is not used again."""
    if not _rigs:
        judge = Judge()
        _rigs.append((Rig((), judge.phase, on_edge=judge.edge), judge))
    return _rigs[0]


class Sequences(RuleBasedStateMachine):
    """`armed` and `live` are what the lines so far allow; the firmware is held to that."""

    def __init__(self):
        super().__init__()
        self.rig, self.judge = rig_and_judge()
        self.armed = False  # ARM was accepted, and nothing changed since
        self.live = False  # a start was accepted, and no end since
        self.state = self.rig.state
        assert self.state == "IDLE"

    # -- lines

    def line(self, text):
        """Type a line that may be refused; holds the state that follows against what may be."""
        starts = any(word in text for word in ("OUTP", "SESS:STAR", "SESSion:STAR", ":RES"))
        if starts and (self.armed or self.live):
            self.judge.may_start(self.rig.board.now)
        error = self.rig.refusal(text)
        if error and "Undefined" not in error:
            hypothesis.event("refused: " + error.split(",")[0])
        self.after(text, starts)

    def after(self, text, starts=False):
        before, self.state = self.state, self.rig.state
        if self.state in ("BOOT", "SELFTEST", "CHECKING"):
            self.rig.settle()
            self.state = self.rig.state
        if self.state in ON and before not in ON:
            assert starts and (self.armed or self.live), f"{text}: {before} to {self.state}"
            self.live, self.armed = True, False
        elif self.state == "ARMED":
            assert before == "ARMED" or "ARM" in text, f"{text}: {before} to {self.state}"
            self.armed = True
        elif self.state == "PAUSED":
            assert self.live, f"{text}: {before} to PAUSED"
            self.armed = False
        else:
            self.armed = self.armed and self.state in ON
            self.live = self.live and self.state in ON
        if self.state not in ON:
            self.judge.must_stop(self.rig.board.now)

    @rule(text=st.one_of(anything, settings_lines()))
    def any_line(self, text):
        self.line(text)

    @rule(text=settings_lines())
    def setting(self, text):
        self.line(text)

    @rule()
    def configure(self):
        self.line(BUSY)

    @rule(standalone=st.booleans())
    def arm(self, standalone):
        """The whole way that arming asks for."""
        if self.state not in (*ON, "PAUSED"):
            self.judge.may_start(self.rig.board.now)  # the check of the electrodes, up to 1 mA
        try:
            self.rig.arm(standalone)
        except AssertionError:
            pass
        self.after("ARM")

    @rule()
    def begin(self):
        """The usual way to current, so that most sequences have some."""
        for text in ("*RST", BUSY):
            self.line(text)
        self.arm(True)
        self.line("OUTP ON")
        self.line("CURR:LOCK OFF")
        self.line("SOUR1:CURR 1mA")

    @rule(text=st.sampled_from(["OUTP ON", "SESS:STAR", "SESS:RES", "SESS:PAUS", "SESS:STOP"]))
    def session(self, text):
        if self.state in ON and text in ("SESS:PAUS", "SESS:STOP"):
            self.line(text)
            self.judge.must_stop(self.rig.board.now + round(FADE_S * CLOCKS_PER_S))
            self.wait(FADE_S + 0.05)
        else:
            self.line(text)

    @rule(channel=st.sampled_from([1, 2]), milliamperes=st.sampled_from(
        [0, 0.5, 1, 1, 2, 2, 3, 4, 10, 30, 120, -1]))
    def current(self, channel, milliamperes):
        self.line(f"SOUR{channel}:CURR {milliamperes} mA")

    @precondition(lambda self: self.state in ON)
    @rule()
    def climb(self):
        self.line("CURR:LOCK OFF")
        for milliamperes in (1, 2, 3):
            self.line(f"SOUR1:CURR {milliamperes} mA")
            self.wait(0.45)

    # -- stops

    @rule(text=st.sampled_from(["!", "SOUR1:CURR 1mA!", "ABOR\n", "OUTP OFF\n", "*RST\n"]))
    def stop(self, text):
        self.judge.must_stop(self.rig.board.now + round(STOP_S * CLOCKS_PER_S))
        self.rig.board.usb.write(text.encode())
        self.rig.wait(0.05)
        self.rig.say("")
        self.after("stop")
        assert self.state in ("IDLE", "FAULT", "SELFTEST")

    @rule(milliseconds=st.integers(0, 60))
    def press_the_button(self, milliseconds):
        self.rig.wait(milliseconds / 1000)
        self.judge.must_stop(self.rig.board.now + TRIP_CLOCKS)
        self.rig.bench.press_stop()
        self.rig.wait(0.05)
        self.rig.bench.release_stop()
        self.rig.wait(0.4)
        self.after("button")

    @rule()
    def reset(self):
        self.judge.must_stop(self.rig.board.now)
        self.rig.board.reset()
        self.rig.wait(1.0)
        self.rig.board.usb.read()
        self.rig.bench.try_stop()
        self.rig.wait(0.1)
        self.after("reset")
        assert self.state in ("IDLE", "FAULT")

    @rule()
    def interrupt(self):
        self.judge.must_stop(self.rig.board.now + round(STOP_S * CLOCKS_PER_S))
        self.rig.board.usb.write(b"\x03")
        self.rig.wait(0.05)
        self.reset()

    @rule(seconds=st.sampled_from([0.05, 0.3, 0.6, 2.2]))
    def wait(self, seconds):
        self.rig.wait(seconds)
        self.after("silence")

    @rule()
    def clear_the_fault(self):
        self.line("FAUL:CLE")

    # -- what holds throughout

    @invariant()
    def nothing_at_the_electrodes_that_must_not_be(self):
        self.judge.look(self.rig.recorder)

    def teardown(self):
        try:
            self.judge.must_stop(self.rig.board.now + round(STOP_S * CLOCKS_PER_S))
            self.rig.say("!", 0.3)
            self.rig.say("*RST;*CLS", 0.05)
            if self.rig.state == "FAULT":
                self.rig.say("FAUL:CLE", 0.05)
            if self.rig.state != "IDLE":  # a critical fault
                self.rig.board.power_off()
                self.rig.wait(0.1)
                self.rig.board.start()
                self.rig.bench.try_stop()
                self.rig.wait(0.1)
                self.rig.settle()
            self.judge.look(self.rig.recorder)
        except BaseException:
            _rigs.clear()
            raise


def test_any_sequence_of_lines():
    settings = hypothesis.settings(
        max_examples=SEQUENCES,
        stateful_step_count=STEPS,
        deadline=None,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    run_state_machine_as_test(Sequences, settings=settings)
    assert _rigs[0][1].currents > 50, "too little current to have shown anything"
