"""*LRN?: all settings as the commands that restore them."""

from host_rig import Host
from hypothesis import given
from hypothesis import strategies as st
from rig import Rig
from strategies import any_settings, examples

from firmware.core.settings import CHANNEL, SESSION
from rheobase.client import StimulatorError

_rigs = []


def everything(rig):
    """Every setting, asked one by one."""
    headers = [f"SOUR{n}:{f[1]}?" for n in (1, 2) for f in CHANNEL]
    return [rig.ask(header) for header in headers + [f"SESS:{f[1]}?" for f in SESSION]]


@examples(4)
@given(any_settings(CHANNEL), any_settings(CHANNEL), any_settings(SESSION), st.integers(0, 200))
def test_what_is_learnt_restores_every_setting(one, two, session, cut):
    if not _rigs:
        _rigs.append(Rig(()))
    rig = _rigs[0]
    rig.do("*RST")
    rig.configure(session, one, two)
    before = everything(rig)
    learnt = rig.say("*LRN?", 0.2)
    rig.do("*RST")
    line = ""
    for unit in learnt.split(";"):
        if line and len(line) + len(unit) > 40 + cut:
            rig.do(line)
            line = ""
        line = f"{line};{unit}" if line else unit
    rig.do(line)
    assert everything(rig) == before
    assert rig.say("*LRN?", 0.2) == learnt


def test_intensities_are_not_among_it():
    rig = Rig(())
    learnt = rig.say("*LRN?", 0.2)
    assert ":SOUR1:CURR:LIM 0.03" in learnt and ":CURR " not in learnt


def test_it_is_refused_while_the_output_is_on():
    rig = Rig(())
    rig.do("SOUR1:STAT ON;:SOUR1:CYCL:ON INF")
    rig.start()
    assert "-221" in rig.error("*LRN?")


def test_the_client_learns_and_restores():
    host = Host(keep=())
    stimulator = host.stimulator
    stimulator.channel(1).configure(width_us=123, rate_hz=44, polarity="alternate")
    stimulator.session.configure(duration_s=77, standalone=True)
    lines = stimulator.learn()
    assert all(len(line) <= 242 for line in lines)
    stimulator.reset()
    stimulator.restore(lines)
    assert stimulator.channel(1).read("width_us", "rate_hz", "polarity") == {
        "width_us": 123, "rate_hz": 44, "polarity": "alternate",
    }  # fmt: skip
    assert stimulator.session.read("duration_s", "standalone") == {
        "duration_s": 77, "standalone": True,
    }  # fmt: skip
    assert stimulator.learn() == lines
    try:
        stimulator.restore([*lines, ":SOUR1:PULS:WIDT 5us"])
    except StimulatorError as refusal:
        assert "5 us below 20 us" in refusal.text
    else:
        raise AssertionError("a bad line was accepted")
