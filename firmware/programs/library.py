"""Therapy programs as data: settings of a channel and of the session, by their field names.

name, purpose, source: for people. channel: fields of the channel it is loaded on.
session: fields of the session, or None to leave it as it is.
Numbers are seeds for research from the sources named; none is a prescription.
"""

PROGRAMS = {
    "N01": {
        "name": "Quadriceps after ACL surgery",
        "purpose": "strength of a weak or idle quadriceps",
        "source": "Nussbaum 2017, table 7; definite values are the project's own choice",
        "channel": {
            "width_ns": 400_000,
            "gap_ns": 100_000,
            "rate_mhz": 50_000,
            "count": 1,
            "ramp_up_ms": 2_000,
            "ramp_down_ms": 1_000,
            "on_ms": 10_000,
            "off_ms": 50_000,
            "rest_rate_mhz": 0,
            "limit_ua": 100_000,
            "enabled": 1,
        },
        "session": {"duration_ms": 900_000, "warm_ms": 0, "cool_ms": 0},
    },
    "D35": {
        "name": "Doublets at 35 Hz",
        "purpose": "test of n-lets beside a second channel",
        "source": "the project's own choice",
        "channel": {
            "width_ns": 300_000,
            "gap_ns": 100_000,
            "rate_mhz": 35_000,
            "count": 2,
            "interval_ns": 5_000_000,
            "ramp_up_ms": 1_000,
            "ramp_down_ms": 500,
            "on_ms": 3_000,
            "off_ms": 2_000,
            "rest_rate_mhz": 0,
            "limit_ua": 60_000,
            "enabled": 1,
        },
        "session": None,
    },
}
