"""The sense inputs: sampled phase by phase while the tape plays, read by the CPU while it rests.

Four state machines of PIO 1, one a leg (sense_program.py), push the words that start a conversion;
DMA carries each to the ADC, and another channel the results to `samples`, a ring of groups of
five. No CPU in it. While it runs, machine.ADC must not be used: it would add results.
"""

from array import array

import machine
import rp2
import uctypes

from firmware.hal.sense_program import LOOK, LOOK_AT, OVERHEAD_CLOCKS, sampler

ADC_CS = 0x4004C000
ADC_FCS = 0x4004C008
ADC_FIFO = 0x4004C00C
FCS_ON = 1 << 24 | 1 << 3 | 1  # threshold 1, DREQ_EN, EN
FCS_CLEAR = 1 << 11 | 1 << 10  # OVER, UNDER
FIFO_DEPTH = 4
START = 0b101  # EN, START_ONCE
INPUT = 12  # place of AINSEL
PIO1_RXF0 = 0x50300020
PIO1_INSTRUCTIONS = 0x50300048
DREQ_PIO1_RX0 = 12
DREQ_ADC = 36
DREQ_ALWAYS = 0x3F
DMA_BASE = 0x50000000
DMA_STRIDE = 0x40
AL2_WRITE_ADDR_TRIG = 0x2C
FIRST_MACHINE = 4  # of PIO 1
LEGS = 4
FIRST_ADC_PIN = 26
PULL = 0x80A0  # pull(block)
MOV_X_OSR = 0xA027
REST_SAMPLES = 256

PER_GROUP = 5  # four of the current, one of the monitor input
CURRENTS = 4
MOST = 400  # groups: 80 ms of two channels with 2.5 kHz bursts
FEW = 40
STEP = 8
MONITOR_TURNS = 170  # from the rise to the first wait, and from the fourth to the monitor sample
LEAST_PERIOD = 300  # clocks; a conversion takes 250

SUPPLY, OUTPUT, OUTPUT_LOW = range(3)  # what the board's multiplexer puts on the monitor input
CURRENT = 4  # the fifth sample is of a channel's current instead: CURRENT + 0 or 1
MONITOR = 2  # the monitor input
OFFSET = 2  # where a program says at which instruction of PIO 1 it begins


class Sense:
    """Sampler and resting reads of a board's SENSE and SUPPLY_SENSE inputs. Channels are 0 and 1.

    samples: the ring, results of 12 bits, groups in the order in which the phases were played.
    phases: how many groups it holds.
    """

    def __init__(self, board):
        self._inputs = [pin - FIRST_ADC_PIN for pin in board.SENSE]
        self._adcs = [machine.ADC(machine.Pin(pin)) for pin in board.SENSE]
        self._select = [
            machine.Pin(pin, machine.Pin.OUT, value=0) for pin in board.MONITOR_SELECT
        ]
        self._legs = [machine.Pin(board.LEGS_BASE + i) for i in range(LEGS)]
        self._machines = [rp2.StateMachine(FIRST_MACHINE + i) for i in range(LEGS)]
        self._starts = [rp2.DMA() for _ in range(LEGS)]
        self._results = rp2.DMA()
        self._rewind = rp2.DMA()
        self._address = array("I", [0])
        self.phases = 0
        self.hold(0)
        self._laps = 0  # groups of whole laps of the ring
        self._last = 0  # groups in this lap when last looked
        self._widths = [0, 0]  # least phase widths that are sampled for, in turns
        self._look_address = 0  # of the instruction that select() changes
        self.running = False

    def hold(self, phases):
        """Have room for the results of so many phases, or of MOST; not while it samples.

        A multiple of STEP, so that one session's memory does for the next.
        """
        phases = min(max(-(-phases // STEP) * STEP, FEW), MOST)
        if phases != self.phases:
            self.samples = array("H", bytes(2 * PER_GROUP * phases))
            self._address[0] = uctypes.addressof(self.samples)
            self.phases = phases

    def begin(self, widths, looks=(0, 1)):
        """Sample from now on. widths: the least phase width of each channel, in turns.

        looks: whose input is sampled in the phases of each channel (else: for leakage).
        """
        self.stop()
        self._laps = self._last = 0
        self._look_address = 0
        results = self._results
        results.config(
            read=ADC_FIFO,
            write=self.samples,
            count=len(self.samples),
            ctrl=results.pack_ctrl(
                size=1,
                inc_read=False,
                treq_sel=DREQ_ADC,
                chain_to=self._rewind.channel,  # type: ignore[attr-defined]
            ),
            trigger=True,
        )
        rewind = self._rewind
        number = results.channel  # type: ignore[attr-defined]
        rewind.config(
            read=self._address,
            write=DMA_BASE + DMA_STRIDE * number + AL2_WRITE_ADDR_TRIG,
            count=1,
            ctrl=rewind.pack_ctrl(
                size=2, inc_read=False, inc_write=False, treq_sel=DREQ_ALWAYS
            ),
        )
        machine.mem32[ADC_FCS] = FCS_ON | FCS_CLEAR
        for i in range(LEGS):
            channel = i >> 1
            start = self._starts[i]
            start.config(
                read=PIO1_RXF0 + 4 * i,
                write=ADC_CS,
                count=0x3FFFFFFF,
                ctrl=start.pack_ctrl(
                    size=2, inc_read=False, inc_write=False, treq_sel=DREQ_PIO1_RX0 + i
                ),
                trigger=True,
            )
            one = self._machines[i]
            one.init(sampler, freq=machine.freq(), in_base=self._legs[i])
            one.put(START | self._inputs[looks[channel]] << INPUT)
            one.exec(PULL)
            one.exec(MOV_X_OSR)
            one.put(_period(widths[channel]))
            one.exec(PULL)
            self._widths[channel] = widths[channel]
            one.active(1)
        self.running = True

    def narrow(self, channel, width):
        """Phases of this width (turns) may come; before the first of them is queued.

        The period only ever gets shorter until the next begin(): that is always safe.
        """
        if width >= self._widths[channel]:
            return
        self._widths[channel] = width
        for one in self._machines[2 * channel : 2 * channel + 2]:
            if one.tx_fifo() < FIFO_DEPTH:  # each phase takes one
                one.put(_period(width))

    def groups(self):
        """Phases sampled since begin(). To be asked at least once in `phases` of them."""
        phases = self.phases
        group = (PER_GROUP * phases - _count(self._results)) // PER_GROUP
        if group < self._last:
            self._laps += phases
        self._last = group
        return self._laps + group

    def stop(self):
        """No more samples; the inputs can be read at rest again."""
        for one in self._machines:
            one.active(0)
        for start in self._starts:
            start.active(0)
        self._results.active(0)
        self._rewind.active(0)
        machine.mem32[ADC_FCS] = FCS_CLEAR
        for _ in range(FIFO_DEPTH):
            machine.mem32[ADC_FIFO]
        self.running = False

    def select(self, what):
        """What the fifth sample of a phase is of: SUPPLY, OUTPUT, OUTPUT_LOW, CURRENT + channel.

        One instruction of the running program is another one from now on.
        """
        for i in (0, 1):
            self._select[i].value(what >> i & 1)
        begin = sampler[OFFSET]  # type: ignore[index]
        if begin < 0:  # not in the PIO's memory
            return
        if not self._look_address:  # made once: a long integer is a new object on each use
            self._look_address = PIO1_INSTRUCTIONS + 4 * (begin + LOOK)
        look_at = self._inputs[what - CURRENT] if what >= CURRENT else MONITOR
        machine.mem32[self._look_address] = LOOK_AT | look_at << 3

    def rest(self, channel, count=REST_SAMPLES):
        """The sum of `count` results of a channel's input, read at rest.

        While it samples too, if no phase can come for a millisecond.
        """
        read = self._adcs[channel].read_u16
        total = 0
        if self.running:
            machine.mem32[ADC_FCS] = 0  # these results are not for the ring
        for _ in range(count):
            total += read() >> 4
        if self.running:
            machine.mem32[ADC_FCS] = FCS_ON | FCS_CLEAR
        return total


def _count(dma):
    """Transfers still to come (the stubs don't know the attribute)."""
    return dma.count


def _period(width_turns):
    """Clocks from sample to sample, as a state machine takes it.

    The last of the current at 8/9 of a phase, or as late as leaves room for the monitor input.
    """
    period = min(4 * width_turns // 9, (width_turns - MONITOR_TURNS) // 2)
    return max(period, LEAST_PERIOD) - OVERHEAD_CLOCKS
