"""Every limit on the output, in one table: firmware, host, docs and tests read it here.

A limit is (value, unit, source). Boards may only be stricter: see `ceiling`.
SR-.. are the numbered safety requirements in docs/safety.md.
"""

LIMITS = {
    "peak_ua": (120_000, "uA", "SR-11: peak into 500 to 1000 ohm (project choice)"),
    "rms_ua": (50_000, "uA", "SR-12: IEC 60601-2-10 table 1, r.m.s. up to 400 Hz"),
    "density_ua_per_cm2": (2_000, "uA r.m.s./cm2", "SR-13: IEC 60601-2-10, operator attention"),
    "power_mw_per_cm2": (250, "mW/cm2", "SR-14: FDA guidance 1999, one second at 500 ohm"),
    "energy_uj": (20_000, "uJ a pulse", "SR-15: IEC allows 300 mJ; project limit 20 mJ"),
    "mean_ua": (10_000, "uA", "SR-16: mean absolute current (FDA draft figure, unverified)"),
    "charge_nc": (120_000, "nC a phase", "SR-11 and SR-16: 120 mA for 1000 us"),
    "width_min_ns": (20_000, "ns", "SR-16"),
    "width_max_ns": (1_000_000, "ns", "SR-16: above 500 us in test programs only"),
    "gap_max_ns": (1_000_000, "ns", "interphase gap, range of the instrument"),
    "horizon_ms": (100, "ms", "longest output without renewal (DESIGN: the lease)"),
    "step_ua": (1_000, "uA", "SR-07: one step of intensity upward"),
    "step_ms": (500, "ms", "SR-07: two steps a second upward, so 2 mA/s"),
    "unfelt_ua": (10_000, "uA", "most the intensity may lead what was delivered (project choice)"),
    "arm_ms": (60_000, "ms", "SR-05: an unused ARM lapses"),
    "sense_zero_ua": (500, "uA", "SR-02: sense amplifier at rest"),
    "unlock_ms": (4_000, "ms", "SR-09: the way up locks itself when unused for this long"),
    "pad_mm2": (900, "mm2", "SR-13: pad area assumed while none was entered"),
    "link_pause_ms": (2_000, "ms", "SR-31: host silent for longer: down to zero, paused"),
    "link_end_ms": (10_000, "ms", "SR-31: host silent for longer: ended"),
    "fade_ms": (1_000, "ms", "SR-31 and SR-33: longest way down to zero"),
}


def limit(name):
    """The value of a limit by its name."""
    return LIMITS[name][0]


def _sum():
    """A checksum of all values, order included."""
    total = 0
    for name in sorted(LIMITS):
        total = (total * 31 + LIMITS[name][0]) & 0xFFFFFF
    return total


_SUM = _sum()


def intact():
    """Whether the table in memory is what it was when it was read (SR-41)."""
    return _sum() == _SUM
