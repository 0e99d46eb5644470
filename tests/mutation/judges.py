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

# Files of firmware/safety that one tests/test_units_*.py judges alone, by its name.
ALONE = {
    "approval": ("approval", "approving"),
    "arming": ("arming",),
    "changes": ("changes",),
    "config": ("config",),
    "electrodes": ("electrodes",),
    "engine": ("engine",),
    "faults": ("faults",),
    "intensity": ("intensity",),
    "link": ("link",),
    "loading": ("booting", "defaults", "loading", "needs"),
    "session": ("playing", "starting", "trial"),
    "states": ("states",),
    "storage": ("storage",),
    "storage_work": ("record", "storage_work"),
    "supervisor": ("supervisor",),
    "trains": ("trains",),
    "triggered": ("triggered",),
    "watch": ("watch",),
}

JUDGES = {
    CORE + "inspector.py": INSPECTOR,
    CORE + "inspector_rules.py": ("tests/test_inspector_rules.py", *INSPECTOR),
    CORE + "limits.py": ("tests/test_limits.py",),
    CORE + "measure.py": ("tests/test_measure_core.py",),
    SAFETY + "blackbox.py": ("tests/test_units_blackbox.py", "tests/test_units_clearing.py"),
    SAFETY + "boxtext.py": ("tests/test_units_clearing.py", "tests/test_memory_box.py"),
    SAFETY + "ceiling.py": ("tests/test_ceiling.py",),
    SAFETY + "monitor.py": ("tests/test_units_verdicts.py", "tests/test_units_monitor.py"),
    SAFETY + "rules.py": ("tests/test_ceiling.py",),
    SAFETY + "selftest.py": ("tests/test_units_clearing.py", "tests/test_selftest_units.py"),
    SAFETY + "stimulator.py": (
        "tests/test_units_stimulator.py",
        "tests/test_units_changes.py",
        "tests/test_stops.py::test_stop_byte_in_other_states",
    ),
    **{
        f"{SAFETY}{name}.py": (f"tests/test_units_{judge}.py",)
        for judge, names in ALONE.items()
        for name in names
    },
}
