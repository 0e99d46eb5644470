// One PIO state machine in step with the system clock. JMP, IN, MOV and SET are rp2040js's; what
// can wait (WAIT, OUT, PUSH, PULL, IRQ), and when anything happens, is decided here.

import { FIFO, StateMachine } from 'rp2040js';
import { NEVER } from './clock.mjs';

const SHIFTCTRL_AUTOPULL = 1 << 17;
const SHIFTCTRL_OUT_RIGHT = 1 << 19;
const SHIFTCTRL_JOIN_TX = 1 << 30;
const SHIFTCTRL_JOIN_RX = 1 << 31;
const EXECCTRL_SIDE_EN = 1 << 30;
const EXECCTRL_STALLED = 1 << 31;
const FDEBUG_TXSTALL = 1 << 24;
const FDEBUG_RXSTALL = 1 << 0;

const REGISTER_CLKDIV = 0x0;
const REGISTER_EXECCTRL = 0x4;
const REGISTER_SHIFTCTRL = 0x8;
const REGISTER_INSTR = 0x10;
const REGISTER_PINCTRL = 0x14;

const WAIT = 0b001;
const OUT = 0b011;
const PUSH_PULL = 0b100;
const IRQ = 0b110;

const WAIT_RX = 2; // rp2040js's: IN with autopush and a full RX FIFO
const AGAIN = 100; // ours: the instruction in `waitIndex` is tried again
const IRQ_LOW = 101; // ours: IRQ WAIT, until the flag in `waitIndex` is down

const CLOCK = 256; // `time` counts 256ths of a clock, the divider's resolution

export class ExactStateMachine extends StateMachine {
  constructor(rp2040, pio, index) {
    super(rp2040, pio, index);
    this.outputShiftCount = 32; // empty, as SM_RESTART also leaves it
    this.next = NEVER; // clock at which something has to be done
    this.time = 0; // of the next cycle of the program
    this.divider = CLOCK;
    this.delayLeft = 0; // delay cycles that a halted machine still has to go through
    this.idlePeriod = 0; // > 0: repeats itself invisibly every so many cycles from `time` on
    this.idleRegister = 0; // 1: counting X down, 2: counting Y down, once a period
    this.idleEnd = 0;
    this.latch = -1; // instruction that OUT EXEC or MOV EXEC left for the next cycle
    this.latched = false; // the instruction waited in came from the latch
    this.forced = -1; // instruction that the CPU wrote
    this.forcedClock = NEVER;
    this.executing = false;
    this.effects = 0; // counts what others can notice
    this.seen = null; // state at the last backward jump
  }

  // --- time ---------------------------------------------------------------------------------

  get cycleClock() {
    return Math.floor(this.time / CLOCK);
  }

  plan() {
    if (this.idlePeriod) return;
    this.next = this.enabled && !this.stalledByForce ? this.cycleClock : NEVER;
    if (this.forcedClock < this.next) this.next = this.forcedClock;
  }

  get stalledByForce() {
    return this.forced >= 0 && (this.execCtrl & EXECCTRL_STALLED) !== 0;
  }

  /** Moves `time` to the first cycle at or after `clock`. */
  align(clock) {
    const behind = clock * CLOCK - this.time;
    if (behind > 0) this.time += Math.ceil(behind / this.divider) * this.divider;
  }

  /** Takes the delay cycles still to come out of `time`; returns how many there are. */
  unfold(clock) {
    const cycles = Math.max(0, Math.floor((this.time - clock * CLOCK) / this.divider));
    this.time -= cycles * this.divider;
    return cycles;
  }

  /** Enabled or disabled by the CPU: from `clock` on. The divider never stops. */
  enabledChanged(clock) {
    if (this.enabled) {
      this.align(clock);
      this.time += this.delayLeft * this.divider;
      this.delayLeft = 0;
    } else {
      this.delayLeft = this.unfold(clock);
    }
  }

  restart() {
    super.restart();
    this.unfold(this.pio.clock + 1);
    this.delayLeft = 0;
    this.latch = -1;
    this.latched = false;
    this.forced = -1;
    this.forcedClock = NEVER;
    this.execValid = false;
    this.execCtrl &= ~EXECCTRL_STALLED;
  }

  /** The divider counts from its full period again. */
  clkDivRestart() {
    const clock = this.pio.clock + 1;
    const cycles = this.unfold(clock);
    this.time = (clock + (this.divider >> 8) - 1) * CLOCK + cycles * this.divider;
  }

  /** A new divider counts from the cycle that is due. */
  setDivider() {
    const cycles = this.unfold(this.pio.clock + 1);
    this.divider = this.clockDivInt ? this.clockDivInt * 256 + this.clockDivFrac : 65536 * 256;
    this.time += cycles * this.divider;
  }

  /** Lives on from `clock`, after something may have changed what it waits for. */
  wake(clock) {
    this.idlePeriod = 0;
    this.seen = null;
    if (this.enabled) this.align(clock);
    this.plan();
  }

  /** Brings an idling machine to the state it has before `clock`. */
  settle(clock) {
    if (!this.idlePeriod) return;
    const period = this.idlePeriod * this.divider;
    const periods = Math.floor((clock * CLOCK - 1 - this.time) / period);
    if (periods > 0) this.skip(periods, period);
    this.idlePeriod = 0;
    this.seen = null;
    this.plan();
    while (this.next < clock) this.step(this.next, false);
  }

  skip(periods, period) {
    this.time += periods * period;
    if (this.idleRegister === 1) this.x -= periods;
    else if (this.idleRegister === 2) this.y -= periods;
  }

  /** Does what is due at `clock`. */
  step(clock, mayIdle = true) {
    if (this.idlePeriod) {
      const period = this.idlePeriod * this.divider;
      this.skip((this.idleEnd - this.time) / period, period);
      this.idlePeriod = 0;
    }
    if (this.forcedClock === clock) this.stepForced(clock);
    else this.cycle(mayIdle);
    this.plan();
  }

  /** One cycle of the program. */
  cycle(mayIdle) {
    const before = this.pc;
    const regular = this.latch < 0 && !this.waiting;
    if (mayIdle && regular && this.pio.apart && this.startCountdown()) return;
    const { effects } = this;
    this.cycles = 0;
    if (this.waiting) this.lookAgain();
    else if (this.latch >= 0) {
      const opcode = this.latch;
      this.latch = -1;
      this.latched = true;
      this.executeInstruction(opcode);
      if (!this.waiting) this.latched = false;
    } else {
      this.updatePC = true;
      this.executeInstruction(this.pio.instructions[before]);
      if (this.updatePC && !this.waiting) this.nextPC();
    }
    this.payDelay();
    if (!mayIdle || !this.pio.apart) return;
    if (this.waiting) {
      const delaying = this.waitType === AGAIN && this.waitIndex < 0;
      if (effects === this.effects && !delaying) this.idle(1, 0, NEVER);
    } else if (regular && this.pc <= before) this.lookForRepetition();
  }

  payDelay() {
    if (this.waiting) this.cycles = 1;
    // Autopull may find a word in any delay cycle.
    if (this.cycles > 1 && this.autopullDue) {
      this.delaying = this.cycles - 1;
      this.cycles = 1;
      this.waiting = true;
      this.waitType = AGAIN;
      this.waitIndex = -1;
    }
    this.time += this.cycles * this.divider;
  }

  get autopullDue() {
    return (
      (this.shiftCtrl & SHIFTCTRL_AUTOPULL) !== 0 && this.outputShiftCount >= this.pullThreshold
    );
  }

  // --- doing nothing -------------------------------------------------------------------------

  idle(period, register, count) {
    this.idlePeriod = period;
    this.idleRegister = register;
    this.idleEnd = this.time + count * period * this.divider;
    this.next = count === NEVER ? NEVER : Math.floor(this.idleEnd / CLOCK);
    if (this.forcedClock < this.next) this.next = this.forcedClock;
  }

  /** At `pc` stands a loop that only counts, and perhaps tests the jmp pin? */
  startCountdown() {
    const plan = this.pio.plans[this.pc];
    if (!plan || this.forced >= 0 || (plan.testsPin && this.pinHigh)) return false;
    if (plan.wraps && plan.wraps.includes(this.wrapTop)) return false;
    const count = plan.register === 1 ? this.x : plan.register === 2 ? this.y : NEVER;
    if (count < 2) return false;
    this.idle(plan.period, plan.register, count);
    return true;
  }

  /** A machine that comes back to the same state with nothing done repeats itself for ever. */
  lookForRepetition() {
    const seen = this.seen;
    if (
      seen &&
      seen.effects === this.effects &&
      seen.pc === this.pc &&
      seen.x === this.x &&
      seen.y === this.y &&
      seen.isr === this.inputShiftReg &&
      seen.osr === this.outputShiftReg &&
      seen.isrCount === this.inputShiftCount &&
      seen.osrCount === this.outputShiftCount
    ) {
      this.idle((this.time - seen.time) / this.divider, 0, NEVER);
      return;
    }
    this.seen = {
      effects: this.effects,
      pc: this.pc,
      x: this.x,
      y: this.y,
      isr: this.inputShiftReg,
      osr: this.outputShiftReg,
      isrCount: this.inputShiftCount,
      osrCount: this.outputShiftCount,
      time: this.time,
    };
  }

  // --- instructions --------------------------------------------------------------------------

  executeInstruction(opcode) {
    if (this.executing) {
      this.latch = opcode & 0xffff; // OUT EXEC, MOV EXEC: in the next cycle
      this.effects++;
      return;
    }
    const kind = opcode >>> 13;
    if (kind === WAIT || kind === OUT || kind === PUSH_PULL || kind === IRQ) {
      if (this.attempt(opcode)) this.finish(opcode);
      else this.keepTrying(opcode);
      this.sideset(opcode);
    } else {
      this.executing = true;
      super.executeInstruction(opcode);
      this.executing = false;
    }
    if (kind !== OUT) this.refill();
  }

  finish(opcode) {
    this.cycles = 1 + (this.latch < 0 ? this.delayOf(opcode) : 0);
  }

  keepTrying(opcode) {
    if (this.waiting) return; // IRQ WAIT has said for itself what it waits for
    this.waiting = true;
    this.waitType = AGAIN;
    this.waitIndex = opcode;
    this.updatePC = false;
  }

  delayOf(opcode) {
    return (opcode >> 8) & ((1 << (5 - this.sidesetCount)) - 1);
  }

  sideset(opcode) {
    const { sidesetCount } = this;
    const optional = (this.execCtrl & EXECCTRL_SIDE_EN) !== 0;
    if (!sidesetCount || (optional && !(opcode & 0x1000))) return;
    const value = ((opcode >> 8) & 0x1f) >> (5 - sidesetCount);
    this.setSideset(value, optional ? sidesetCount - 1 : sidesetCount);
  }

  /** Executes an instruction that may have to wait; false if it has. */
  attempt(opcode) {
    const { pio } = this;
    switch (opcode >>> 13) {
      case WAIT:
        return this.attemptWait(opcode);
      case OUT:
        if (this.autopullDue) {
          if (this.txFIFO.empty) this.flag(FDEBUG_TXSTALL);
          else this.pull(); // and shifts in the next cycle
          return false;
        }
        this.outInstruction(opcode & 0xff);
        return true;
      case PUSH_PULL:
        return opcode & 0x80 ? this.attemptPull(opcode) : this.attemptPush(opcode);
      default: {
        const flag = 1 << irqIndex(opcode & 0x1f, this.index);
        pio.changeIrq(opcode & 0x40 ? 0 : flag, opcode & 0x40 ? flag : 0);
        if ((opcode & 0x60) !== 0x20) return true;
        this.waiting = true; // IRQ WAIT
        this.waitType = IRQ_LOW;
        this.waitIndex = opcode;
        this.updatePC = false;
        return false;
      }
    }
  }

  attemptWait(opcode) {
    const { pio } = this;
    const high = (opcode & 0x80) !== 0;
    const index = opcode & 0x1f;
    switch ((opcode >> 5) & 3) {
      case 0:
        return (((pio.inputs >>> index) & 1) === 1) === high;
      case 1:
        return (((pio.inputs >>> ((index + this.inBase) & 31)) & 1) === 1) === high;
      default: {
        const flag = 1 << irqIndex(index, this.index);
        if (((pio.irqSeen & flag) !== 0) !== high) return false;
        if (high) pio.changeIrq(0, flag);
        this.effects++; // a loop around it never passes for idle
        return true;
      }
    }
  }

  attemptPull(opcode) {
    // With autopull a full OSR makes PULL do nothing, so that it is a fence.
    const autopull = this.shiftCtrl & SHIFTCTRL_AUTOPULL ? 1 : 0;
    const threshold = opcode & 0x40 ? this.pullThreshold : autopull;
    if (this.outputShiftCount < threshold) return true;
    if (!this.txFIFO.empty) {
      this.pull();
    } else if (opcode & 0x20) {
      this.flag(FDEBUG_TXSTALL);
      return false;
    } else {
      this.outputShiftReg = this.x;
      this.outputShiftCount = 0;
    }
    return true;
  }

  attemptPush(opcode) {
    if (opcode & 0x40 && this.inputShiftCount < this.pushThreshold) return true;
    if (this.rxFIFO.full) {
      this.flag(FDEBUG_RXSTALL);
      if (opcode & 0x20) return false;
    } else {
      this.rxFIFO.push(this.inputShiftReg);
      this.updateDMARx();
      this.pio.checkInterrupts();
    }
    this.inputShiftReg = 0;
    this.inputShiftCount = 0;
    return true;
  }

  outInstruction(arg) {
    const count = arg & 0x1f || 32;
    const osr = this.outputShiftReg >>> 0;
    let value;
    if (count === 32) {
      value = osr;
      this.outputShiftReg = 0;
    } else if (this.shiftCtrl & SHIFTCTRL_OUT_RIGHT) {
      value = osr & ((1 << count) - 1);
      this.outputShiftReg = osr >>> count;
    } else {
      value = osr >>> (32 - count);
      this.outputShiftReg = (osr << count) >>> 0;
    }
    this.outputShiftCount = Math.min(32, this.outputShiftCount + count);
    this.writeOutValue(arg >> 5, value >>> 0, count);
    if (this.execValid) {
      this.execValid = false;
      this.latch = this.execOpcode & 0xffff;
      this.effects++;
    }
    if (this.autopullDue && !this.txFIFO.empty) this.pull();
  }

  /** Autopull refills an empty OSR in any cycle in which it is not used. */
  refill() {
    if (this.autopullDue && !this.txFIFO.empty) this.pull();
  }

  pull() {
    this.outputShiftReg = this.txFIFO.pull();
    this.outputShiftCount = 0;
    this.updateDMATx();
    this.pio.checkInterrupts();
  }

  flag(bit) {
    const mask = bit << this.index;
    if (!(this.pio.fdebug & mask)) {
      this.pio.fdebug |= mask;
      this.effects++;
    }
  }

  /** rp2040js looks whenever somebody touches a FIFO; here only the machine's cycles count. */
  checkWait() {}

  /** Looks again, one cycle later, whether what it waits for is there. */
  lookAgain() {
    let opcode = this.waitIndex;
    switch (this.waitType) {
      case AGAIN:
        if (opcode < 0) {
          this.refill();
          if (--this.delaying > 0) return;
          this.waiting = false;
          this.cycles = 1;
          return;
        }
        this.waiting = false;
        this.updatePC = true;
        this.waiting = !this.attempt(opcode);
        this.sideset(opcode); // in every cycle of a stall (raspberrypi/pico-feedback #185)
        if (opcode >>> 13 !== OUT) this.refill();
        if (this.waiting) return;
        break;
      case IRQ_LOW:
        this.sideset(opcode);
        this.refill();
        if (this.pio.irqSeen & (1 << irqIndex(opcode & 0x1f, this.index))) return;
        this.effects++;
        this.updatePC = true;
        break;
      case WAIT_RX:
        this.refill();
        if (this.rxFIFO.full) return;
        this.rxFIFO.push(this.waitIndex);
        this.updateDMARx();
        this.pio.checkInterrupts();
        opcode = Math.max(0, this.waitDelay) << 8;
        this.updatePC = true;
        break;
    }
    this.waiting = false;
    this.finish(opcode);
    if (this.updatePC && !this.latched && !this.inForce) this.nextPC();
    this.latched = false;
  }

  // --- instructions the CPU writes ------------------------------------------------------------

  /** To be executed in the next clock, in the place of what the program does then. */
  force(opcode) {
    this.forced = opcode;
    this.forcedClock = this.pio.clock + 1;
    this.execCtrl &= ~EXECCTRL_STALLED;
  }

  stepForced(clock) {
    const { waiting, waitType, waitIndex, waitDelay, latched, pc } = this;
    const again = this.stalledByForce;
    if (!again && this.enabled && this.cycleClock === clock) this.time += this.divider;
    this.waiting = false;
    this.inForce = true;
    this.updatePC = true;
    if (again && this.forced >>> 13 !== IRQ) {
      if (this.attempt(this.forced)) this.waiting = false;
      else this.waiting = true;
    } else if (again) {
      this.waiting = (this.pio.irqSeen & (1 << irqIndex(this.forced & 0x1f, this.index))) !== 0;
    } else {
      this.executeInstruction(this.forced);
    }
    this.inForce = false;
    if (this.waiting) {
      this.execCtrl |= EXECCTRL_STALLED;
      this.forcedClock = clock + 1;
      this.waiting = false;
      if (!again) this.interrupted = { waiting, waitType, waitIndex, waitDelay, latched };
      return;
    }
    const resumed = again ? this.interrupted : { waiting, waitType, waitIndex, waitDelay, latched };
    this.execCtrl &= ~EXECCTRL_STALLED;
    this.forced = -1;
    this.forcedClock = NEVER;
    if (this.pc === pc && this.updatePC) Object.assign(this, resumed);
    else if (resumed.waiting && resumed.waitType === WAIT_RX) {
      this.inputShiftReg = resumed.waitIndex; // IN had shifted already
    }
    if (again && this.enabled) this.align(clock + 1);
  }

  // --- what it sees ---------------------------------------------------------------------------

  get pinHigh() {
    return ((this.pio.inputs >>> this.jmpPin) & 1) === 1;
  }

  get inPins() {
    const { inputs } = this.pio;
    const base = this.inBase;
    return (base ? (inputs >>> base) | (inputs << (32 - base)) : inputs) >>> 0;
  }

  jmpCondition(condition) {
    return condition === 0b110 ? this.pinHigh : super.jmpCondition(condition);
  }

  /** The pins that its instructions may write. */
  get outputPins() {
    const optional = this.execCtrl & EXECCTRL_SIDE_EN ? 1 : 0;
    return (
      pinMask(this.outBase, this.outCount) |
      pinMask(this.setBase, this.setCount) |
      pinMask(this.sidesetBase, Math.max(0, this.sidesetCount - optional))
    );
  }

  // --- FIFOs and registers --------------------------------------------------------------------

  updateDMATx() {
    this.effects++;
    this.pio.requestDma?.(this.dreqTx);
  }

  updateDMARx() {
    this.effects++;
    this.pio.requestDma?.(this.dreqRx);
  }

  /** FJOIN has changed: the FIFOs have other sizes, and are empty. */
  joinFifos() {
    const tx = (this.shiftCtrl & SHIFTCTRL_JOIN_TX) !== 0;
    const rx = (this.shiftCtrl & SHIFTCTRL_JOIN_RX) !== 0;
    this.txFIFO = new FIFO(rx ? 0 : tx ? 8 : 4);
    this.rxFIFO = new FIFO(tx ? 0 : rx ? 8 : 4);
    this.updateDMATx();
    this.updateDMARx();
    this.pio.checkInterrupts();
  }

  writeUint32(offset, value) {
    switch (offset) {
      case REGISTER_CLKDIV:
        super.writeUint32(offset, value);
        this.setDivider();
        break;
      case REGISTER_SHIFTCTRL: {
        const changed = this.shiftCtrl ^ value;
        super.writeUint32(offset, value);
        if (changed & (SHIFTCTRL_JOIN_TX | SHIFTCTRL_JOIN_RX)) this.joinFifos();
        break;
      }
      case REGISTER_INSTR:
        this.force(value & 0xffff);
        break;
      default:
        super.writeUint32(offset, value);
    }
    if (offset === REGISTER_EXECCTRL || offset === REGISTER_PINCTRL) this.pio.programChanged();
  }
}

function irqIndex(index, machine) {
  return index & 0x10 ? (index & 4) | ((index + machine) & 3) : index & 7;
}

/** `count` pins from `base` on, wrapping at 32. */
export function pinMask(base, count) {
  const mask = count > 31 ? -1 : (1 << count) - 1;
  return base ? (mask << base) | (mask >>> (32 - base)) : mask;
}
