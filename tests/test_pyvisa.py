"""PyVISA with its own backend talks to the firmware as to any bench instrument."""

import time

import pytest
import pyvisa
from host_rig import behind_a_port
from visa_rig import TERMS, address, quietly


@pytest.fixture(scope="module")
def board():
    with behind_a_port() as behind:
        yield behind


@pytest.fixture
def instrument(board):
    with quietly():
        manager = pyvisa.ResourceManager("@py")
        opened = manager.open_resource(address(board), **TERMS)
    yield opened
    opened.write("ABOR")
    opened.query("*OPC?")
    opened.close()
    manager.close()


def error(instrument):
    code, text = instrument.query("SYST:ERR?").split(",", 1)
    return int(code), text.strip('"')


def test_identifies_itself(instrument):
    assert instrument.query("*IDN?").startswith("Rheobase,")
    assert instrument.query("SYST:VERS?") == "1999.0"


def test_sets_and_reads_back(instrument):
    instrument.write("SOUR1:PULS:WIDT 250us;GAP 80 us;:SOUR1:FREQ 40")
    assert instrument.query_ascii_values("SOUR1:PULS:WIDT?;GAP?;:SOUR1:FREQ?", separator=";") == [
        0.00025,
        0.00008,
        40.0,
    ]
    assert error(instrument) == (0, "No error")


def test_a_refusal_names_value_and_limit(instrument):
    instrument.write("SOUR1:PULS:WIDT 2ms")
    code, text = error(instrument)
    assert code == -222
    assert "2 ms above 1 ms" in text
    assert instrument.query("SOUR1:PULS:WIDT?") != "0.002"


def arm(instrument):
    instrument.write("CHEC:ACKN 'D1';:SOUR1:PAD:AREA 9;:SOUR2:PAD:AREA 9")
    assert instrument.query("*OPC?") == "1"  # it waits for the self-test
    instrument.write(f"ARM {instrument.query('ARM:HASH?')}")
    assert instrument.query("*OPC?") == "1"  # it waits for the supply
    assert instrument.query("ARM?") == instrument.query("ARM:HASH?")


def test_arms_runs_and_stops(instrument, board):
    instrument.write("*RST")
    instrument.write("SOUR1:STAT ON;RAMP:UP 0;DOWN 0;:SOUR1:CYCL:ON 10;OFF 0;:SOUR1:FREQ 100")
    instrument.write("SESS:DUR 60")
    arm(instrument)
    instrument.write("OUTP ON")
    instrument.write("SOUR1:CURR 1mA")
    assert error(instrument) == (0, "No error")
    assert instrument.query("SESS:STAT?") == "RUNNING"
    deadline = time.monotonic() + 10
    while int(instrument.query("MEAS1:PULS?")) < 30 and time.monotonic() < deadline:
        time.sleep(0.02)
    instrument.write("SESS:STOP")
    assert instrument.query("*OPC?") == "1"  # it waits for the fade
    assert instrument.query("SESS:STAT?") == "IDLE"
    delivered = [pulse.delivered_1_a for pulse in board.pulses()]
    assert len(delivered) >= 30
    assert max(delivered) == pytest.approx(1.02e-3, rel=1e-3)
    assert board.legs() == 0


def test_the_stop_byte_needs_no_line(instrument, board):
    instrument.write("SOUR1:STAT ON")
    arm(instrument)
    instrument.write("OUTP ON")
    assert instrument.query("OUTP?") == "1"
    instrument.write_raw(b"!")
    assert instrument.query("SESS:STAT?") == "IDLE"
    assert board.legs() == 0
