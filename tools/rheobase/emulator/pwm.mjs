// PWM slices worked out when somebody looks, instead of event by event.

import { BasePeripheral } from 'rp2040js';
import { NEVER } from './clock.mjs';

const CSR_EN = 1 << 0;
const CSR_PH_CORRECT = 1 << 1;
const CSR_A_INV = 1 << 2;
const CSR_B_INV = 1 << 3;
const CSR_DIVMODE = 3 << 4;
const CSR_PH_RET = 1 << 6;
const CSR_PH_ADV = 1 << 7;

const REGISTER_EN = 0xa0;
const REGISTER_INTR = 0xa4;
const REGISTER_INTE = 0xa8;
const REGISTER_INTF = 0xac;
const REGISTER_INTS = 0xb0;

const IRQ_PWM_WRAP = 4;
const DREQ_PWM_WRAP0 = 24;

class Slice {
  constructor(pwm, index) {
    this.pwm = pwm;
    this.index = index;
    this.csr = 0;
    this.divider = 16; // in 1/16 clocks a count
    this.cc = 0; // as written
    this.top = 0xffff; // as written
    this.liveCc = 0; // as compared: taken over at a wrap
    this.liveTop = 0xffff;
    this.sinceClock = 0; // the counter was `sinceCount` at this clock
    this.sinceCount = 0;
    this.wrapSeen = 0; // wraps before this clock are in INTR
    this.alarm = pwm.clock.createAlarm(() => this.wrapped());
    this.toggle = pwm.clock.createAlarm(() => pwm.edge(this));
    // GPIO 0..15 and again 16..29, A and B in turn
    this.pinsA = [2 * index, 2 * index + 16].filter((pin) => pin < 30);
    this.pinsB = [2 * index + 1, 2 * index + 17].filter((pin) => pin < 30);
    this.maskA = this.pinsA.reduce((mask, pin) => mask | (1 << pin), 0);
    this.maskB = this.pinsB.reduce((mask, pin) => mask | (1 << pin), 0);
  }

  get running() {
    return (this.csr & (CSR_EN | CSR_DIVMODE)) === CSR_EN;
  }

  get zigzag() {
    return (this.csr & CSR_PH_CORRECT) !== 0;
  }

  /** Counts from one wrap to the next. */
  get period() {
    return this.zigzag ? Math.max(1, 2 * this.liveTop) : this.liveTop + 1;
  }

  phaseAt(clock) {
    if (!this.running) return this.sinceCount;
    const counts = Math.floor(((clock - this.sinceClock) * 16) / this.divider);
    return (this.sinceCount + counts) % this.period;
  }

  counterAt(clock) {
    const phase = this.phaseAt(clock);
    return this.zigzag && phase > this.liveTop ? 2 * this.liveTop - phase : phase;
  }

  /** First clock after `clock` at which the phase is `phase`. */
  clockOfPhase(phase, clock) {
    if (!this.running) return NEVER;
    const counts = Math.floor(((clock - this.sinceClock) * 16) / this.divider);
    let ahead = phase - ((this.sinceCount + counts) % this.period);
    if (ahead <= 0) ahead += this.period;
    return this.sinceClock + Math.ceil(((counts + ahead) * this.divider) / 16);
  }

  /** Fixes the phase, so that what determines it may change. */
  rebase(clock) {
    this.sinceCount = this.phaseAt(clock);
    this.sinceClock = clock;
  }

  takeOver() {
    this.liveCc = this.cc;
    this.liveTop = this.top;
  }

  wrapped() {
    const { now } = this.pwm.clock;
    if (this.liveCc !== this.cc || this.liveTop !== this.top) {
      this.sinceClock = now;
      this.sinceCount = 0;
      this.takeOver();
      this.pwm.dutyChanged(this);
    }
    this.pwm.wrapped(this);
    this.plan();
  }

  /** Asks to be called at the next wrap if anybody waits for it. */
  plan() {
    const { now } = this.pwm.clock;
    const pending = this.liveCc !== this.cc || this.liveTop !== this.top;
    if (this.running && (pending || this.pwm.wrapsWanted(this))) {
      const at = this.clockOfPhase(0, now);
      if (!(this.alarm.scheduled && this.alarm.due === at)) this.alarm.at(at);
    } else {
      this.alarm.cancel();
    }
    this.pwm.planEdge(this);
  }

  read(offset) {
    switch (offset) {
      case 0x00:
        return this.csr;
      case 0x04:
        return this.divider;
      case 0x08:
        return this.counterAt(this.pwm.clock.now);
      case 0x0c:
        return this.cc;
      default:
        return this.top;
    }
  }

  write(offset, value) {
    const { now } = this.pwm.clock;
    this.rebase(now);
    switch (offset) {
      case 0x00: {
        const wasRunning = this.running;
        this.csr = value & ~(CSR_PH_ADV | CSR_PH_RET) & 0xff;
        if (value & CSR_PH_ADV) this.sinceCount = (this.sinceCount + 1) % this.period;
        if (value & CSR_PH_RET) this.sinceCount = (this.sinceCount || this.period) - 1;
        if (this.running && !wasRunning) this.takeOver();
        break;
      }
      case 0x04: {
        const integer = (value >> 4) & 0xff;
        this.divider = (integer || 256) * 16 + (value & 0xf);
        break;
      }
      case 0x08:
        this.sinceCount = value & 0xffff;
        break;
      case 0x0c:
        this.cc = value >>> 0;
        break;
      case 0x10:
        this.top = value & 0xffff;
        break;
    }
    if (!this.running) this.takeOver();
    this.plan();
    this.pwm.dutyChanged(this);
  }

  set enabled(on) {
    this.write(0x00, on ? this.csr | CSR_EN : this.csr & ~CSR_EN);
  }

  /** [counts high in a period, counts in a period] of output A (0) or B (1). */
  duty(output) {
    const compare = output ? this.liveCc >>> 16 : this.liveCc & 0xffff;
    const inverted = this.csr & (output ? CSR_B_INV : CSR_A_INV);
    const total = this.liveTop + 1;
    let high = Math.min(compare, total);
    if (!this.running) high = this.sinceCount < compare ? total : 0;
    return [inverted ? total - high : high, total];
  }

  levelAt(output, clock) {
    const compare = output ? this.liveCc >>> 16 : this.liveCc & 0xffff;
    const inverted = (this.csr & (output ? CSR_B_INV : CSR_A_INV)) !== 0;
    return this.counterAt(clock) < compare !== inverted;
  }

  /** Next clock at which an output may change. */
  nextEdge(clock) {
    const phases = new Set([0]);
    for (const compare of [this.liveCc & 0xffff, this.liveCc >>> 16]) {
      if (compare <= this.liveTop) phases.add(compare);
      if (this.zigzag && compare <= this.liveTop) phases.add(2 * this.liveTop - compare + 1);
    }
    return Math.min(...[...phases].map((phase) => this.clockOfPhase(phase, clock)));
  }
}

/**
 * Takes the place of rp2040js's PWM. The duty of every output is logged when it takes effect
 * (`changes`: clock, pin, counts high, counts in a period); the edges themselves happen only on
 * request (`edges`), since two outputs at 61 kHz make a quarter of a million a second.
 */
export class LazyPwm extends BasePeripheral {
  constructor(rp2040, clock) {
    super(rp2040, 'PWM_BASE');
    this.clock = clock;
    this.channels = []; // rp2040js sets their frequencies; the slices here count clocks
    this.edges = false;
    this.changes = [];
    this.onChange = null; // (change)
    this.selected = 0; // pins whose function is PWM
    this.lastDuty = new Map();
    this.gpioValue = 0;
    this.gpioDirection = 0;
    this.intRaw = 0;
    this.intEnable = 0;
    this.intForce = 0;
    this.slices = Array.from({ length: 8 }, (_, index) => new Slice(this, index));
  }

  pinsSelected(mask) {
    if (mask === this.selected) return;
    const { now } = this.clock;
    for (const pin of this.lastDuty.keys()) {
      if (mask & (1 << pin)) continue;
      this.lastDuty.delete(pin);
      this.log([now, pin, 0, 0]); // no longer a PWM output
    }
    this.selected = mask;
    for (const slice of this.slices) {
      if (mask & (slice.maskA | slice.maskB)) this.dutyChanged(slice);
      this.planEdge(slice);
    }
  }

  dutyChanged(slice) {
    const { now } = this.clock;
    for (const [output, pins] of [slice.pinsA, slice.pinsB].entries()) {
      const [high, total] = slice.duty(output);
      for (const pin of pins) {
        if (!(this.selected & (1 << pin))) continue;
        const duty = high * 65537 + total;
        if (this.lastDuty.get(pin) === duty) continue;
        this.lastDuty.set(pin, duty);
        this.log([now, pin, high, total]);
      }
    }
    this.refresh();
  }

  log(change) {
    this.changes.push(change);
    this.onChange?.(change);
  }

  /** Brings the output levels up to date (only while edges are followed). */
  refresh() {
    let direction = 0;
    let value = 0;
    for (const slice of this.slices) {
      const isOutput = (slice.csr & CSR_DIVMODE) === 0;
      direction |= slice.maskA | (isOutput ? slice.maskB : 0);
      if (!this.edges || !(this.selected & (slice.maskA | slice.maskB))) continue;
      if (slice.levelAt(0, this.clock.now)) value |= slice.maskA;
      if (slice.levelAt(1, this.clock.now)) value |= slice.maskB;
    }
    if (value !== this.gpioValue || direction !== this.gpioDirection) {
      this.gpioValue = value;
      this.gpioDirection = direction;
      this.onLevels?.();
    }
  }

  edge(slice) {
    this.refresh();
    this.planEdge(slice);
  }

  planEdge(slice) {
    if (this.edges && this.selected & (slice.maskA | slice.maskB) && slice.running) {
      slice.toggle.at(slice.nextEdge(this.clock.now));
    } else {
      slice.toggle.cancel();
    }
  }

  /** Level of a PWM pin now, edge-followed or not. */
  levelOf(pin) {
    const slice = this.slices[(pin >> 1) & 7];
    return slice.levelAt(pin & 1, this.clock.now);
  }

  wrapsWanted(slice) {
    const bit = 1 << slice.index;
    return (this.intEnable & bit) !== 0 || this.rp2040.dma.wants(DREQ_PWM_WRAP0 + slice.index);
  }

  wrapped(slice) {
    this.intRaw |= 1 << slice.index;
    this.checkInterrupts();
    this.rp2040.dma.pulse(DREQ_PWM_WRAP0 + slice.index);
  }

  checkInterrupts() {
    this.rp2040.setInterrupt(IRQ_PWM_WRAP, ((this.intRaw & this.intEnable) | this.intForce) !== 0);
  }

  /** INTR of slices nobody was told about wrap by wrap. */
  collectWraps() {
    const { now } = this.clock;
    for (const slice of this.slices) {
      if (slice.running && slice.clockOfPhase(0, slice.wrapSeen) <= now) {
        this.intRaw |= 1 << slice.index;
      }
      slice.wrapSeen = now;
    }
  }

  gpioOnInput() {
    // Counting edges or gating by the B pin is not modelled.
  }

  readUint32(offset) {
    if (offset < REGISTER_EN) return this.slices[Math.floor(offset / 0x14)].read(offset % 0x14);
    this.collectWraps();
    switch (offset) {
      case REGISTER_EN:
        return this.slices.reduce((mask, s) => mask | ((s.csr & CSR_EN) << s.index), 0);
      case REGISTER_INTR:
        return this.intRaw;
      case REGISTER_INTE:
        return this.intEnable;
      case REGISTER_INTF:
        return this.intForce;
      case REGISTER_INTS:
        return (this.intRaw & this.intEnable) | this.intForce;
    }
    return super.readUint32(offset);
  }

  writeUint32(offset, value) {
    if (offset < REGISTER_EN) {
      this.slices[Math.floor(offset / 0x14)].write(offset % 0x14, value);
      return;
    }
    this.collectWraps();
    switch (offset) {
      case REGISTER_EN:
        for (const slice of this.slices) slice.enabled = (value & (1 << slice.index)) !== 0;
        break;
      case REGISTER_INTR:
        this.intRaw &= ~this.rawWriteValue;
        break;
      case REGISTER_INTE:
        this.intEnable = value & 0xff;
        break;
      case REGISTER_INTF:
        this.intForce = value & 0xff;
        break;
      default:
        super.writeUint32(offset, value);
    }
    this.checkInterrupts();
    for (const slice of this.slices) slice.plan();
  }
}
