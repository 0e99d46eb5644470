// PIO in step with the system clock. The instructions are rp2040js's; when each one happens, and
// what it can see at that clock, is decided here. README.md lists each correction and its reason.

import { FIFO, RPPIO, StateMachine } from 'rp2040js';
import { NEVER } from './clock.mjs';

const SHIFTCTRL_FJOIN_TX = 1 << 30;
const SHIFTCTRL_FJOIN_RX = 1 << 31;
const SHIFTCTRL_AUTOPULL = 1 << 17;
const EXECCTRL_SIDE_EN = 1 << 30;
const EXECCTRL_EXEC_STALLED = 1 << 31;

const SM_CLKDIV = 0x0;
const SM_EXECCTRL = 0x4;
const SM_SHIFTCTRL = 0x8;
const SM_INSTR = 0x10;

const WAIT_PIN = 1;
const WAIT_RX = 2;
const WAIT_TX = 3;
const WAIT_IRQ = 4;
const WAIT_OUT = 5;

const OUTPUT_DELAY = 1; // an output register changes at the end of the cycle that writes it

const isOut = (opcode) => opcode >>> 13 === 0b011;
const isPull = (opcode) => opcode >>> 13 === 0b100 && (opcode & 0x80) !== 0;
const isMov = (opcode) => opcode >>> 13 === 0b101;
const isJmp = (opcode) => opcode >>> 13 === 0b000;
const jmpCondition = (opcode) => (opcode >> 5) & 7;
const jmpTarget = (opcode) => opcode & 0x1f;

/** Does this instruction look at pins other than the jmp pin? */
function looksAtPins(opcode) {
  switch (opcode >>> 13) {
    case 0b001:
      return ((opcode >> 5) & 3) < 2; // WAIT GPIO, WAIT PIN
    case 0b010:
      return ((opcode >> 5) & 7) === 0; // IN PINS
    case 0b101:
      return (opcode & 7) === 0; // MOV from PINS
    default:
      return false;
  }
}

class ExactStateMachine extends StateMachine {
  constructor(rp2040, pio, index) {
    super(rp2040, pio, index);
    this.next = NEVER; // clock of the next cycle that has to be executed
    this.tick = 0; // that cycle, in cycles of this machine's divided clock since `origin`
    this.origin = 0;
    this.divider = 256; // in 1/256 clocks
    this.idlePeriod = 0; // > 0: repeats itself invisibly every so many ticks from `tick` on
    this.idleRegister = 0; // 1: counting X down, 2: counting Y down, once a period
    this.execStalled = false; // waits in an instruction that the CPU wrote, not in the program
    this.effects = 0; // counts what others can see
    this.seen = null; // state at the last backward jump
  }

  // --- time -----------------------------------------------------------------------------------

  clockOfTick(tick) {
    return this.origin + (this.divider === 256 ? tick : Math.floor((tick * this.divider) / 256));
  }

  /** First tick at or after `clock`. */
  tickAt(clock) {
    if (this.divider === 256) return clock - this.origin;
    let tick = Math.ceil(((clock - this.origin) * 256) / this.divider);
    while (this.clockOfTick(tick) < clock) tick++;
    return tick;
  }

  setDivider(clock) {
    this.divider = (this.clockDivInt || 65536) * 256 + (this.clockDivInt ? this.clockDivFrac : 0);
    this.origin = clock;
    this.tick = 0;
  }

  /** Lives from `clock` on; whatever is in the way of idling has to be looked at again. */
  wake(clock) {
    this.idlePeriod = 0;
    this.seen = null;
    if (!this.enabled) {
      this.next = NEVER;
      return;
    }
    const tick = this.tickAt(clock);
    if (tick > this.tick) this.tick = tick;
    this.next = this.clockOfTick(this.tick);
  }

  /** Brings an idling machine to the state it has before `clock`. */
  settle(clock) {
    if (!this.idlePeriod) return;
    const period = this.idlePeriod;
    const periods = Math.floor((this.tickAt(clock) - this.tick) / period);
    if (periods > 0) {
      this.tick += periods * period;
      if (this.idleRegister === 1) this.x -= periods;
      else if (this.idleRegister === 2) this.y -= periods;
    }
    this.idlePeriod = 0;
    this.seen = null;
    this.next = this.clockOfTick(this.tick);
    while (this.next < clock) this.cycle(false);
  }

  /** Executes the cycle at `this.next`. */
  cycle(mayIdle = true) {
    const before = this.pc;
    const plan = mayIdle && !this.waiting ? this.pio.plans[before] : 0;
    if (plan && this.idle(plan)) return;
    this.cycles = 0;
    if (this.waiting) {
      this.cycles = 1;
      this.checkWait();
      if (this.waiting && mayIdle) {
        this.idlePeriod = 1; // nothing changes until somebody else does something
        this.idleRegister = 0;
        this.next = NEVER;
        return;
      }
    } else {
      const opcode = this.pio.instructions[before];
      this.updatePC = true;
      this.refill(opcode);
      this.executeInstruction(opcode);
      if (this.updatePC) this.nextPC();
    }
    this.tick += this.cycles;
    this.next = this.clockOfTick(this.tick);
    if (mayIdle && this.pc <= before && !this.waiting) this.lookForRepetition();
  }

  /** Skips a countdown: at `pc` stands a loop that only counts, and perhaps tests the jmp pin. */
  idle(plan) {
    if (plan.testsPin && this.pinHigh) return false;
    const count = plan.register === 1 ? this.x : plan.register === 2 ? this.y : NEVER;
    if (count < 2) return false;
    this.idlePeriod = plan.period;
    this.idleRegister = plan.register;
    this.next = count === NEVER ? NEVER : this.clockOfTick(this.tick + count * plan.period);
    if (count !== NEVER) this.idleEnd = this.tick + count * plan.period;
    return true;
  }

  /** A countdown has run out: `next` has come. */
  finishIdle() {
    if (this.idleRegister === 1) this.x = 0;
    else if (this.idleRegister === 2) this.y = 0;
    this.tick = this.idleEnd;
    this.idlePeriod = 0;
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
      this.idlePeriod = this.tick - seen.tick;
      this.idleRegister = 0;
      this.next = NEVER;
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
      tick: this.tick,
    };
  }

  // --- what the instructions see and do -------------------------------------------------------

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

  /** Autopull refills an empty OSR behind any instruction that does not itself use it. */
  refill(opcode) {
    if (
      this.shiftCtrl & SHIFTCTRL_AUTOPULL &&
      this.outputShiftCount >= this.pullThreshold &&
      !this.txFIFO.empty &&
      !isOut(opcode) &&
      !isPull(opcode) &&
      !isMov(opcode)
    ) {
      this.outputShiftReg = this.txFIFO.pull();
      this.outputShiftCount = 0;
      this.updateDMATx();
      this.pio.checkInterrupts();
    }
  }

  outInstruction(arg) {
    super.outInstruction(arg);
    this.outputShiftReg >>>= 0;
    if (
      this.shiftCtrl & SHIFTCTRL_AUTOPULL &&
      this.outputShiftCount >= this.pullThreshold &&
      !this.txFIFO.empty
    ) {
      this.outputShiftReg = this.txFIFO.pull();
      this.outputShiftCount = 0;
      this.updateDMATx();
      this.pio.checkInterrupts();
    }
  }

  /** Completes the instruction waited in, if what it waits for is there at this cycle. */
  checkWait() {
    if (!this.waiting) return;
    const { pio } = this;
    let advance = true;
    switch (this.waitType) {
      case WAIT_IRQ: {
        const flag = 1 << this.waitIndex;
        if (this.waitPolarity) {
          if (!(pio.irqSeen & flag)) return;
          pio.changeIrq(0, flag);
        } else if ((pio.irqSeen | pio.irq) & flag) {
          return;
        }
        break;
      }
      case WAIT_PIN:
        if (((pio.inputs >>> this.waitIndex) & 1) !== (this.waitPolarity ? 1 : 0)) return;
        break;
      case WAIT_RX:
        if (this.rxFIFO.full) return;
        this.rxFIFO.push(this.waitIndex);
        this.updateDMARx();
        pio.checkInterrupts();
        break;
      case WAIT_TX:
      case WAIT_OUT:
        if (this.txFIFO.empty) return;
        this.outputShiftReg = this.txFIFO.pull();
        this.updateDMATx();
        pio.checkInterrupts();
        if (this.waitType === WAIT_OUT) {
          this.updatePC = true;
          this.outInstruction(this.waitIndex);
          advance = this.updatePC;
        }
        break;
    }
    this.waiting = false;
    this.cycles += Math.max(this.waitDelay, 0);
    this.execCtrl &= ~EXECCTRL_EXEC_STALLED;
    if (advance && !this.execStalled) this.nextPC();
    this.execStalled = false;
  }

  /** The CPU writes an instruction: it takes the place of the one the machine is at. */
  execute(opcode) {
    if (this.waiting) {
      this.waiting = false;
      if (this.waitType === WAIT_RX) this.inputShiftReg = this.waitIndex;
    }
    this.execStalled = true;
    this.executeInstruction(opcode);
    if (this.waiting) this.execCtrl |= EXECCTRL_EXEC_STALLED;
    else this.execStalled = false;
  }

  updateDMATx() {
    this.effects++;
    this.pio.requestDma?.(this.dreqTx);
  }

  updateDMARx() {
    this.effects++;
    this.pio.requestDma?.(this.dreqRx);
  }

  restart() {
    super.restart();
    this.execStalled = false;
    this.execValid = false;
    this.execCtrl &= ~EXECCTRL_EXEC_STALLED;
    this.tick = 0; // an unfinished delay is forgotten; wake() finds the next cycle
  }

  clkDivRestart() {
    this.setDivider(this.pio.clock + 1);
  }

  joinFifos() {
    const tx = (this.shiftCtrl & SHIFTCTRL_FJOIN_TX) !== 0;
    const rx = (this.shiftCtrl & SHIFTCTRL_FJOIN_RX) !== 0;
    this.txFIFO = new FIFO(tx && !rx ? 8 : rx ? 0 : 4);
    this.rxFIFO = new FIFO(rx && !tx ? 8 : tx ? 0 : 4);
    this.updateDMATx();
    this.updateDMARx();
    this.pio.checkInterrupts();
  }

  writeUint32(offset, value) {
    switch (offset) {
      case SM_CLKDIV:
        super.writeUint32(offset, value);
        this.setDivider(this.pio.clock + 1);
        break;
      case SM_SHIFTCTRL: {
        const changed = this.shiftCtrl ^ value;
        super.writeUint32(offset, value);
        if (changed & (SHIFTCTRL_FJOIN_TX | SHIFTCTRL_FJOIN_RX)) this.joinFifos();
        break;
      }
      case SM_INSTR:
        this.execute(value & 0xffff);
        break;
      default:
        super.writeUint32(offset, value);
    }
    if (offset === SM_EXECCTRL || offset === SM_INSTR + 4) this.pio.programChanged();
  }
}

export class ExactPio extends RPPIO {
  /**
   * `clock` is the board's Clock; `pins.pioChanged(clock)` is told when outputs change, and
   * `requestDma(treq)` when a FIFO has taken or given a word.
   */
  constructor(rp2040, name, firstIrq, index, boardClock, pins) {
    super(rp2040, name, firstIrq, index);
    this.boardClock = boardClock;
    this.pins = pins;
    this.requestDma = null;
    this.clock = 0; // the cycle being executed, or through which everything has been executed
    this.due = NEVER; // clock of the next cycle that has to be executed
    this.inputs = 0; // levels of the pins as the machines see them
    this.watched = 0; // pins whose inputs the machines look at
    this.irqSeen = 0; // IRQ flags as they were before the cycle being executed
    this.plans = new Array(32).fill(0);
    this.machines = [0, 1, 2, 3].map((i) => new ExactStateMachine(rp2040, this, i));
  }

  run() {}

  stop() {}

  /** Executes every cycle before `until`. */
  advance(until) {
    const [a, b, c, d] = this.machines;
    while (this.due < until) {
      const clock = (this.clock = this.due);
      this.irqSeen = this.irq;
      if (a.next === clock) this.step(a);
      if (b.next === clock) this.step(b);
      if (c.next === clock) this.step(c);
      if (d.next === clock) this.step(d);
      this.reschedule();
      if (this.pinValues !== this.oldPinValues || this.pinDirections !== this.oldPinDirections) {
        this.oldPinValues = this.pinValues;
        this.oldPinDirections = this.pinDirections;
        this.pins.update(clock + OUTPUT_DELAY);
      }
      if (this.irq !== this.irqSeen) {
        this.irqSeen = this.irq;
        this.wakeWaiting(clock + 1);
        this.reschedule();
      }
    }
  }

  step(machine) {
    if (machine.idlePeriod) machine.finishIdle();
    machine.cycle();
  }

  reschedule() {
    const [a, b, c, d] = this.machines;
    const due = Math.min(a.next, b.next, c.next, d.next);
    if (due !== this.due) {
      this.due = due;
      this.boardClock.touched = true;
    }
  }

  /** The state as somebody sees it who comes in the middle: everything before `clock` done. */
  settle(clock) {
    this.advance(clock);
    for (const machine of this.machines) machine.settle(clock);
    this.clock = clock - 1;
    this.irqSeen = this.irq;
  }

  /** What was done to the block at `clock - 1` counts from `clock` on. */
  resume(clock) {
    if (this.pinValues !== this.oldPinValues || this.pinDirections !== this.oldPinDirections) {
      this.oldPinValues = this.pinValues;
      this.oldPinDirections = this.pinDirections;
      this.pins.update(clock);
    }
    for (const machine of this.machines) machine.wake(clock);
    this.reschedule();
  }

  wakeWaiting(clock) {
    for (const machine of this.machines) {
      if (machine.idlePeriod && machine.next === NEVER) {
        machine.settle(clock);
        machine.wake(clock);
      }
    }
  }

  /** The pins show these levels to the machines from `clock` on. */
  setInputs(levels, clock) {
    if ((levels ^ this.inputs) & this.watched) {
      this.settle(clock);
      this.inputs = levels;
      this.resume(clock);
    } else {
      this.inputs = levels;
    }
  }

  readUint32(offset) {
    const { now } = this.boardClock;
    this.settle(now + 1);
    const value = super.readUint32(offset);
    this.resume(now + 1);
    return value;
  }

  writeUint32(offset, value) {
    const { now } = this.boardClock;
    this.settle(now + 1);
    super.writeUint32(offset, value);
    if (offset >= 0x48 && offset <= 0xc4) this.programChanged();
    this.resume(now + 1);
  }

  irqUpdated() {
    for (const machine of this.machines) machine.effects++;
    this.checkInterrupts();
  }

  changeIrq(set, clear) {
    this.irq = (this.irq | set) & ~clear;
    this.irqUpdated();
  }

  pinValuesChanged(value, firstPin, count) {
    this.pinValues = merge(this.pinValues, value, firstPin, count);
    if (this.pinValues !== this.oldPinValues) this.bumpEffects();
  }

  pinDirectionsChanged(value, firstPin, count) {
    this.pinDirections = merge(this.pinDirections, value, firstPin, count);
    if (this.pinDirections !== this.oldPinDirections) this.bumpEffects();
  }

  bumpEffects() {
    for (const machine of this.machines) machine.effects++;
  }

  checkChangedPins() {}

  /** Finds the loops that only count, and the pins that the programs look at. */
  programChanged() {
    const code = this.instructions;
    this.watched = 0;
    for (const machine of this.machines) this.watched |= 1 << machine.jmpPin;
    for (const opcode of code) if (looksAtPins(opcode)) this.watched = -1;
    const sideset = this.machines.map((m) => [m.sidesetCount, m.execCtrl & EXECCTRL_SIDE_EN]);
    const plain = sideset.every(([count]) => count === 0);
    const wraps = this.machines.map((m) => m.wrapTop);
    for (let pc = 0; pc < 32; pc++) {
      this.plans[pc] = plain ? countdown(code, pc, wraps) : 0;
    }
  }
}

/** The pins after `count` of them from `firstPin` on, wrapping at 32, have taken `value`. */
function merge(pins, value, firstPin, count) {
  const mask = count > 31 ? -1 : (1 << count) - 1;
  const rotate = (word) => (firstPin ? (word << firstPin) | (word >>> (32 - firstPin)) : word);
  const selected = rotate(mask);
  return ((pins & ~selected) | (rotate(value & mask) & selected)) & 0x3fffffff;
}

/** Describes the loop at `pc` if all it does is count (and test the jmp pin), otherwise 0. */
function countdown(code, pc, wraps) {
  const opcode = code[pc];
  if (!isJmp(opcode)) return 0;
  const delay = (opcode >> 8) & 0x1f;
  const register = (op) => (jmpCondition(op) === 0b010 ? 1 : jmpCondition(op) === 0b100 ? 2 : 0);
  if (jmpTarget(opcode) === pc) {
    if (register(opcode)) return { register: register(opcode), period: 1 + delay, testsPin: false };
    if (jmpCondition(opcode) === 0) return { register: 0, period: 1 + delay, testsPin: false };
    return 0;
  }
  const following = code[(pc + 1) & 31];
  if (
    jmpCondition(opcode) === 0b110 &&
    !wraps.includes(pc) &&
    isJmp(following) &&
    register(following) &&
    jmpTarget(following) === pc
  ) {
    const period = 2 + delay + ((following >> 8) & 0x1f);
    return { register: register(following), period, testsPin: true };
  }
  return 0;
}
