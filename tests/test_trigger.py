"""What a triggered session decides, without hardware: over random traces, by an independent judge
of the intervals."""

from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from firmware.core.crank import Crank
from firmware.core.held import DOWN, HELD, OPENING, PLAYING
from firmware.core.threshold import Threshold
from firmware.core.trigger import (
    DROP,
    FADE,
    NONE,
    PAUSE,
    PREPARE,
    START,
    Contact,
    Trigger,
)

TURN_MS = 5
FADE_MS = 200
TIMEOUT_MS = 3_000
EXTEND_MS = 200
WAIT_MS = 5_000


class Tape:
    """A tape as the decisions see it: an opening takes a turn, a fade its time, a train at most
    the time-out. trains: [section, start, stop]."""

    def __init__(self):
        self.phase = DOWN
        self.section = NONE
        self.ends_ms = 0
        self.trains = []

    def turn(self, now_ms):
        if self.phase == OPENING:
            self.phase = HELD
        if self.phase == PLAYING and now_ms >= self.ends_ms:
            self.trains[-1][2] = now_ms
            self.phase = DOWN

    def do(self, action, section, now_ms):
        if action == PREPARE:
            assert self.phase != PLAYING
            self.phase = OPENING
            self.section = section
        elif action == START:
            assert self.phase == HELD and self.section == section
            self.phase = PLAYING
            self.ends_ms = now_ms + TIMEOUT_MS
            self.trains.append([section, now_ms, None])
        elif action == FADE:
            assert self.phase == PLAYING
            self.ends_ms = min(self.ends_ms, now_ms + FADE_MS)
        elif action == DROP:
            assert self.phase in (OPENING, HELD)
            self.phase = DOWN


def run(sections_by_time, trigger):
    """Decide every turn along [(length in ms, section)]; the tape, and when a pause was asked."""
    tape = Tape()
    now = 0
    trigger.begin(0, sections_by_time[0][1])
    for length, section in sections_by_time:
        end = now + length
        while now < end:
            tape.turn(now)
            action = trigger.step(now, section, tape.phase)
            if action == PAUSE:
                return tape, now
            tape.do(action, trigger.section, now)
            if action == START:
                trigger.started()
            now += TURN_MS
    return tape, None


lengths = st.integers(1, 800).map(lambda turns: turns * TURN_MS)
heel = st.lists(st.tuples(lengths, st.sampled_from([NONE, 0])), min_size=2, max_size=25)
two = st.lists(st.tuples(lengths, st.sampled_from([0, 1])), min_size=2, max_size=25)


def active(trace, section):
    """The intervals in which a trace asks for a section, neighbours joined."""
    found = []
    now = 0
    for length, value in trace:
        if value == section:
            if found and found[-1][1] == now:
                found[-1][1] = now + length
            else:
                found.append([now, now + length])
        now += length
    return found


@examples(60)
@given(heel)
def test_a_train_begins_in_swing_ends_after_it_and_never_twice_in_one(trace):
    trigger = Trigger(1, [26], EXTEND_MS, WAIT_MS, True, True)
    tape, paused = run(trace, trigger)
    swings = active(trace, 0)
    used = []
    for _, start, stop in tape.trains:
        own = [s for s in swings if s[0] <= start < s[1] + TURN_MS]
        assert own
        if stop is None:
            continue
        assert stop - start <= TIMEOUT_MS + TURN_MS
        # Short touches are bridged by the extension; otherwise it ends with its own swing.
        last = own[0][1]
        for begin, end in swings:
            if begin > last and begin - last < EXTEND_MS + TURN_MS:
                last = end
            elif begin > last:
                break
        assert stop <= last + EXTEND_MS + FADE_MS + 2 * TURN_MS
        assert stop >= min(own[0][1] + EXTEND_MS, start + TIMEOUT_MS)
        used.append(own[0][0])
    assert len(used) == len(set(used))
    if swings and swings[0][0] == 0:
        assert 0 not in used  # active at the start


@examples(60)
@given(two)
def test_swing_and_stance_never_overlap_and_keep_their_distance(trace):
    trigger = Trigger(2, [100, 26], 0, WAIT_MS, True, True)
    tape, _ = run(trace, trigger)
    for (_, _, stop), (section, start, _) in zip(tape.trains, tape.trains[1:], strict=False):
        assert stop is not None
        assert start - stop >= (100, 26)[section] - TURN_MS
    for section, start, _ in tape.trains:
        assert any(b <= start < e + TURN_MS for b, e in active(trace, section))


@examples(40)
@given(heel, st.booleans())
def test_no_wait_is_without_an_end(trace, gated):
    trigger = Trigger(1, [1_000], 0, WAIT_MS, gated, False)
    tape, paused = run([*trace, (2 * WAIT_MS, NONE)], trigger)
    assert paused is not None
    since = tape.trains[-1][2] if tape.trains else 0
    assert paused - since <= WAIT_MS + TURN_MS


def test_standing_ends_with_a_whole_step_and_a_longer_one_in_a_pause():
    trigger = Trigger(1, [26], EXTEND_MS, WAIT_MS, True, True)
    tape, paused = run(
        [(6_000, NONE), (400, 0), (600, NONE), (400, 0), (600, NONE)], trigger
    )
    assert [start for _, start, _ in tape.trains] == [7_000]
    trigger = Trigger(1, [26], EXTEND_MS, WAIT_MS, True, True)
    tape, paused = run(  # with the heel in the air: the next swing is the unstimulated one
        [(9_000, 0), (600, NONE), (400, 0), (600, NONE), (400, 0), (600, NONE)], trigger
    )
    assert [start for _, start, _ in tape.trains] == [10_600]
    trigger = Trigger(1, [26], EXTEND_MS, WAIT_MS, True, True)
    tape, paused = run([(90_000, NONE)], trigger)
    assert paused == 65_000


@examples(60)
@given(st.lists(st.tuples(st.integers(1, 60), st.booleans()), min_size=1, max_size=60),
       st.integers(0, 40))
def test_a_contact_changes_only_after_it_was_steady(trace, debounce_ms):
    contact = Contact(debounce_ms)
    now = since = 0
    last = None
    for length, level in trace:
        for _ in range(length):
            if level != last:
                last, since = level, now
            before = contact.value
            value = contact.step(now, int(level))
            if value != before:
                assert value == level and now - since >= debounce_ms
            elif before != level:
                assert now - since < debounce_ms
            now += 1


@examples(60)
@given(st.lists(st.integers(0, 3_300), min_size=1, max_size=80), st.integers(200, 3_000),
       st.integers(1, 150), st.booleans())
def test_a_threshold_has_its_hysteresis(values, level, hysteresis, falling):
    threshold = Threshold(level, hysteresis, falling)
    expected = 0
    for value in values:
        beyond = level - value if falling else value - level
        if beyond >= 0:
            expected = 1
        elif beyond < -hysteresis:
            expected = 0
        assert threshold.step(value) == expected


def test_a_crank_is_followed_between_its_readings_and_not_after_the_last():
    crank = Crank([(350, 30)], 10, 60)
    for now in range(0, 3_000, 40):  # 30 turns a minute: 180 degrees a second
        crank.read(now, int(now * 0.18) % 360)
        for later in range(now, now + 40, 5):
            angle = later * 0.18 % 360
            inside = angle >= 350 or angle < 30
            near = min(abs(angle - 350), abs(angle - 30)) < 3
            if now > 1_000 and not near:
                assert crank.section(later) == (0 if inside else NONE)
    assert 28 <= crank.rpm <= 32
    assert crank.section(2_960 + 260) == NONE


def test_a_crank_too_slow_or_too_fast_stimulates_nothing():
    for rpm in (5, 90):
        crank = Crank([(0, 359)], 10, 60)
        for now in range(0, 4_000, 40):
            crank.read(now, int(now * rpm * 6 / 1000) % 360)
            assert now < 400 or crank.section(now) == NONE
