"""Which tests judge which file: fast ones, the one that kills most first.

Of firmware/safety all files are here but reasons.py, a table of words with nothing to change.
"""

CORE = "firmware/core/"
SAFETY = "firmware/safety/"
INSPECTOR = (
    "tests/test_inspector.py",
    "tests/test_inspector_window.py",
    "tests/test_inspector_sessions.py",
    "tests/test_inspector_bitflips.py",
)

JUDGES = {
    CORE + "inspector.py": INSPECTOR,
    CORE + "inspector_rules.py": ("tests/test_inspector_rules.py", *INSPECTOR),
    CORE + "limits.py": ("tests/test_limits.py",),
    CORE + "measure.py": ("tests/test_measure_core.py",),
    SAFETY + "blackbox.py": ("tests/test_units_blackbox.py", "tests/test_units_clearing.py"),
    SAFETY + "booting.py": ("tests/test_units_loading.py",),
    SAFETY + "config.py": ("tests/test_units_config.py",),
    SAFETY + "defaults.py": ("tests/test_units_loading.py",),
    SAFETY + "engine.py": ("tests/test_units_engine.py",),
    SAFETY + "loading.py": ("tests/test_units_loading.py",),
    SAFETY + "needs.py": ("tests/test_units_loading.py",),
    SAFETY + "intensity.py": ("tests/test_units_intensity.py",),
    SAFETY + "ceiling.py": ("tests/test_ceiling.py",),
    SAFETY + "rules.py": ("tests/test_ceiling.py",),
    SAFETY + "states.py": ("tests/test_units_states.py",),
    SAFETY + "faults.py": ("tests/test_units_faults.py",),
    SAFETY + "supervisor.py": ("tests/test_units_supervisor.py",),
    SAFETY + "approval.py": ("tests/test_units_approval.py",),
    SAFETY + "approving.py": ("tests/test_units_approval.py",),
    SAFETY + "link.py": ("tests/test_units_link.py",),
    SAFETY + "selftest.py": ("tests/test_units_clearing.py", "tests/test_selftest_units.py"),
    SAFETY + "arming.py": ("tests/test_units_arming.py",),
    SAFETY + "electrodes.py": ("tests/test_units_electrodes.py",),
    SAFETY + "storage.py": ("tests/test_units_storage.py",),
    SAFETY + "storage_work.py": ("tests/test_units_storage.py",),
    SAFETY + "record.py": ("tests/test_units_storage.py",),
    SAFETY + "boxtext.py": ("tests/test_units_clearing.py", "tests/test_memory_box.py"),
    SAFETY + "monitor.py": ("tests/test_units_monitor.py",),
    SAFETY + "watch.py": ("tests/test_units_watch.py",),
    SAFETY + "playing.py": ("tests/test_units_session.py",),
    SAFETY + "starting.py": ("tests/test_units_session.py",),
    SAFETY + "stimulator.py": (
        "tests/test_units_stimulator.py",
        "tests/test_stops.py::test_stop_byte_in_other_states",
    ),
    SAFETY + "changes.py": ("tests/test_units_stimulator.py",),
    SAFETY + "trains.py": ("tests/test_units_trains.py",),
    SAFETY + "triggered.py": ("tests/test_units_triggered.py",),
    SAFETY + "trial.py": ("tests/test_units_session.py",),
}
