"""Intensity and its lock by themselves, against the words of docs/safety.md: every edge."""



from units import WRAP, refusal, ticks_diff

from firmware.safety.intensity import Intensity, Lock


def test_a_lock_is_closed_until_opened_and_again_after_four_seconds():
    lock = Lock(ticks_diff)
    assert lock.is_open(0) is False
    assert refusal(lock.check, 0)[0] == -221
    lock.open(WRAP - 10)
    assert lock.is_open(3_989) is True  # across the wrap
    lock.check(3_989)
    assert lock.is_open(3_990) is False
    assert lock.is_open(0) is False, "what has lapsed does not come back as the counter turns"


def test_use_keeps_a_lock_open_but_does_not_open_it():
    lock = Lock(ticks_diff)
    lock.touch(100)
    assert not lock.is_open(101)
    lock.open(1_000)
    lock.touch(4_999)
    assert lock.is_open(8_998)
    assert not lock.is_open(8_999)
    lock.open(10_000)
    lock.touch(14_000)
    assert not lock.is_open(14_001)


def test_a_lock_can_be_closed():
    lock = Lock(ticks_diff)
    lock.open(5)
    lock.close()
    assert not lock.is_open(5)


def at(current_ua, raised_ms=None):
    """An intensity that stands there, raised last at that time."""
    made = Intensity(ticks_diff)
    assert made.current_ua == 0
    made.current_ua = current_ua
    made._raised_ms = raised_ms
    return made


def refused(one, code, *words, put):
    """`put` is refused with this code, and the reason has these words; nothing has changed."""
    before = one.current_ua
    found, text = refusal(one.put, *put)
    assert found == code
    for word in words:
        assert word in text
    assert one.current_ua == before


def test_an_intensity_stays_between_zero_and_its_ceiling():
    one = at(5_000)
    refused(one, -222, "-1 uA", put=(-1, 9_000, "peak", 0, 0))
    refused(one, -222, "5001", "5000", "peak", put=(5_001, 5_000, "peak", 0, 0))
    one.put(0, 0, "peak", 0, 0)
    assert one.current_ua == 0
    one.put(500, 500, "peak", 0, 0)
    assert one.current_ua == 500


def test_a_step_up_is_at_most_a_milliampere():
    one = at(3_000)
    refused(one, -222, "1001", "1000", put=(4_001, 50_000, "", 3_000, 0))
    one.put(4_000, 50_000, "", 3_000, 0)
    assert one.current_ua == 4_000


def test_two_steps_up_are_half_a_second_apart_also_over_the_wrap():
    one = at(0)
    one.put(1, 50_000, "", 0, WRAP - 100)
    refused(one, -221, "499", "500", put=(2, 50_000, "", 0, 399))
    refused(one, -221, put=(2, 50_000, "", 0, WRAP - 100))
    one.put(2, 50_000, "", 0, 400)
    assert one.current_ua == 2
    refused(one, -221, put=(3, 50_000, "", 0, 899))


def test_a_lapse_so_long_that_the_counter_wrapped_is_no_step_too_soon():
    one = at(1_000, raised_ms=0)
    one.put(2_000, 50_000, "", 0, WRAP - 1)
    assert one.current_ua == 2_000


def test_down_is_always_allowed_and_is_no_step_up():
    one = at(40_000, raised_ms=0)
    one.put(39_999, 50_000, "", 0, 1)
    one.put(39_999, 50_000, "", 0, 1)
    one.put(7, 50_000, "", 0, 1)
    assert one.current_ua == 7
    one.put(8, 50_000, "", 0, 500)
    assert one.current_ua == 8


def test_the_intensity_leads_what_was_felt_by_at_most_ten_milliamperes():
    one = at(14_500)
    refused(one, -221, "15001", "10000", "5000", put=(15_001, 50_000, "", 5_000, 0))
    one.put(15_000, 50_000, "", 5_000, 0)
    assert one.current_ua == 15_000


def test_a_new_intensity_takes_its_first_step_at_any_time():
    one = Intensity(ticks_diff)
    one.put(1_000, 50_000, "", 0, 1)
    assert one.current_ua == 1_000


def test_zero_forgets_the_height_and_the_last_step():
    one = at(7_000, raised_ms=0)
    one.zero()
    assert one.current_ua == 0
    one.put(1_000, 50_000, "", 0, 1)
    assert one.current_ua == 1_000
