"""The reference board on a Raspberry Pi Pico: wiring, scale factors, times and ceilings.

Porting: copy this file, change it, and name it in main.py (docs/porting.md).
"""

NAME = "pico-reference"

# Six consecutive pins, in the order of a tape word's bits 0 to 5.
LEGS_BASE = 2  # CH1+, CH1-, CH2+, CH2- on GP2..GP5, GATE on GP6, SYNC on GP7
OUTPUTS = 6
TRIP = 10  # active high, pulled up: an open wire is a trip
STOP_BUTTON = 11  # normally closed to ground, pulled up: pressed or missing reads high
FOOT_SWITCH = 12
TRIGGER_ANALOG = 3  # the analogue trigger's address on the monitor input; None: has none
LATCH_CLEAR = 13
TRIP_TEST = 14  # high makes the comparators trip, whatever the current
AMPLITUDE = (16, 17)  # one PWM slice, A and B
SUPPLY_ENABLE = 18  # must toggle; a level, high or low, switches the supply off
LED = 25
SENSE = (26, 27)
SUPPLY_SENSE = 28  # monitor input, behind a multiplexer
MONITOR_SELECT = (19, 20)  # 0 supply, 1 output voltage, 2 the same by the low divider, 3 trigger

# The output stage that the firmware relies on (hardware/README.md); without one it never arms.
SAFETY_PROFILE = "reference 1"
LATCH_CUTS_SUPPLY = True  # a set latch also switches supply and drivers off, by itself

# The current sink: one level of the filtered PWM.
LEVEL_UA = 60
LEVEL_MOST = 2000  # 120 mA
PWM_TOP = 2046  # 2047 clocks a period, 61 kHz at 125 MHz; level 2047 would be always on

# Times of the output stage.
DEAD_NS = 2_000  # bridge driver 200 ns; the rest is margin
SEPARATION_NS = 2_000  # the channels are isolated from each other (SR-27); this is a second line
GATE_LEAD_NS = 20_000
SETTLE_NS = 1_000_000  # ten time constants of the two-pole PWM filter
HEARTBEAT_MS = 20  # SR-29 asks for at least 20 Hz

# The high-voltage supply and its divider to the ADC.
SUPPLY_V = 200
SUPPLY_DIVIDER = 80

# Measured output. The amplifier's zero is half of the ADC's range; the output voltage is that
# across the output which conducts, behind one of two dividers.
ADC_MV = 3300
SENSE_MV_PER_MA = 10
SENSE_ZERO_MV = 1650
DRIVER_NS = 200  # a leg conducts this much after its pin rises
OUTPUT_DIVIDER = 80
OUTPUT_LOW_DIVIDER = 2
