// A PIO block in step with the system clock: four state machines, their pins and their flags.

import { RPPIO } from 'rp2040js';
import { NEVER } from './clock.mjs';
import { ExactStateMachine, pinMask } from './pio_machine.mjs';

const REGISTER_CTRL = 0x000;
const INSTR_MEM_FIRST = 0x048;
const INSTR_MEM_LAST = 0x0c4;
const GPIOS = 0x3fffffff;
const OUTPUT_DELAY = 1; // an output register changes at the end of the cycle that writes it

export class ExactPio extends RPPIO {
  /**
   * `boardClock` is the board's Clock; `pins.update(clock)` is called when outputs change, and
   * `requestDma(treq)`, once set, when a FIFO has taken or given a word.
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
    this.irqRaised = 0; // in the cycle being executed
    this.irqCleared = 0;
    this.plans = new Array(32).fill(null);
    this.apart = true; // no two machines write the same pin, so that one may be left alone
    this.machines = [0, 1, 2, 3].map((i) => new ExactStateMachine(rp2040, this, i));
  }

  // rp2040js's own loop runs a thousand instructions whenever the event loop comes round.
  run() {}

  stop() {}

  /** Executes every cycle before `until`. */
  advance(until) {
    while (this.due < until) {
      const clock = (this.clock = this.due);
      this.irqSeen = this.irq;
      for (const machine of this.machines) if (machine.next === clock) machine.step(clock);
      this.reschedule();
      this.commit(clock);
    }
  }

  /** The end of a cycle: others see what was done in it. */
  commit(clock) {
    if (this.irqRaised | this.irqCleared) {
      const flags = (this.irq & ~this.irqCleared) | this.irqRaised;
      this.irqRaised = this.irqCleared = 0;
      if (flags !== this.irq) {
        this.irq = flags;
        this.checkInterrupts();
        this.wakeWaiting(clock + 1);
        this.reschedule();
      }
    }
    this.showPins(clock + OUTPUT_DELAY);
  }

  showPins(clock) {
    if (this.pinValues !== this.oldPinValues || this.pinDirections !== this.oldPinDirections) {
      this.oldPinValues = this.pinValues;
      this.oldPinDirections = this.pinDirections;
      this.pins.update(clock);
    }
  }

  reschedule() {
    const [a, b, c, d] = this.machines;
    const due = Math.min(a.next, b.next, c.next, d.next);
    if (due !== this.due) {
      this.due = due;
      this.boardClock.touched = true;
    }
  }

  /** The state as somebody sees it who comes in between: everything before `clock` is done. */
  settle(clock) {
    this.advance(clock);
    this.irqSeen = this.irq;
    for (const machine of this.machines) machine.settle(clock);
    this.clock = clock - 1;
  }

  /** What was done to the block at `clock - 1` counts from `clock` on. */
  resume(clock) {
    this.showPins(clock);
    for (const machine of this.machines) machine.wake(clock);
    this.reschedule();
  }

  wakeWaiting(clock) {
    for (const machine of this.machines) {
      if (machine.idlePeriod && machine.idleEnd === NEVER) {
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
    return value >>> 0;
  }

  writeUint32(offset, value) {
    const { now } = this.boardClock;
    this.settle(now + 1);
    const enabled = this.machines.map((machine) => machine.enabled);
    super.writeUint32(offset, value);
    if (offset === REGISTER_CTRL) {
      this.machines.forEach((machine, index) => {
        if (machine.enabled !== enabled[index]) machine.enabledChanged(now + 1);
      });
      this.findShared();
    } else if (offset >= INSTR_MEM_FIRST && offset <= INSTR_MEM_LAST) {
      this.programChanged();
    }
    this.resume(now + 1);
  }

  /** The CPU raised or cleared flags. */
  irqUpdated() {
    this.bumpEffects();
    this.checkInterrupts();
  }

  /** An instruction raises or clears flags; one both raised and cleared is up. */
  changeIrq(raised, cleared) {
    this.irqRaised |= raised;
    this.irqCleared |= cleared;
    this.bumpEffects();
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

  findShared() {
    let taken = 0;
    this.apart = true;
    for (const machine of this.machines) {
      if (!machine.enabled) continue;
      if (taken & machine.outputPins) this.apart = false;
      taken |= machine.outputPins;
    }
  }

  /** Finds the loops that only count, and the pins that the programs look at. */
  programChanged() {
    const code = this.instructions;
    this.watched = code.some(looksAtPins) ? -1 : 0;
    for (const machine of this.machines) this.watched |= 1 << machine.jmpPin;
    this.findShared();
    const sidesets = this.machines.some((machine) => machine.sidesetCount);
    for (let pc = 0; pc < 32; pc++) this.plans[pc] = sidesets ? null : countdown(code, pc);
  }
}

/** The pins after `count` of them from `firstPin` on, wrapping at 32, have taken `value`. */
function merge(pins, value, firstPin, count) {
  const selected = pinMask(firstPin, count);
  const rotated = firstPin ? (value << firstPin) | (value >>> (32 - firstPin)) : value;
  return ((pins & ~selected) | (rotated & selected)) & GPIOS;
}

/** Does this instruction look at pins other than the jmp pin? */
function looksAtPins(opcode) {
  switch (opcode >>> 13) {
    case 0b001:
      return ((opcode >> 5) & 3) < 2; // WAIT GPIO, WAIT PIN
    case 0b010:
      return ((opcode >> 5) & 7) === 0; // IN PINS
    case 0b011:
      return ((opcode >> 5) & 7) === 7; // OUT EXEC: anything
    case 0b101:
      return (opcode & 7) === 0 || ((opcode >> 5) & 7) === 4; // MOV from PINS, MOV EXEC
    default:
      return false;
  }
}

/** Describes the loop at `pc` if all it does is count (and test the jmp pin), otherwise null. */
function countdown(code, pc) {
  const isJmp = (opcode) => opcode >>> 13 === 0;
  const condition = (opcode) => (opcode >> 5) & 7;
  const register = (opcode) => ({ 0b010: 1, 0b100: 2 })[condition(opcode)] ?? 0;
  const cycles = (opcode) => 1 + ((opcode >> 8) & 0x1f);
  const target = (opcode) => opcode & 0x1f;
  const first = code[pc];
  if (!isJmp(first)) return null;
  if (target(first) === pc && (register(first) || condition(first) === 0)) {
    return { register: register(first), period: cycles(first), testsPin: false };
  }
  const second = code[(pc + 1) & 31];
  if (condition(first) === 0b110 && isJmp(second) && register(second) && target(second) === pc) {
    const period = cycles(first) + cycles(second);
    return { register: register(second), period, testsPin: true, wraps: [pc] };
  }
  return null;
}
