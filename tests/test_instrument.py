"""The test instrument: the simulated nerve's truth is found again from its yes and no."""

import json
from math import exp, log
from random import Random

import click
import pytest
from cli_rig import ask, at_every_port
from host_rig import Host
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.core.refused import Refused
from firmware.remote import fit
from rheobase.client import StimulatorError
from rheobase.instrument import curve, random_nerves, tests
from rheobase.instrument.curve import Point, text_of
from rheobase.instrument.subject import NerveSubject
from rheobase.instrument.threshold import Threshold
from rheobase.sim import program
from rheobase.sim.bench.nerve import FUNCTIONAL, LAPICQUE, MOTOR, SENSORY, WEISS, Nerve
from rheobase.sim_port import approve

LAWS = {WEISS: fit.weiss, LAPICQUE: fit.lapicque}
rheobases = st.floats(1, 15)
chronaxies = st.floats(100, 700)


# -- the nerve ------------------------------------------------------------------------------------


@pytest.mark.parametrize("law", LAWS)
def test_the_chronaxie_is_the_width_with_twice_the_rheobase(law):
    nerve = Nerve(3.2, 300, law)
    assert nerve.threshold_ma(300) == pytest.approx(6.4)
    assert nerve.threshold_ma(1e6) == pytest.approx(3.2, rel=1e-3)
    assert nerve.threshold_ma(300, SENSORY) < 6.4 < nerve.threshold_ma(300, FUNCTIONAL)


def test_half_of_the_pulses_at_threshold_excite_and_the_spread_is_its_noise():
    nerve = Nerve(3.2, 300)
    answers = {}
    for part in (0.95, 1.0, 1.05):
        yes = 0
        for _ in range(2000):
            nerve.excite(300, 6.4 * part)
            yes += nerve.responds()
        answers[part] = yes / 2000
    assert answers[0.95] == pytest.approx(0.153, abs=0.03)  # one spread below
    assert answers[1.0] == pytest.approx(0.5, abs=0.04)
    assert answers[1.05] == pytest.approx(0.836, abs=0.03)


def test_a_nerve_of_words():
    assert Nerve.of("3.2mA, 300us").chronaxie_us == 300
    with pytest.raises(ValueError, match="3.2mA,300us"):
        Nerve.of("3.2")


# -- the fit on the device ------------------------------------------------------------------------


@given(rheobase=rheobases, chronaxie=chronaxies, law=st.sampled_from(list(LAWS)))
@settings(max_examples=30)
def test_a_curve_without_noise_is_fitted_exactly(rheobase, chronaxie, law):
    nerve = Nerve(rheobase, chronaxie, law)
    points = [Point(w, nerve.threshold_ma(w) * 1e3, 0.02, 9) for w in curve.WIDTHS_US]
    found_b, found_c, residual = LAWS[law](fit.parse(text_of(points)))
    assert found_b / 1e3 == pytest.approx(rheobase, rel=2e-3)  # thresholds are whole uA
    assert found_c == pytest.approx(chronaxie, rel=3e-3)
    assert residual < 1e-3
    other = LAPICQUE if law == WEISS else WEISS
    assert LAWS[other](fit.parse(text_of(points)))[2] > residual


@pytest.mark.parametrize(("text", "words"), [
    ("100,2000,10000;200,1500,10000", "2 points"),
    ("100,2000,10000;200,15x0,1;300,1,1", "200,15x0,1 is not"),
    ("100,2000;200,1500,1;300,1,1", "100,2000 is not"),
    ("0,2000,1;200,1500,1;300,1,1", "0,2000,1 is not"),
    ("", " is not"),
    ("100,2000,1;100,1500,1;100,1400,1", "all points at 100 us"),
    ("100,100,9;200,300,9;1000,900,9", "no rising line"),
])  # fmt: skip
def test_what_is_no_curve_is_refused_with_the_reason(text, words):
    with pytest.raises(Refused, match=words):
        fit.answer(text)


# -- the procedure --------------------------------------------------------------------------------


@given(threshold_ua=st.integers(600, 100_000), seed=st.integers(0, 1000))
@settings(max_examples=15)
def test_a_threshold_is_found_within_its_error(threshold_ua, seed):
    random = Random(seed)
    found = Threshold()
    trials = [curve.find(300, 480, 120_000, found), curve.refine(300, 120_000, found, 40)]
    for part in trials:
        try:
            current_ua = next(part)[1]
            while True:
                current_ua = part.send(
                    current_ua * exp(random.gauss(0, 0.05)) > threshold_ua
                )[1]
        except StopIteration:
            pass
    estimate, error = found.estimate
    assert error < 0.02
    assert abs(log(estimate / threshold_ua)) < 5 * error


def test_the_way_up_is_never_steeper_than_two_steps_a_second():
    """Pulses come once a second, SR-07 allows 1 mA twice a second."""
    current_ua = 60
    while current_ua < 120_000:
        above_ua = curve.up_from(current_ua)
        assert current_ua < above_ua <= current_ua + 2_000
        current_ua = above_ua


@given(
    rheobase=rheobases, chronaxie=chronaxies, law=st.sampled_from(list(LAWS)),
    seed=st.integers(0, 10_000),
)  # fmt: skip
@settings(max_examples=15)
def test_rheobase_and_chronaxie_of_any_nerve_lie_within_their_errors(
    rheobase, chronaxie, law, seed
):
    nerve = Nerve(rheobase, chronaxie, law, seed=seed)
    points = random_nerves.measure(nerve)
    found_b, found_c, _ = LAWS[law](fit.parse(text_of(points)))
    error_b, error_c = curve.errors(points, chronaxie, law)
    assert abs(log(found_b / 1e3 / rheobase)) < 5 * error_b
    assert abs(log(found_c / chronaxie)) < 5 * error_c


@pytest.mark.parametrize("law", LAWS)
def test_all_of_many_random_nerves_are_recovered_within_5_per_cent(law, capsys):
    """With 5 % of noise in every answer. docs/instrument.md has the figures of thousands."""
    assert random_nerves.main(["25", law, "7"]) == 0
    said = capsys.readouterr().out
    assert f"25 nerves, {law}, seed 7: 25 with both within 5%" in said
    assert "of them missed: 0" in said


def test_more_certainty_takes_more_questions_and_a_stop_tells_what_is_not_certain():
    taken = {}
    for precision in (0.10, 0.05, 0.03):
        trials = curve.curve(tests.library_fits, 120_000, precision=precision)
        points = random_nerves.answered(trials, Nerve(4, 250))
        sure = curve.certainty(points, tests.library_fits(points))
        assert max(one.worst for one in sure) <= precision
        taken[precision] = sum(point.answers for point in points)
    assert taken[0.10] < taken[0.05] < taken[0.03]
    few = curve.curve(tests.library_fits, 120_000, precision=0.03, most_pulses=200)
    points = random_nerves.answered(few, Nerve(4, 250))
    assert sum(point.answers for point in points) == 200
    assert max(one.worst for one in curve.certainty(points, tests.library_fits(points))) > 0.03


def test_the_errors_told_are_those_that_repeated_fits_have():
    """Standard errors of a fit against the spread of fits to a thousand noisy curves."""
    random = Random(4)
    for law, by_law in LAWS.items():
        nerve = Nerve(5, 300, law)
        found = []
        for _ in range(1000):
            points = [
                Point(w, nerve.threshold_ma(w) * 1e3 * exp(random.gauss(0, 0.01 + w * 2e-5)),
                      0.01 + w * 2e-5, 9)
                for w in curve.WIDTHS_US
            ]  # fmt: skip
            b, c, _ = by_law([(w, t, e * 1e6) for w, t, e, _ in points])
            found.append((log(b / 5e3), log(c / 300)))
        told = curve.errors(points, 300, law)
        for values, error in zip(zip(*found, strict=True), told, strict=True):
            rms = (sum(value * value for value in values) / 1000) ** 0.5
            assert rms == pytest.approx(error, rel=0.08)


def test_a_width_just_out_of_reach_is_not_asked_again_and_again():
    """Its threshold at 50 us, 127 mA, is above the ceiling, yet was answered by a lucky yes."""
    found = random_nerves.judge(Nerve(10.064117, 578.57557, seed=50083))
    assert found.certain
    assert found.good
    assert found.pulses < 1000


def test_an_answer_at_the_ceiling_tells_less_the_further_the_threshold_is_above():
    at = [curve.told(threshold, 0.05, 100_000) for threshold in (50e3, 100e3, 105e3, 110e3, 400e3)]
    assert at[0] == at[1] == pytest.approx(0.5 / 0.05**2)
    assert at[1] > at[2] > at[3] > at[4] >= 0


@pytest.mark.parametrize("law", LAWS)
def test_the_law_that_a_curve_follows_is_among_those_that_may_be_and_the_other_is_left_out(law):
    alone = 0
    for seed in range(8):
        points = random_nerves.measure(Nerve(2 + seed, 150 + 50 * seed, law, seed=seed))
        laws = [one.law for one in curve.certainty(points, tests.library_fits(points))]
        assert law in laws
        alone += laws == [law]
    assert alone >= 2


# -- the whole, at the electrodes -----------------------------------------------------------------


@pytest.fixture
def at_a_nerve():
    """Builds a stimulator with a nerve under channel 1, and its subject."""

    def build(nerve):
        host = Host(keep=("phases",))
        nerve.listen(host.bench.recorder)
        approve(host.stimulator)
        return host, NerveSubject(nerve, host.port)

    return build


def quiet(_):
    pass


def test_x02_finds_the_three_thresholds_and_stores_two(at_a_nerve):
    nerve = Nerve(2.0, 200, seed=3)
    host, subject = at_a_nerve(nerve)
    with host.stimulator as stimulator:
        marks = tests.thresholds(stimulator, 1, subject, report=quiet)
        assert [mark.name for mark in marks] == [SENSORY, MOTOR, FUNCTIONAL]
        for mark in marks:
            truth_ma = nerve.threshold_ma(400, mark.name)
            assert mark.current_ma == pytest.approx(truth_ma, rel=5 * mark.error)
            assert mark.error < 0.04
        for mark in marks[:2]:
            stored = stimulator.line.query(f'SYST:CONF? "{mark.name}_ua_1"', tests.NUMBER)
            assert int(stored) == round(mark.current_ma * 1e3)
        assert stimulator.state == "IDLE"


def test_x03_on_the_stimulator_finds_the_nerve_and_fits_by_itself(at_a_nerve):
    nerve = Nerve(1.5, 250, seed=5)
    host, subject = at_a_nerve(nerve)
    with host.stimulator as stimulator:
        found = tests.strength_duration(
            stimulator, 1, subject, widths_us=(1000, 300, 100), precision=0.15, report=quiet
        )
        points = [tuple(p) for p in found.points]
        with pytest.raises(StimulatorError, match="2 points"):
            stimulator.line.query('TEST:FIT? "1,1,1;2,2,2"', tests.NUMBER)
    assert not found.doubts
    assert found.as_dict()["certain"]
    assert found.weiss.rheobase_ma == pytest.approx(1.5, rel=0.1)
    assert found.weiss.chronaxie_us == pytest.approx(250, rel=0.1)
    weiss = fit.weiss([(w, round(t), round(e * 1e6)) for w, t, e, _ in points])
    assert found.weiss.rheobase_ma == pytest.approx(weiss[0] / 1e3, abs=1e-3)
    assert found.weiss.residual == pytest.approx(weiss[2], abs=1e-4)
    # what the electrodes saw: never more than 1 mA up from pulse to pulse and twice a second
    plus = [p for p in host.bench.recorder.phases(1) if p.polarity > 0 and p.width > 50 * 125]
    for one, two in zip(plus, plus[1:], strict=False):
        steps = 1 + (two.start - one.start) / two.clock_hz / 0.5
        assert two.commanded_a - one.commanded_a <= steps * 1.001e-3
    # a longer width never comes with the current of a shorter one
    assert max(p.mean_a * p.width for p in plus) < 1.5 * 1.5e-3 * (1000 + 250) * 125


def test_a_threshold_out_of_reach_is_said_and_the_output_is_off(at_a_nerve):
    host, subject = at_a_nerve(Nerve(15, 700))
    with host.stimulator as stimulator:
        with pytest.raises(curve.OutOfReach, match="up to 3 mA at 1000 us"):
            tests.strength_duration(stimulator, 1, subject, most_ma=3, report=quiet)
        assert stimulator.state == "IDLE"


def test_x01_finds_the_spot_next_to_the_motor_point(at_a_nerve):
    nerve = Nerve(1.5, 150, seed=2)
    host, subject = at_a_nerve(nerve)
    currents = []

    def place(spot):
        currents.append(host.bench.current_a(1))
        nerve.distance_mm = abs(float(spot) - 12)

    with host.stimulator as stimulator:
        spots = tests.motor_point(
            stimulator, 1, subject, ["0", "10", "30"], place, answers=4, report=quiet
        )
    assert [spot.name for spot in spots] == ["10", "0", "30"]
    assert max(abs(current) for current in currents) < 1e-6
    assert spots[0].current_ma == pytest.approx(1.5 * (1 + 150 / 250) * 1.01, rel=0.12)


def test_x04_measures_the_fatigue_that_the_muscle_has(at_a_nerve):
    nerve = Nerve(1.0, 150, tiring=2e-3)
    host, _ = at_a_nerve(nerve)
    with host.stimulator as stimulator:
        found = tests.fatigue(
            stimulator, 1, 5, lambda: nerve.force(host.port.monotonic()), duration_s=15,
            report=quiet,
        )  # fmt: skip
    assert len(found.peaks) == 15
    # ten contractions of 13 pulses lie between the first five and the last
    assert found.index == pytest.approx((1 - 2e-3) ** 130, rel=0.05)


# -- intensity as a multiple of a threshold ----------------------------------------------------


def test_the_intensity_is_a_multiple_of_the_stored_threshold_by_all_rules():
    host = Host(keep=("phases",))
    with host.stimulator as stimulator:
        tests.store_thresholds(stimulator, 1, {"motor": 2.4, "sensory": 1.2})
        assert stimulator.channel(1).thresholds_ma == pytest.approx({"motor": 2.4, "sensory": 1.2})
        host.start(rate_hz=50)
        with pytest.raises(StimulatorError, match="step of 3600 uA above 1000 uA"):
            stimulator.line.set("SOUR1:CURR:MULT 1.5")
        stimulator.line.set("SOUR1:CURR:MULT 0.5,SENS")
        host.port.sleep(0.6)
        assert stimulator.channel(1).current_ma == pytest.approx(0.6)
        for _ in stimulator.raise_to(1, 1.5):
            pass
        host.port.sleep(0.3)
        assert stimulator.channel(1).current_ma == pytest.approx(3.6)
        assert list(host.bench.recorder.phases(1))[-1].commanded_a == pytest.approx(3.6e-3)
        stimulator.line.set("SOUR1:CURR:MULT 1")  # down at once
        with pytest.raises(StimulatorError, match="not in state RUNNING"):
            stimulator.line.query('TEST:FIT? "1,1,1;2,2,2;3,3,3"', tests._SIX)
        with pytest.raises(StimulatorError, match="above 30"):
            stimulator.raise_to(1, 13)
        for line, words in (
            ("SOUR1:CURR:MULT 21", "above"), ("SOUR1:CURR:MULT -1", "below"),
            ("SOUR2:CURR:MULT 1", "no motor threshold of channel 2 is stored"),
            ("SOUR1:CURR:MULT 1,FUNC", "MOTor"),
        ):  # fmt: skip
            with pytest.raises(StimulatorError, match=words):
                stimulator.line.set(line)
        with pytest.raises(StimulatorError, match="no sensory threshold of channel 2"):
            stimulator.raise_to(2, 1.5, "sensory")


# -- the command line -----------------------------------------------------------------------


def test_x03_by_the_command_line_draws_and_writes_what_it_found(tmp_path):
    result = ask(
        "test", "x03", "--port", "sim", "--nerve", "1.2mA,200us", "--precision", "5",
        "--most-pulses", "70",
        "--width", "1000", "--width", "300", "--width", "100",
        "-o", tmp_path / "x.json", "--picture", tmp_path / "x.png",
    )  # fmt: skip
    assert result.code == 0, result.text
    found = json.loads((tmp_path / "x.json").read_text())
    assert found["Weiss"]["rheobase_ma"] == pytest.approx(1.2, rel=0.15)
    assert found["pulses"] == 70
    assert not found["certain"]
    assert f"not certain enough: {', '.join(found['doubts'])} (99 %)" in result.text
    assert any("chronaxie +-" in doubt for doubt in found["doubts"])
    assert f"chronaxie {found['Weiss']['chronaxie_us']:.0f} us" in result.text
    assert (tmp_path / "x.png").stat().st_size > 10_000


@pytest.mark.parametrize(("arguments", "words"), [
    (("x02", "--port", "sim", "--nerve", "rheobase"), "not like 3.2mA,300us"),
    (("x02", "--port", "/dev/null"), "--pad and --checklist"),
    (("x04", "--port", "sim", "-c", "99"), "above 30 mA"),
])  # fmt: skip
def test_what_the_command_line_cannot_do_it_says_in_one_line(arguments, words):
    result = ask("test", *arguments)
    assert result.code != 0
    assert words in result.text
    assert "Traceback" not in result.text


def test_a_person_at_a_board_answers_at_the_keyboard(monkeypatch):
    host = Host(keep=())
    at_every_port(monkeypatch, host)
    nerve = Nerve(1.0, 100)
    nerve.listen(host.bench.recorder)
    asked = []

    def key():
        asked.append(1)
        kind = (SENSORY, MOTOR, FUNCTIONAL)[len(marks())]
        return "y" if nerve.responds(kind) else "n"

    said = []
    monkeypatch.setattr(click, "getchar", key)
    monkeypatch.setattr(click, "echo", lambda text="", **_: said.append(str(text)))

    def marks():
        return [line for line in said if "threshold" in line]

    ask("test", "x02", "--port", "here", "--pad", "9", "--checklist", "D1", "--answers", "3")
    assert len(marks()) == 3
    assert len(asked) > 12


def test_nothing_of_the_instrument_stays_on_the_device(monkeypatch):
    loaders = []

    class Loader(program.Loader):
        def __init__(self, *values):
            super().__init__(*values)
            loaders.append(self)

        def _load(self, name, path):
            imported.append(name)
            return super()._load(name, path)

    imported = []
    monkeypatch.setattr(program, "Loader", Loader)
    host = Host(keep=())
    host.stimulator.line.query('TEST:FIT? "100,3000,9;200,2000,9;500,1400,9"', tests._SIX)
    assert "firmware.remote.fit" in imported
    host.start()  # until then it may be lent for its next use
    assert not [name for name in loaders[-1].modules if "instrument.fit" in name]
