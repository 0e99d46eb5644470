"""Reading a record: legs, phases, pulses, drawn current, and the files made of them."""

import csv
import io
import shutil
import subprocess
from fractions import Fraction
from math import isclose

import pytest
from bench_chip import CLOCK_HZ, MS, US, FakeChip, Player, pulse
from hypothesis import given, settings
from hypothesis import strategies as st

from rheobase.recording import (
    Pairing,
    PulseTable,
    current_points,
    legs,
    phases,
    pulses,
    stream,
    write_csv,
    write_vcd,
)
from rheobase.recording.times import microseconds_text, seconds_text
from rheobase.sim.bench import LOADS, Bench, Load, Phase, Recorder


def run(*steps, levels=(500, 700), loads=("nominal", "good"), recorder=None, clock_hz=CLOCK_HZ,
        after=20 * MS):
    """A record of these pulses, which begin a millisecond after everything has settled."""
    electrodes = tuple(LOADS[load] if isinstance(load, str) else load for load in loads)
    chip = FakeChip(Bench(recorder=recorder or Recorder(), electrodes=electrodes), clock_hz)
    chip.ready(*levels)
    begin = chip.kernel.now + 1 * MS
    player = Player(chip, [(begin + clock, pins) for group in steps for clock, pins in group])
    last = player.steps[0][0]
    chip.kernel.advance_to(last + after)
    chip.bench.settle()
    return chip.bench.recorder, begin


TWO = (
    pulse(1, 0, 250 * US, 100 * US),
    pulse(2, 1 * MS, 200 * US, 50 * US, polarity=-1),
    pulse(1, 10 * MS, 250 * US, 100 * US, polarity=-1, width_2=250 * US + 1),
)


# Legs, phases, pulses


def test_legs_come_from_the_edges_alone():
    record, begin = run(*TWO)
    found = [(leg.polarity, leg.start - begin, leg.width) for leg in legs(record, 1)]
    assert found == [
        (1, 0, 250 * US),
        (-1, 350 * US, 250 * US),
        (-1, 10 * MS, 250 * US),
        (1, 10 * MS + 350 * US, 250 * US + 1),
    ]
    assert [leg.polarity for leg in legs(record, 2)] == [-1, 1]


def test_a_leg_still_high_ends_with_the_record():
    record, begin = run([(0, 16), (10, 17)], after=1000)
    (leg,) = legs(record, 1)
    assert (leg.start, leg.end) == (begin + 10, begin + 1010)
    assert phases(record, 1) == []


def test_pulses_are_pairs_of_phases():
    record, begin = run(*TWO)
    first, other, last = pulses(record)
    assert (first.channel, first.first, first.start) == (1, 1, begin)
    assert (first.width_1, first.gap, first.width_2) == (250 * US, 100 * US, 250 * US)
    assert first.end == begin + 600 * US
    assert first.net_c == 0.0 == first.balance_percent
    assert isclose(first.commanded_a, 0.03)
    assert isclose(first.delivered_1_a, 0.03)
    assert isclose(first.delivered_2_a, -0.03)
    assert isclose(first.charge_1_c, 0.03 * 249.8e-6)
    assert (other.channel, other.first, other.start) == (2, -1, begin + 1 * MS)
    assert (other.width_1, other.gap) == (200 * US, 50 * US)
    assert last.width_2 == last.width_1 + 1
    assert isclose(last.net_c, 0.03 * 8e-9, rel_tol=1e-6)
    assert isclose(last.balance_percent, 100 / (last.width_2 - 25), rel_tol=1e-6)
    assert pulses(record, 2) == [other]
    assert len(phases(record, 1)) == 4


def phase(start, end, polarity=1, charge=1e-6, channel=1):
    return Phase(channel, polarity, start, start, end, 0.03, charge * polarity, 0.0, CLOCK_HZ)


def test_lone_phases_are_pulses_of_their_own():
    pairing = Pairing()
    assert pairing.feed(phase(0, 1000)) == []
    (lone,) = pairing.feed(phase(3000, 4000))  # the same leg again
    assert (lone.start, lone.width_2, lone.gap, lone.balance_percent) == (0, 0, 0, 100.0)
    (pair,) = pairing.feed(phase(4000 + 1 * MS, 5000 + 1 * MS, -1))
    assert (pair.start, pair.gap) == (3000, 1 * MS)
    assert pairing.flush() == []
    pairing.feed(phase(10 * MS, 11 * MS))
    (late,) = pairing.feed(phase(12 * MS + 1, 13 * MS, -1))  # one clock beyond the longest gap
    assert (late.first, late.width_2) == (1, 0)
    (left,) = pairing.flush()
    assert (left.first, left.start) == (-1, 12 * MS + 1)


def test_no_charge_at_all_is_balanced():
    pairing = Pairing()
    pairing.feed(phase(0, 100, 1, 0.0))
    assert pairing.feed(phase(200, 300, -1, 0.0))[0].balance_percent == 0.0


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(20, 1000), st.integers(2, 1000), st.sampled_from([1, -1]),
                          st.integers(2000, 20_000)), min_size=1, max_size=12))
def test_trains_of_any_polarity_pair_up(train):
    """Whatever alternates: a pulse's phases are nearer to each other than to the next pulse."""
    pairing, at, found, wanted = Pairing(), 0, [], []
    for width, gap, polarity, rest in train:
        found += pairing.feed(phase(at, at + width * US, polarity))
        second = at + (width + gap) * US
        found += pairing.feed(phase(second, second + width * US, -polarity))
        wanted.append((at, polarity, gap * US))
        at = second + (width + rest) * US
    assert [(one.start, one.first, one.gap) for one in found] == wanted
    assert pairing.flush() == []


def test_pulses_stream_without_being_stored():
    stored, _ = run(*TWO)
    streamed = []
    record, _ = run(*TWO, recorder=Recorder(keep=(), on_phase=stream(streamed.append)))
    assert streamed == pulses(stored)
    with pytest.raises(LookupError):
        pulses(record)


# Current to draw


def area(points, from_clock, to_clock):
    total = 0.0
    for (a, i_a), (b, i_b) in zip(points, points[1:], strict=False):
        if from_clock <= a and b <= to_clock:
            total += (b - a) / CLOCK_HZ * (i_a + i_b) / 2
    return total


@pytest.mark.parametrize("load", ["500", "nominal", "dry", "10k"])
def test_drawn_current_has_the_phases_charge(load):
    record, begin = run(*TWO, levels=(1500, 700), loads=(load, "good"))
    points = current_points(record, 1, begin - 1000, begin + 20 * MS, 1e-6)
    clocks = [clock for clock, _ in points]
    assert clocks == sorted(clocks)
    assert clocks[0] == begin - 1000 and clocks[-1] == begin + 20 * MS
    for one in phases(record, 1):
        drawn = area(points, one.on, one.end)
        assert isclose(drawn, one.charge_c, rel_tol=1e-4)
    if load == "500":
        inside = [p for p in points if begin + 25 <= p[0] <= begin + 250 * US]
        assert len(inside) <= 4  # a rectangle needs no more
        assert {round(amps, 12) for _, amps in inside} == {0.0, 0.09}


def test_drawn_current_is_the_benchs():
    """Against the bench asked at that clock, in a window that cuts phases and curves."""
    chip = FakeChip(Bench(electrodes=(LOADS["dry"], LOADS["good"])))
    chip.ready(1500)
    begin = chip.kernel.now + 1 * MS
    Player(chip, [(begin + clock, pins) for clock, pins in TWO[0]])
    asked = {}
    for clock in range(begin + 1003, begin + 120_000, 3571):
        chip.kernel.at(clock, lambda c=clock: asked.update({c: chip.bench.current_a(1)}))
    chip.kernel.advance_to(begin + 2 * MS)
    chip.bench.settle()
    points = current_points(chip.bench.recorder, 1, begin + 1003, begin + 120_000, 2e-6)
    for clock, amps in asked.items():
        before = max(p for p in points if p[0] <= clock)
        at, i_a = [p for p in points if p[0] == before[0]][-1]
        after = next((p for p in points if p[0] > at), (at + 1, i_a))
        drawn = i_a + (after[1] - i_a) * (clock - at) / (after[0] - at)
        assert isclose(drawn, amps, abs_tol=4e-6)


def test_windows_of_drawn_current_add_up():
    """Cuts inside a flat stretch, inside curves, at an edge, and just before a stretch's end."""
    record, begin = run(TWO[0], levels=(1500,), loads=("dry", "good"))
    end = begin + 10 * MS
    whole = area(current_points(record, 1, begin, end, 1e-6), begin, end)
    for cut in (500, 5_000, 20_000, 250 * US - 300, 250 * US, 360 * US, 600 * US - 300, 5 * MS):
        middle = begin + cut
        before = area(current_points(record, 1, begin, middle, 1e-6), begin, middle)
        after = area(current_points(record, 1, middle, end, 1e-6), middle, end)
        assert isclose(before + after, whole, abs_tol=2e-9)


def test_finer_tolerance_draws_more_points():
    record, begin = run(TWO[0], levels=(1500,), loads=("dry", "dry"))
    counts = [
        len(current_points(record, 1, begin, begin + 1 * MS, tolerance))
        for tolerance in (1e-3, 1e-5, 1e-7)
    ]
    assert counts == sorted(counts) and counts[0] < counts[2]


def test_no_current_is_a_line_at_zero():
    record, begin = run(TWO[1])
    window = begin - 1 * MS, begin - 1000
    assert current_points(record, 1, *window) == [(window[0], 0.0), (window[1], 0.0)]


# Times


@given(st.integers(0, 10**13), st.sampled_from([125, 150, 133, 48]).map(lambda mhz: mhz * 10**6))
def test_text_of_times_gives_the_clock_back(clocks, clock_hz):
    assert round(Fraction(seconds_text(clocks, clock_hz)) * clock_hz) == clocks
    assert round(Fraction(microseconds_text(clocks, clock_hz)) * clock_hz / 10**6) == clocks


def test_text_of_times_by_hand():
    assert seconds_text(125_000_001, 125_000_000) == "1.000000008"
    assert microseconds_text(31_250, 125_000_000) == "250.000"
    assert seconds_text(1, 150_000_000) == "0.000000006667"


# CSV


def test_csv_has_every_pulse():
    record, begin = run(*TWO)
    file = io.StringIO(newline="")
    assert write_csv(record, file) == 3
    rows = list(csv.DictReader(io.StringIO(file.getvalue())))
    first, other, last = rows
    assert first == {
        "time_s": seconds_text(begin, CLOCK_HZ),
        "channel": "1",
        "first_polarity": "+",
        "commanded_ma": "30",
        "delivered_1_ma": "30",
        "delivered_2_ma": "-30",
        "width_us": "250.000",
        "width_2_us": "250.000",
        "gap_us": "100.000",
        "charge_1_uc": "7.494",
        "charge_2_uc": "-7.494",
        "net_uc": "0",
        "balance_percent": "0",
    }
    assert (other["channel"], other["first_polarity"]) == ("2", "-")
    assert last["width_2_us"] == "250.008"  # one clock shows
    assert isclose(float(last["net_uc"]), 0.03 * 8e-9 * 1e6, rel_tol=1e-5)


def test_csv_while_it_runs():
    stored, whole = run(*TWO)[0], io.StringIO()
    write_csv(stored, whole)
    streamed = io.StringIO()
    run(*TWO, recorder=Recorder(keep=(), on_phase=stream(PulseTable(streamed).write)))
    assert streamed.getvalue() == whole.getvalue()


# VCD, read back by a reader of our own


def read_vcd(text):
    """Timescale in seconds, {name: [(time, value)]}; strict about what the standard asks."""
    tokens = iter(text.split())
    names, kinds, changes, scale, time = {}, {}, {}, None, None
    in_dump = False
    for token in tokens:
        if token == "$var":
            kind, size, code, name, end = (next(tokens) for _ in range(5))
            assert end == "$end" and code not in names
            assert (kind, size) in {("wire", "1"), ("real", "64")}
            names[code], kinds[code], changes[name] = name, kind, []
        elif token == "$timescale":
            words = []
            while (word := next(tokens)) != "$end":
                words.append(word)
            number, unit = words if len(words) == 2 else (words[0][:-2], words[0][-2:])
            assert number in {"1", "10", "100"}  # nothing else is a VCD
            scale = Fraction(number) / {"ns": 10**9, "ps": 10**12}[unit]
        elif token in {"$dumpvars", "$end"}:
            assert in_dump == (token == "$end")
            in_dump = not in_dump
        elif token.startswith("$"):
            while next(tokens) != "$end":
                pass
        elif token.startswith("#"):
            new = int(token[1:])
            assert time is None or new > time
            time = new
        elif token[0] in "01":
            assert kinds[token[1:]] == "wire" and time is not None
            changes[names[token[1:]]].append((time, int(token[0])))
        else:
            assert token[0] == "r"
            code = next(tokens)
            assert kinds[code] == "real" and time is not None
            changes[names[code]].append((time, float(token[1:])))
    return scale, changes, time


def vcd_of(record, **window):
    file = io.StringIO()
    write_vcd(record, file, **window)
    return file.getvalue()


PINS = {"ch1_plus": 2, "ch1_minus": 3, "ch2_plus": 4, "ch2_minus": 5, "gate": 6, "sync": 7,
        "trip": 10}


def test_vcd_has_every_edge_at_its_clock():
    record, begin = run(*TWO)
    scale, changes, last = read_vcd(vcd_of(record))
    assert scale == Fraction(1, 10**9)
    assert set(changes) == {*PINS, "ch1_current_ma", "ch2_current_ma"}
    assert last == record.end_clock * 8
    for name, pin in PINS.items():
        wanted, before = [], None
        for clock, level in zip(record.edge_clocks, record.edge_levels, strict=True):
            high = level >> pin & 1
            if high != before:
                wanted.append((clock * 8, high))
            before = high
        assert changes[name] == wanted
    assert len(changes["ch1_plus"]) == 1 + 4


def held(values, time):
    return [value for at, value in values if at <= time][-1]


def test_vcd_has_the_currents():
    record, begin = run(*TWO, levels=(1500, 700), loads=("dry", "good"))
    _, changes, _ = read_vcd(vcd_of(record, tolerance_a=50e-6))
    currents = changes["ch1_current_ma"]
    assert held(currents, (begin + 24) * 8) == 0.0
    assert isclose(held(currents, (begin + 25) * 8), 90.0)
    points = current_points(record, 1, begin, begin + 1 * MS, 1e-6)
    for clock, amps in points[2:-1:5]:
        if any(abs(clock - jump) < 100 for jump in (begin, begin + 350 * US, begin + 600 * US)):
            continue
        assert isclose(held(currents, clock * 8), amps * 1e3, abs_tol=1.0)
    first, _ = phases(record, 1)[:2]
    total = 0.0
    for (a, value), (b, _) in zip(currents, currents[1:], strict=False):
        if first.on * 8 <= a and b <= first.end * 8:
            total += value * 1e-3 * (b - a) * 1e-9
    assert isclose(total, first.charge_c, rel_tol=2e-3)


def test_vcd_shows_a_trip():
    chip = FakeChip()
    chip.ready(500)
    chip.bench.force_trip(chip.kernel.now + 1000)
    at = chip.kernel.now + 1000
    chip.kernel.advance_to(at + 1000)
    _, changes, _ = read_vcd(vcd_of(chip.bench.recorder))
    assert changes["trip"] == [(changes["trip"][0][0], 0), (at * 8, 1)]


def test_vcd_of_a_window_starts_with_the_levels_there():
    record, begin = run(*TWO)
    start, end = begin + 100 * US, begin + 300 * US
    _, changes, last = read_vcd(vcd_of(record, start=start, end=end))
    assert changes["ch1_plus"] == [(start * 8, 1), ((begin + 250 * US) * 8, 0)]
    assert changes["gate"] == [(start * 8, 1)]
    assert isclose(held(changes["ch1_current_ma"], start * 8), 30.0)
    assert last == end * 8


def test_vcd_at_another_clock_counts_picoseconds():
    record, begin = run(TWO[0], clock_hz=150_000_000)
    scale, changes, _ = read_vcd(vcd_of(record))
    assert scale == Fraction(1, 10**12)
    times = [time for time, value in changes["ch1_plus"] if value]
    assert [round(time * 150_000_000 / 10**12) for time in times] == [begin]


@pytest.mark.parametrize("keep", [("edges",), ("edges", "phases")])
def test_vcd_of_a_smaller_record(keep):
    record, begin = run(*TWO, recorder=Recorder(keep=keep))
    _, changes, _ = read_vcd(vcd_of(record))
    assert ("ch1_current_ma" in changes) == ("phases" in keep)
    if "phases" in keep:
        assert isclose(held(changes["ch1_current_ma"], (begin + 100 * US) * 8), 30.0)
        assert held(changes["ch1_current_ma"], (begin + 260 * US) * 8) == 0.0
    with pytest.raises(LookupError, match="edges"):
        vcd_of(Recorder(keep=()))


def test_vcd_is_the_same_every_time():
    assert vcd_of(run(*TWO)[0]) == vcd_of(run(*TWO)[0])


def test_vcd_in_sigrok(tmp_path):
    if shutil.which("sigrok-cli") is None:
        pytest.skip("sigrok-cli is not installed: PulseView's own reader was not tried")
    record, begin = run(*TWO)
    start, end = begin - 1000, begin + 700 * US
    file = tmp_path / "pulses.vcd"
    file.write_text(vcd_of(record, start=start, end=end))
    done = subprocess.run(
        ["sigrok-cli", "-i", str(file), "-I", "vcd", "-O", "csv:header=false"],
        capture_output=True, text=True, check=True,
    )
    rows = [line for line in done.stdout.splitlines() if line[0] in "01"]
    assert len(rows) == (end - start) * 8
    seen, before = [], None
    for clock, row in enumerate(rows[::8], start):  # a row a nanosecond
        bits = row.split(",")[: len(PINS)]  # libsigrok reads the real numbers from 0.6 on
        if bits != before:
            seen.append((clock, "".join(bits)))
        before = bits
    mine, before = [], None
    for clock in (start, *record.edge_clocks):
        bits = "".join(str(record.levels_at(clock) >> pin & 1) for pin in PINS.values())
        if start <= clock < end and bits != before:
            mine.append((clock, bits))
            before = bits
    assert seen == mine


def test_any_electrode_draws():
    odd = Load(50.0, 300.0, 2e-6)
    record, begin = run(*TWO, levels=(2000, 2000), loads=(odd, "open"))
    assert len(current_points(record, 1, begin, begin + 20 * MS)) > 10
    assert max(abs(amps) for _, amps in current_points(record, 2, begin, begin + 20 * MS)) < 1e-3
