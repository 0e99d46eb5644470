"""The whole firmware: power cut at every flash operation of a boot, a save and a fault."""

from rig import Rig

from rheobase.sim.board import repository_files

RUN = "SOUR1:STAT ON;FREQ 50;:SOUR1:CYCL:ON INF;:SOUR1:PULS:WIDT 200us"


def power_up(rig):
    rig.board.flash.cut_power_at(0)  # never
    rig.board.power_off()
    rig.wait(0.5)
    rig.board.power_on()
    assert rig.board.run_while(lambda: not rig.board.usb.connected, 5.0)
    rig.bench.try_stop()
    rig.wait(0.4)
    rig.board.usb.read()
    rig.settle()


def cuts(prepared, change, most=60):
    """Yield a rig whose power was cut in the 1st, 2nd, ... operation of `change`, and is back.

    `prepared`: files of a board in flash; `change(rig)` must need no answer. Ends with the first
    run that needs fewer operations.
    """
    for operation in range(1, most):
        rig = Rig(files=prepared)
        rig.board.flash.cut_power_at(operation)
        change(rig)
        was_cut = not rig.board.powered
        power_up(rig)
        yield operation, was_cut, rig
        if not was_cut:
            assert operation > 4
            return
    raise AssertionError("never came to an end")


def files_after(change):
    rig = Rig()
    change(rig)
    rig.wait(0.3)
    flash = rig.board.flash
    return {**repository_files(), **{p: c for p, c in flash.files.items() if "/data/" in p}}


def works(rig):
    """Healthy, and may be armed."""
    assert rig.ask("SYST:CONF:STAT?") == '"good"'
    rig.do(RUN)
    rig.arm()
    assert rig.state == "ARMED"


def test_a_fault():
    prepared = files_after(fault)

    def after_a_fault(rig):
        fault(rig, wait=0.2)

    seen = []
    for _, was_cut, rig in cuts(prepared, after_a_fault):
        counted = int(rig.ask("SYST:LOG:COUN?").split(",")[0])
        assert rig.ask("SYST:LOG:COUN?").endswith(",0")
        assert counted in (1, 2)
        assert rig.ask("SYST:LOG? 1").startswith(f"{counted},")
        box = int(rig.ask("SYST:BBOX?").split(",")[0])
        assert box in (1, 2) and box <= counted
        assert rig.ask(f"SYST:BBOX:EVEN? {box}").count(";") == 7
        seen.append((counted, box))
        if not was_cut:
            works(rig)
    assert seen == sorted(seen)
    assert seen[0] == (1, 1) and seen[-1] == (2, 2) and (2, 1) in seen


def fault(rig, wait=0.3):
    rig.do(RUN)
    rig.start()
    rig.wait(0.2)
    assert rig.board.powered
    rig.bench.force_trip(rig.board.now)
    rig.wait(wait)


def test_a_configuration_saved():
    def first(rig):
        rig.do('SYST:CONF:SET "pad_mm2_1 = 1000"')
        rig.do("SYST:CONF:SAVE")

    def second(rig):
        rig.say('SYST:CONF:SET "pad_mm2_1 = 2000"')
        rig.say("SYST:CONF:SAVE", 0.4)

    seen = []
    for _, was_cut, rig in cuts(files_after(first), second):
        area = rig.ask('SYST:CONF? "pad_mm2_1"')
        assert area in ("1000", "2000")
        assert rig.ask("SYST:CONF:STAT?") == '"good"'
        files = rig.board.flash.files
        assert files["/data/config.a"] == files["/data/config.b"]
        seen.append(area)
        if not was_cut:
            works(rig)
    assert seen == sorted(seen) and seen[0] == "1000" and seen[-1] == "2000"
    assert seen.count("2000") > 2  # cut in the second copy


def damaged(ending):
    """Files of a board with one copy of the configuration cut short."""
    files = files_after(lambda rig: None)
    path = "/data/config" + ending
    return {**files, path: files[path][:50]}


def test_boots():
    """The first boot, which makes all files, a later one, and two that repair a copy."""
    later = files_after(lambda rig: None)
    for files in (repository_files(), later, damaged(".a"), damaged(".b")):
        boots = []
        for operation in range(1, 60):
            rig = Rig(files=files)  # made and booted whole; only its files are taken away
            rig.board.power_off()
            rig.board.flash.files = dict(rig.board.flash.files)
            for path in [p for p in rig.board.flash.files if p.startswith("/data/")]:
                del rig.board.flash.files[path]
            for path, content in files.items():
                if path.startswith("/data/"):
                    rig.board.flash.install(path, content)
            rig.board.flash.cut_power_at(operation)
            rig.board.power_on()
            rig.wait(0.8)
            was_cut = not rig.board.powered
            power_up(rig)
            assert rig.ask("SYST:CONF:STAT?") == '"good"'
            boots.append(int(rig.board.flash.files["/data/boots"].split()[0]))
            if not was_cut:
                works(rig)
                break
        assert len(boots) > 3
        assert boots == sorted(boots) and set(boots) == {boots[0], boots[0] + 1}
