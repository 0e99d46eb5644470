"""The client's fault log, black box, configuration and measured output, at the virtual board."""

from datetime import UTC, datetime

import pytest
from host_rig import Host

from firmware.safety.config import fields
from rheobase.client import State, StimulatorError
from rheobase.client.fault_log import record_of

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.fixture
def host():
    return Host()


def play(host, current_ma=2):
    host.start(rate_hz=50, width_us=200)
    list(host.stimulator.raise_current(1, current_ma))
    host.port.sleep(1.2)


# -- measured -----------------------------------------------------------------------------------


def test_measured_is_what_flowed_at_the_electrode(host):
    play(host)
    one = host.stimulator.channel(1).measured
    last = host.pulses()[-3]  # whole, and measured
    assert one.current_ma[0] == pytest.approx(last.delivered_1_a * 1e3, abs=0.1)
    assert one.current_ma[1] == pytest.approx(-last.delivered_2_a * 1e3, abs=0.1)
    assert one.charge_uc[0] == pytest.approx(last.charge_1_c * 1e6, abs=0.02)
    whole_uc = sum(abs(p.charge_1_c) + abs(p.charge_2_c) for p in host.pulses()) * 1e6
    assert one.charge_session_uc == pytest.approx(whole_uc, rel=0.1)
    assert one.rms_ma == pytest.approx(2.0 * (2 * 200e-6 * 50) ** 0.5, rel=0.1)
    assert one.mean_ma == pytest.approx(2.0 * 2 * 200e-6 * 50, rel=0.1)
    assert abs(one.net_pulse_uc) < 0.02 and abs(one.dc_ua) < 1
    assert one.net_second_uc == pytest.approx(one.dc_ua, abs=0.2)  # a few pulses later
    assert 0 < one.unsure_uc < 10 and abs(one.net_session_uc) <= one.unsure_uc
    assert 500 < one.impedance_ohm < 2500
    assert len(host.pulses()) - one.pulses in range(10)
    silent = host.stimulator.channel(2).measured
    assert silent.pulses == 0 and silent.current_ma == (0, 0) and silent.rms_ma == 0


def test_a_look_asks_one_thing_a_line(host, monkeypatch):
    """A board executes a line in one go; while it plays it must get back to its tape."""
    said = []
    write = host.port.write
    monkeypatch.setattr(host.port, "write", lambda data: (said.append(data), write(data))[1])
    _ = host.stimulator.progress, host.stimulator.channel(1).measured
    assert len(said) >= 15 and all(data.count(b"?") == 1 for data in said)


# -- the fault log and the black box ------------------------------------------------------------


def test_a_fault_is_read_back_with_the_pulses_before_it(host):
    stimulator = host.stimulator
    stimulator.set_clock(NOON.timestamp())
    begun = len(stimulator.log)
    play(host)
    pulses = host.pulses()[:]
    host.bench.press_stop()
    host.port.sleep(1.0)
    assert stimulator.state == State.FAULT
    assert len(stimulator.log) == begun + 1 and stimulator.log.damaged == 0
    record = stimulator.log[0]
    assert record.fault == stimulator.fault.number and record.reason in stimulator.fault.text
    assert record.severity == "stop" and record.state == "RUNNING"
    assert 0 < (record.time - NOON).total_seconds() < 60
    assert record.channels[0].commanded_ma == 2 and record.channels[0].width_us == 200
    assert record.channels[0].rate_hz == 50 and record.channels[1].commanded_ma == 0
    assert record == next(iter(stimulator.log))
    box = stimulator.log.box(record.number)
    assert box == stimulator.log.box()
    assert box.record == record.number and len(box.pulses) == min(64, len(pulses))
    for told, played in zip(box.pulses[:20], reversed(pulses[-22:]), strict=False):
        assert (told.channel, told.width_us) == (1, 200)
        assert told.commanded_ma == pytest.approx(played.commanded_a * 1e3, abs=0.001)
        assert told.delivered_ma[0] == pytest.approx(told.commanded_ma, abs=0.15)
    steps = [a.uptime_ms - b.uptime_ms for a, b in zip(box.pulses, box.pulses[1:], strict=False)]
    assert sum(steps) / len(steps) == pytest.approx(20, abs=1)
    assert any(event.kind == "state" and event.what == "RUNNING" for event in box.events)


def test_there_is_no_such_record_or_box(host):
    with pytest.raises(IndexError, match="record 1000"):
        host.stimulator.log[1000]
    with pytest.raises(StimulatorError, match="no black box") as caught:
        host.stimulator.log.box(9999)
    assert caught.value.code == -224


def test_a_record_s_text_may_have_commas_and_what_was_not_measured_is_none():
    record = record_of(
        '7,3,12.345,0,11,stop,2,"current off, its command","a ""b"", c",RUNNING,-1,'
        '1000,-1,200000,35000,-1,2000,1980,300000,50500,640,"power-up",00ab12cd'
    )
    assert (record.number, record.boot, record.uptime_s, record.time) == (7, 3, 12.345, None)
    assert (record.reason, record.detail) == ("current off, its command", 'a "b", c')
    assert record.supply_v is None
    assert record.channels[0] == (1.0, None, 200.0, 35.0, None)
    assert record.channels[1] == (2.0, 1.98, 300.0, 50.5, 640)
    assert (record.reset_cause, record.firmware_crc) == ("power-up", "00ab12cd")


def test_the_log_is_read_only_with_the_output_off(host):
    host.start()
    with pytest.raises(StimulatorError, match="only with the output off"):
        list(host.stimulator.log)
    assert host.stimulator.state == State.RUNNING


# -- the configuration --------------------------------------------------------------------------


def test_every_field_is_read(host):
    values = host.stimulator.configuration.read()
    assert values == {field[0]: field[3] for field in fields()}
    assert host.stimulator.configuration["pad_mm2_1"] == 900
    assert host.stimulator.configuration.schema == 1
    assert host.stimulator.configuration.trouble == ""


def test_a_change_is_in_force_and_outlives_a_power_cut(host):
    configuration = host.stimulator.configuration
    configuration.change(motor_ua_1=12_000, sensory_ua_1=7_000)
    assert host.stimulator.channel(1).thresholds_ma == {"motor": 12.0, "sensory": 7.0}
    host.board.reset()
    host.port.sleep(2)
    host.stimulator.line.synchronise()
    assert configuration["motor_ua_1"] == 12_000


@pytest.mark.parametrize(
    ("values", "words"),
    (
        ({"motor_ua_1": 5_000, "motor_ua_2": 120_001}, "motor_ua_2 120001 above 120000"),
        ({"motor_ua_1": 5_000, "nothing": 1}, "no field nothing"),
        ({"motor_ua_1": 5_000, "person_ua_1": 20_000}, "needs the clinician's key"),
        ({"motor_ua_1": 5_000, "link_fade_ms": 2_000, "link_end_ms": 2_000}, "not above"),
    ),
)
def test_all_or_nothing_is_changed(host, values, words):
    configuration = host.stimulator.configuration
    before = configuration.read()
    with pytest.raises(StimulatorError, match=words):
        configuration.change(values)
    assert configuration.read() == before
    configuration.change(pad_mm2_1=1_000)
    assert configuration.read() == {**before, "pad_mm2_1": 1_000}


def test_a_change_takes_nothing_along_that_somebody_left_behind(host):
    host.stimulator.line.set('SYST:CONF:SET "motor_ua_2 = 9000"')
    host.stimulator.configuration.change(motor_ua_1=8_000)
    assert host.stimulator.configuration["motor_ua_2"] == 0


def test_what_is_the_clinician_s_needs_the_key(host):
    configuration = host.stimulator.configuration
    configuration.set_key("open sesame")
    configuration.lock()
    with pytest.raises(StimulatorError, match="wrong key, 4 left"), configuration.unlocked("no"):
        raise AssertionError("it is open")
    with configuration.unlocked("open sesame"):
        configuration.change(person_ua_1=20_000)
        host.stimulator.log.clear()
    assert len(host.stimulator.log) == 1  # that it was cleared
    with pytest.raises(StimulatorError, match="needs the clinician's key"):
        configuration.restore()
    with configuration.unlocked("open sesame"):
        configuration.restore()
    assert configuration["person_ua_1"] == 30_000


@pytest.mark.parametrize("key", ("stop!", "zwei\nZeilen", "schlüssel"))
def test_a_key_that_no_line_can_carry_is_not_sent(host, key):
    with pytest.raises(ValueError):
        host.stimulator.configuration.set_key(key)
    assert host.stimulator.errors == []


@pytest.mark.parametrize("value", (1.5, True, "12"))
def test_a_field_is_a_whole_number(host, value):
    with pytest.raises(TypeError, match="motor_ua_1: a whole number"):
        host.stimulator.configuration.change(motor_ua_1=value)
