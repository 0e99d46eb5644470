// DMA in step with the system clock: rp2040js's registers and transfers, each at its clock.

/**
 * Clocks from a request (trigger or DREQ) to the clock at which the word is written: one to see
 * the request, then read address, read data, write address, write data. Transfers overlap, so
 * that a channel moves up to one word a clock (the chip's designer in raspberrypi/pico-feedback
 * #202, where two dependent transfers were measured at ten clocks).
 */
export const LATENCY = 5;
const DEPTH = LATENCY; // transfers of one channel in flight

const EN = 1 << 0;
const BUSY = 1 << 24;
const IRQ_QUIET = 1 << 21;
const TREQ_PIO_LAST = 15;
const TREQ_PWM_WRAP0 = 24;
const TREQ_TIMER0 = 59;
const TREQ_PERMANENT = 63;
const CHAN_ABORT = 0x444;
const FIRST_TIMER = 0x420;

/** Gives rp2040js's DMA controller the time its transfers take. */
export function makeDmaExact(rp2040, clock) {
  const { dma } = rp2040;
  const pulses = (dma.pulses = new Array(64).fill(0)); // DREQs that are pulses, not levels

  /** How many transfers the source of requests has room or words for now. */
  function credit(channel) {
    const treq = channel.treqValue;
    if (treq === TREQ_PERMANENT) return DEPTH;
    if (treq <= TREQ_PIO_LAST) {
      const machine = rp2040.pio[treq >> 3].machines[treq & 3];
      if (treq & 4) return machine.rxFIFO.itemCount;
      return machine.txFIFO.size - machine.txFIFO.itemCount;
    }
    if (treq >= TREQ_TIMER0) return pulses[treq];
    return pulses[treq] + (dma.dreq[treq] ? 1 : 0);
  }

  function request(channel) {
    const { now } = clock;
    const slice = channel.treqValue - TREQ_PWM_WRAP0;
    if (slice >= 0 && slice < 8) rp2040.pwm.slices[slice].plan(); // it tells of wraps if asked
    while (
      channel.ctrl & EN &&
      channel.ctrl & BUSY &&
      channel.transCount > channel.inFlight &&
      credit(channel) > channel.inFlight
    ) {
      channel.inFlight++;
      channel.lands = Math.max(now + LATENCY, channel.lands + 1);
      const { session } = channel;
      clock.at(channel.lands, () => {
        if (session === channel.session) land(channel);
      });
    }
  }

  function land(channel) {
    const treq = channel.treqValue;
    if (pulses[treq]) pulses[treq]--;
    const { session } = channel;
    channel.transfer(); // counts as in flight until its count is taken down
    if (session === channel.session) channel.inFlight--;
    request(channel);
  }

  /** A source of requests has changed. */
  dma.requested = (treq) => {
    for (const channel of dma.channels) if (channel.treqValue === treq) request(channel);
  };

  /** A source of requests asks for one transfer. */
  dma.pulse = (treq) => {
    for (const channel of dma.channels) {
      if (channel.treqValue === treq && channel.ctrl & BUSY) {
        pulses[treq] = Math.min(pulses[treq] + 1, DEPTH);
        request(channel);
      }
    }
  };

  dma.wants = (treq) =>
    dma.channels.some((channel) => channel.treqValue === treq && channel.ctrl & BUSY);

  for (const channel of dma.channels) {
    channel.inFlight = 0;
    channel.lands = -1;
    channel.session = 0;
    channel.scheduleTransfer = () => request(channel);
    channel.transferAlarm = { schedule() {}, cancel() {} }; // EN = 0 only stops new requests
    channel.start = () => {
      if (!(channel.ctrl & EN) || channel.ctrl & BUSY) return;
      channel.transCount = channel.transCountReload;
      channel.ctrl |= BUSY;
      if (channel.transCount) request(channel);
      else finish(channel);
    };
    channel.abort = () => {
      channel.session++;
      channel.inFlight = 0;
      channel.ctrl &= ~BUSY;
    };
  }

  function finish(channel) {
    channel.ctrl &= ~BUSY;
    if (!(channel.ctrl & IRQ_QUIET)) {
      dma.intRaw |= 1 << channel.index;
      dma.checkInterrupts();
    }
    if (channel.chainTo !== channel.index) dma.channels[channel.chainTo]?.start();
  }

  const { readUint32, writeUint32 } = dma;
  dma.readUint32 = (offset) => (offset === CHAN_ABORT ? 0 : readUint32.call(dma, offset));

  // Pacing timers: X/Y transfers a clock.
  const timers = (dma.pacing = [0, 1, 2, 3].map((index) => ({ index, x: 0, y: 0, alarm: null })));
  for (const timer of timers) {
    timer.alarm = clock.createAlarm(() => {
      dma.pulse(TREQ_TIMER0 + timer.index);
      timer.alarm.at(clock.now + Math.max(1, Math.round(timer.y / timer.x)));
    });
  }
  dma.writeUint32 = (offset, value) => {
    writeUint32.call(dma, offset, value);
    const index = (offset - FIRST_TIMER) >> 2;
    if (offset >= FIRST_TIMER && index < 4) {
      const timer = timers[index];
      timer.x = value >>> 16;
      timer.y = value & 0xffff;
      if (timer.x && timer.y) timer.alarm.at(clock.now + 1);
      else timer.alarm.cancel();
    }
  };

  for (const block of rp2040.pio) block.requestDma = dma.requested;
}
