"""The order of a deployment: whatever it breaks off at, no half firmware starts."""

from hypothesis import given
from hypothesis import strategies as st

from rheobase.deploy.plan import BOOT, MAIN, NEW, REMOVE, WRITE, digest, roots, steps

names = st.sampled_from(["boot.py", "main.py", "bench.mpy", "firmware/a.mpy", "firmware/b/c.mpy",
                         "lib/scpi/d.mpy", "firmware/old.py"])  # fmt: skip
contents = st.dictionaries(names, st.sampled_from([b"one", b"two", b"three"]), max_size=7)


def hashed(files):
    return {path: digest(content) for path, content in files.items()}


def apply(step, files, want):
    kind, path = step
    if kind == REMOVE:
        del files[path]
    else:
        files[path] = want[path]


@given(contents, contents)
def test_after_every_step_the_board_boots_to_a_whole_firmware_or_to_none(before, want):
    want = {BOOT: b"boot", MAIN: b"main", **want}
    files = dict(before)
    for step in steps(hashed(before), want):
        was = dict(files)
        apply(step, files, want)
        assert files != was, f"{step} changed nothing"
        if BOOT in before:
            assert BOOT in files
        if MAIN in files:
            others = {path: files[path] for path in files if path != MAIN}
            whole = {path: want[path] for path in want if path != MAIN}
            assert others == whole or files == before, step
            assert files[BOOT] == (want if others == whole else before)[BOOT]
    assert files == want


@given(contents, contents, st.integers(0, 12))
def test_a_deployment_that_broke_off_is_finished_by_the_next_one(before, want, broken_after):
    want = {BOOT: b"boot", MAIN: b"main", **want}
    files = dict(before)
    for step in steps(hashed(before), want)[:broken_after]:
        apply(step, files, want)
    for step in steps(hashed(files), want):
        apply(step, files, want)
    assert files == want


@given(contents)
def test_what_is_right_is_left_alone(want):
    want = {BOOT: b"boot", MAIN: b"main", **want}
    assert steps(hashed(want), want) == []
    for changed in want:
        plan = steps({**hashed(want), changed: digest(b"another")}, want)
        assert {path for _, path in plan} <= {changed, MAIN}


def test_boot_and_main_are_never_written_in_place():
    want = {BOOT: b"boot", MAIN: b"main", "firmware/a.mpy": b"a"}
    assert [step.path for step in steps({}, want) if step.kind == WRITE] == ["firmware/a.mpy"]


def test_places_are_ours_alone():
    places = roots({BOOT: b"", MAIN: b"", "lib/scpi/x.mpy": b"", "lib/one.mpy": b"",
                    "firmware/a.mpy": b"", "bench.mpy": b""})  # fmt: skip
    assert places == sorted([BOOT, MAIN, BOOT + NEW, MAIN + NEW, "firmware", "lib/scpi",
                             "lib/one.mpy", "lib/one.py", "bench.mpy", "bench.py"])  # fmt: skip
