"""Which tests judge which file: fast ones, the one that kills most first.

A file of firmware/safety that is not named here has no mutation testing yet.
"""

CORE = "firmware/core/"
SAFETY = "firmware/safety/"
INSPECTOR = (
    "tests/test_inspector.py",
    "tests/test_inspector_window.py",
    "tests/test_inspector_sessions.py",
    "tests/test_inspector_bitflips.py",
)
UNITS = "tests/test_safety_units.py"

JUDGES = {
    CORE + "inspector.py": INSPECTOR,
    CORE + "inspector_rules.py": ("tests/test_inspector_rules.py", *INSPECTOR),
    CORE + "limits.py": ("tests/test_limits.py",),
    SAFETY + "intensity.py": (UNITS,),
    SAFETY + "ceiling.py": ("tests/test_ceiling.py",),
    SAFETY + "rules.py": ("tests/test_ceiling.py",),
    SAFETY + "states.py": (UNITS,),
    SAFETY + "faults.py": (UNITS,),
    SAFETY + "supervisor.py": (UNITS,),
    SAFETY + "approval.py": (UNITS,),
    SAFETY + "link.py": (UNITS,),
    SAFETY + "selftest.py": ("tests/test_selftest_units.py",),
}
