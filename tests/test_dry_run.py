"""What a dry run says, against hand calculation; and what it says would be refused."""

import pytest
from click.testing import CliRunner

from rheobase.cli import main
from rheobase.dry_run import dry_run
from rheobase.programs.library import text


def test_the_figures_of_n01_by_hand():
    """333 levels of 60 uA; 50 Hz, 2 x 400 us; 15 contractions of 13 s; pads of 25 cm2."""
    report = dry_run(text("N01"), (20, 20), (25, 25))
    assert report.refused == [] and report.played and report.mode == "NMES"
    assert report.contractions == (15, 15)
    amps = 333 * 60e-6
    for c in report.channels:
        assert c.pulses == 15 * 650
        assert c.charge_uc == pytest.approx(amps * 400, rel=1e-9)
        assert c.rms_ma == pytest.approx(amps * (50 * 800e-6) ** 0.5 * 1e3, rel=1e-9)
        assert c.mean_ma == pytest.approx(amps * 50 * 800e-6 * 1e3, rel=1e-9)
        assert c.density_ma_cm2 == pytest.approx(c.rms_ma / 25, rel=1e-9)
        assert c.power_mw_cm2 == pytest.approx(amps**2 * 0.04 * 500 * 1e3 / 25, rel=1e-9)
        assert c.energy_uj == pytest.approx(amps**2 * 500 * 800, rel=1e-9)
        assert c.net_uc == 0 and c.moved == 0
        # 13 contractions of 10 s and two thirds of 3 s of ramps squared, and the way up
        assert 14 * 11 * amps**2 * 0.04 * 500 < c.session_j < 15 * 11.1 * amps**2 * 0.04 * 500


def test_current_above_the_ceiling_is_named():
    report = dry_run(text("N01"), (90, 20), seconds=5)
    assert report.refused == ["channel 1: 90 mA above 84.292 mA (density on the pad)"]


def test_one_channel_and_its_collisions():
    alone = dry_run(text("T01"), (10, 10), channel=2, seconds=10)
    assert [c.number for c in alone.channels] == [2] and alone.channels[0].moved == 0
    both = dry_run(text("T01"), (10, 10), seconds=10)
    assert both.channels[1].moved == both.channels[1].pulses  # both at 80 Hz, independent
    assert both.channels[1].moved_most_us == pytest.approx(2 * 180 + 100 + 2, abs=0.1)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("rate 50 Hz", "rate 50", "text: line 12: "),
        ("off 50 s", "off 500 ms", "load: class strength: channel 1: rest of 500 ms"),
        ("length 15 min", "length 1 s", "arm: channel 1: a contraction of 13000 ms does not fit"),
        ("class: strength", "class: magic", "load: class magic"),
    ],
)
def test_what_would_be_refused_and_why(old, new, words):
    report = dry_run(text("N01").replace(old, new), (5, 5), seconds=1)
    assert any(reason.startswith(words) for reason in report.refused), report.refused


def test_a_triggered_program_is_shown_at_its_current():
    report = dry_run(text("N25"), (20, None))
    assert report.refused == [] and report.channels[0].reached_ma == pytest.approx(20, abs=0.03)


def test_the_command(tmp_path):
    run = CliRunner().invoke
    picture = tmp_path / "out.png"
    done = run(main, ["dry-run", "N15", "-c", "5", "--seconds", "8", "--plot", str(picture)])
    assert done.exit_code == 0, done.output
    assert "nothing would be refused" in done.output and picture.stat().st_size > 10_000
    own = tmp_path / "own.txt"
    own.write_text(text("N15").replace("program N15", "program own"))
    done = run(main, ["dry-run", str(own), "-c", "70", "--seconds", "1", "--person", "99"])
    assert done.exit_code == 1 and "70 mA above 60 mA (CURRent:LIMit)" in done.output
    done = run(main, ["dry-run", str(own), "-c", "31", "--seconds", "1"])
    assert done.exit_code == 1 and "31 mA above 30 mA (the person's ceiling)" in done.output
    done = run(main, ["dry-run", "nothing"])
    assert done.exit_code == 1 and "no program nothing" in done.output
