"""pymeasure drives the firmware through VISA as a generic SCPI instrument, without a driver."""

import time

import pytest
from host_rig import behind_a_port
from pymeasure.instruments import Channel, Instrument, SCPIMixin
from pymeasure.instruments.validators import strict_discrete_set
from visa_rig import TERMS, address, quietly


class StimulationChannel(Channel):
    """What a user writes in a minute: properties made of SCPI headers."""

    width = Channel.control("SOUR{ch}:PULS:WIDT?", "SOUR{ch}:PULS:WIDT %g", "Phase width in s.")
    rate = Channel.control("SOUR{ch}:FREQ?", "SOUR{ch}:FREQ %g", "Pulses a second.")
    enabled = Channel.control(
        "SOUR{ch}:STAT?",
        "SOUR{ch}:STAT %d",
        "Takes part in the session.",
        validator=strict_discrete_set,
        values={True: 1, False: 0},
        map_values=True,
    )
    current = Channel.control("SOUR{ch}:CURR?", "SOUR{ch}:CURR %g", "Intensity in A.")
    pulses = Channel.measurement("MEAS{ch}:PULS?", "Pulses since the start.", cast=int)


class GenericStimulator(SCPIMixin, Instrument):
    channels = Instrument.MultiChannelCreator(StimulationChannel, (1, 2), prefix="ch_")
    duration = Instrument.control("SESS:DUR?", "SESS:DUR %g", "Session length in s.")
    state = Instrument.measurement("SESS:STAT?", "State.", cast=str)

    def __init__(self, adapter, name="stimulator", **kwargs):
        super().__init__(adapter, name, **kwargs)


@pytest.fixture(scope="module")
def board():
    with behind_a_port() as behind:
        yield behind


@pytest.fixture
def instrument(board):
    with quietly():
        opened = GenericStimulator(address(board), visa_library="@py", **TERMS)
    opened.clear()
    yield opened
    opened.write("ABOR")
    assert opened.complete == "1"
    opened.adapter.close()


def test_the_mixins_own_properties_work(instrument):
    assert instrument.id.startswith("Rheobase,")
    assert instrument.check_errors() == []
    assert instrument.complete == "1"
    assert isinstance(instrument.status, str) and int(instrument.status) >= 0


def test_settings_read_back_on_each_channel(instrument):
    instrument.reset()
    instrument.ch_1.width, instrument.ch_2.width = 250e-6, 400e-6
    instrument.ch_1.rate = 40
    instrument.ch_2.enabled = True
    assert (instrument.ch_1.width, instrument.ch_2.width) == (250e-6, 400e-6)
    assert instrument.ch_1.rate == 40
    assert (instrument.ch_1.enabled, instrument.ch_2.enabled) == (False, True)
    assert instrument.check_errors() == []


def test_a_refusal_is_in_its_error_list(instrument):
    instrument.ch_1.width = 2e-3
    ((code, text),) = instrument.check_errors()
    assert code == -222
    assert "2 ms above 1 ms" in text


def test_a_session_runs_to_the_electrodes_and_stops(instrument, board):
    instrument.reset()
    instrument.write("SOUR1:RAMP:UP 0;DOWN 0;:SOUR1:CYCL:ON 10;OFF 0")
    instrument.ch_1.enabled, instrument.ch_1.rate = True, 100
    instrument.duration = 60
    instrument.write("CHEC:ACKN 'D1';:SOUR1:PAD:AREA 9")
    assert instrument.complete == "1"
    instrument.write(f"ARM {instrument.ask('ARM:HASH?')}")
    assert instrument.complete == "1"
    instrument.write("OUTP ON")
    instrument.ch_1.current = 1e-3
    assert instrument.check_errors() == []
    assert instrument.state == "RUNNING"
    deadline = time.monotonic() + 10
    while instrument.ch_1.pulses < 30 and time.monotonic() < deadline:
        time.sleep(0.02)
    instrument.write("ABOR")
    assert instrument.state == "IDLE"
    delivered = [pulse.delivered_1_a for pulse in board.pulses()]
    assert len(delivered) >= 30
    assert max(delivered) == pytest.approx(1.02e-3, rel=1e-3)
    assert board.legs() == 0
