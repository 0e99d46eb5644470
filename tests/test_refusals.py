"""Bad input over the serial port: an error with the value and the limit, nothing changed, and the
next line works."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rig import Rig

from firmware.core.settings import CHANNEL, SESSION

REFUSED = [
    # line, error number, what the text must name
    ("SOUR1:PULS:WIDT 5ms", -222, ["5 ms", "1 ms"]),
    ("SOUR1:PULS:WIDT 19us", -222, ["19 us", "20 us"]),
    ("SOUR1:PULS:WIDT -1us", -222, ["-1 us", "20 us"]),
    ("SOUR1:PULS:WIDT 1e300", -222, ["1e300", "1 ms"]),
    ("SOUR2:FREQ 501", -222, ["501 Hz", "500 Hz"]),
    ("SOUR2:FREQ 0.4", -222, ["0.4 Hz", "0.5 Hz"]),
    ("SOUR1:REST:FREQ 0.2", -222, ["200", "500"]),
    ("SOUR1:BURS:COUN 51", -222, ["51", "50"]),
    ("SOUR1:CURR:LIM 121mA", -222, ["121 mA", "120 mA"]),
    ("SESS:DUR 5HR", -222, ["18 ks", "14.4 ks"]),
    ("SOUR1:PULS:WIDT 400V", -131, ["V"]),
    ("SOUR1:PULS:WIDT", -109, []),
    ("SOUR1:PULS:WIDT 400us,1", -108, []),
    ("SOUR1:PULS:WIDT four", -141, ["FOUR", "MINimum"]),
    ("SOUR1:PULS:WIDT 4..5", -121, []),
    ('SOUR1:PULS:WIDT "400us"', -158, ["400us"]),
    ("SOUR1:PULS:POL SIDEWAYS", -141, ["SIDEWAYS", "POSitive"]),
    ("SOUR3:PULS:WIDT 400us", -114, ["SOUR3", "1..2"]),
    ("SOUR1:PULS:WIDTHS 400us", -113, ["WIDTHS"]),
    ("NONSENSE", -113, ["NONSENSE"]),
    ("SESS:PATT", -109, []),
    ('PROG:LOAD "N99",1', -224, ["N99"]),
    ('PROG:LOAD "N01",3', -222, ["3", "2"]),
    ("OUTP ON", -221, ["IDLE"]),
    ("SESS:RES", -221, ["IDLE"]),
    ("SOUR1:CURR 1mA", -221, ["while a session runs"]),
    ("SOUR1:CURR 121mA", -222, ["121 mA"]),
    ("ARM", -109, []),
    ("ARM 'hash'", -221, ["checklist not acknowledged"]),
    ("FAUL:CLE", -221, ["no fault"]),
    ("MEAS1:PULS", -113, ["MEAS1:PULS"]),
    ("ABOR?", -113, ["ABOR"]),
    ("X" * 300, -363, []),
    ("SOUR1:\x01PULS", -101, ["1"]),
    ("SOUR1:PULS:WIDT 400us 5", -131, ["US 5"]),
]


@pytest.fixture(scope="module")
def rig():
    return Rig(keep=())


def everything(rig):
    """Every setting as it is read back."""
    lines = [f"SOUR{n}:{field[1]}?" for n in (1, 2) for field in CHANNEL]
    lines += [f"SESS:{field[1]}?" for field in SESSION]
    return [rig.ask(line) for line in lines]


@pytest.mark.parametrize(("line", "code", "named"), REFUSED, ids=[r[0][:24] for r in REFUSED])
def test_refused_line_changes_nothing_and_the_next_one_works(rig, line, code, named):
    before = everything(rig)
    assert rig.say(line) == ""
    error = rig.ask("SYST:ERR?")
    assert error.startswith(f"{code},"), error
    for text in named:
        assert text.lower() in error.lower(), error
    assert rig.ask("SYST:ERR?") == '0,"No error"', "one line, one error"
    assert everything(rig) == before
    rig.do("SOUR1:PULS:WIDT 400us")
    assert rig.ask("SOUR1:PULS:WIDT?") == "0.0004"
    rig.do("*RST")


UNFIT = [
    ("SOUR1:STAT ON;FREQ 500;PULS:WIDT 900us", "needed"),
    ("SOUR1:STAT ON;BURS:COUN 25;INT 400us;:SOUR1:PULS:WIDT 250us;GAP 2us", "interval"),
    ("SOUR1:STAT ON;CYCL:ON 20;:SESS:DUR 10", "does not fit"),
    ("SOUR1:STAT ON;:SOUR2:STAT ON;CYCL:ON 5;:SESS:PATT SIM", "differ in on_ms"),
    ("SOUR1:STAT ON;:SOUR2:STAT ON;:SESS:PATT OVER", "off time"),
    ("SOUR1:STAT ON;CYCL:OFF 1;:SOUR2:STAT ON;CYCL:OFF 1;:SESS:PATT ALT", "half a cycle"),
    ("SOUR1:STAT ON;REST:FREQ 4;:SOUR1:CYCL:OFF 0.5", "rest ramps"),
    ("SOUR1:STAT ON;:SESS:WARM:DUR 1", "ramps"),
]


@pytest.mark.parametrize(("lines", "named"), UNFIT, ids=[u[0][:30] for u in UNFIT])
def test_settings_that_do_not_fit_each_other_are_refused_when_armed(rig, lines, named):
    rig.do("*RST")
    rig.do(lines)
    error = rig.error(rig.arming())
    assert error.startswith("-221,")
    assert named in error
    assert rig.state == "IDLE"
    assert int(rig.ask("MEAS:SUPP?")) < 20
    rig.do("*RST")


def test_while_a_session_runs_only_live_settings_are_taken():
    rig = Rig(keep=())
    rig.do("SOUR1:STAT ON;:SESS:DUR 60")
    rig.start()
    before = everything(rig)
    for field in [*CHANNEL, *SESSION]:
        head = "SOUR1:" if field in CHANNEL else "SESS:"
        if not field[7]:
            line = rig.set(head, field, field[6])
            assert rig.error(line).startswith("-221,"), line
    assert everything(rig) == before
    rig.do("SOUR1:PULS:WIDT 200us;GAP 50us")
    assert "free between pulses" not in rig.ask("SYST:ERR?")
    assert rig.state == "RUNNING"


def test_any_change_disarms():
    rig = Rig(keep=())
    rig.do("SOUR1:STAT ON")
    rig.arm()
    assert rig.state == "ARMED"
    rig.do("SOUR2:PULS:WIDT 200us")
    assert rig.state == "IDLE"


def test_arm_lapses():
    rig = Rig(keep=())
    rig.do("SOUR1:STAT ON")
    rig.arm()
    rig.wait(59.5)
    assert rig.state == "ARMED"
    rig.wait(1)
    assert rig.state == "IDLE"
    assert int(rig.ask("MEAS:SUPP?")) < 20


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.lists(st.binary(max_size=40), min_size=1, max_size=8))
def test_noise_never_switches_anything_on(rig, chunks):
    for chunk in chunks:
        rig.board.usb.write(chunk.replace(b"\x03", b"").replace(b"\x04", b"") + b"\n")
        rig.wait(0.02)
    rig.board.usb.read()
    rig.say("*CLS")
    rig.board.usb.read()
    assert rig.outputs() == 0
    assert rig.ask("*IDN?").startswith("Rheobase,")


@pytest.mark.parametrize("field", [*CHANNEL, *SESSION], ids=lambda f: f[1])
def test_every_setting_reads_back_at_its_ends(rig, field):
    rig.do("*RST")
    head = "SOUR2:" if field in CHANNEL else "SESS:"
    for value in {field[4], field[5], field[6]}:
        rig.do(rig.set(head, field, value))
        answer = rig.ask(f"{head}{field[1]}?")
        rig.do("*RST")
        rig.do(f"{head}{field[1]} {answer}")
        assert rig.ask(f"{head}{field[1]}?") == answer
        if field[2] is not None and value:
            assert abs(float(answer) / (value * 10 ** field[2]) - 1) < 1e-12
