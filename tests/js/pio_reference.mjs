// Runs PIO programs in rp2040js, clock by clock, and says what every clock looks like.
//
// stdin:  {"cases": [{"memory": [32 words], "clocks": n,
//                     "machines": [{"clkdiv", "execctrl", "shiftctrl", "pinctrl",
//                                   "pc", "x", "y"}, ...],
//                     "inputs": [[clock, levels], ...],
//                     "puts": [[clock, machine, word], ...], "gets": [[clock, machine], ...]}]}
// stdout: for each case a list of clocks, each
//         [pin levels, pin directions, irq, fdebug,
//          [pc, x, y, osr, osr count, isr, isr count, rx...], ...]
//         as they are at the end of the clock
// A word put or got at a clock is there, or its place is free, from the next clock on.
//
// Only the instructions are rp2040js's own. Its run loop ignores delays, executes the instruction
// after a stall in the very clock in which the stall ends, and runs an EXEC'd instruction in the
// clock of its OUT or MOV; so this file says when an instruction is executed.

import { readFileSync } from 'node:fs';
import { RP2040 } from 'rp2040js';

const INPUT_ENABLE = 0x40;
const SM_STRIDE = 0x18;
const CLKDIV = 0xc8, EXECCTRL = 0xcc, SHIFTCTRL = 0xd0, PINCTRL = 0xdc;

const chip = new RP2040();
const WaitType = { None: 0, rxFIFO: 2, txFIFO: 3 };
const PIO = chip.pio[0].constructor;
for (const pin of chip.gpio) pin.padValue |= INPUT_ENABLE;

function jumps(opcode) {
  const kind = opcode >>> 13;
  return kind === 0 || ((kind === 3 || kind === 5) && ((opcode >>> 5) & 7) === 5);
}

class Runner {
  constructor(machine) {
    this.machine = machine;
    this.due = 0;
    this.pending = -1; // an instruction from OUT EXEC or MOV EXEC, for the next cycle
    this.keepPc = -1; // where PC stays when an EXEC'd instruction that stalls is done
    this.inside = false;
    const execute = machine.executeInstruction.bind(machine);
    machine.executeInstruction = (opcode) => {
      if (this.inside) {
        this.pending = opcode & 0xffff;
        return;
      }
      this.inside = true;
      execute(opcode);
      this.inside = false;
    };
  }

  tick(clock) {
    const { machine } = this;
    const before = machine.cycles;
    if (machine.waiting) {
      machine.checkWait();
    } else if (this.pending >= 0) {
      const opcode = this.pending;
      this.pending = -1;
      this.keepPc = jumps(opcode) ? -1 : machine.pc;
      machine.executeInstruction(opcode);
      machine.cycles -= 1;
    } else {
      machine.step();
      machine.cycles -= 1;
    }
    if (!machine.waiting && this.keepPc >= 0) {
      machine.pc = this.keepPc;
      this.keepPc = -1;
    }
    this.due = clock + 1 + (machine.waiting ? 0 : machine.cycles - before);
  }
}

function setInputs(levels) {
  for (const pin of chip.gpio) pin.rawInputValue = !!((levels >>> pin.index) & 1);
}

// null: not to be compared. A stalled PULL has zeroed the OSR count already, a stalled PUSH the ISR.
function state(machine) {
  const stalled = machine.waiting ? machine.waitType : WaitType.None;
  const pulling = stalled === WaitType.txFIFO;
  const pushing = stalled === WaitType.rxFIFO;
  return [
    machine.pc, machine.x >>> 0, machine.y >>> 0,
    machine.outputShiftReg >>> 0, pulling ? null : machine.outputShiftCount,
    pushing ? null : machine.inputShiftReg >>> 0, pushing ? null : machine.inputShiftCount,
    ...machine.rxFIFO.items,
  ];
}

function play(test) {
  const pio = new PIO(chip, 'PIO', 7, 0);
  pio.instructions.set(test.memory);
  setInputs(0);
  const runners = test.machines.map((settings, index) => {
    const machine = pio.machines[index];
    pio.writeUint32(CLKDIV + SM_STRIDE * index, settings.clkdiv);
    pio.writeUint32(EXECCTRL + SM_STRIDE * index, settings.execctrl);
    pio.writeUint32(SHIFTCTRL + SM_STRIDE * index, settings.shiftctrl);
    pio.writeUint32(PINCTRL + SM_STRIDE * index, settings.pinctrl);
    machine.restart();
    machine.pc = settings.pc;
    machine.x = settings.x;
    machine.y = settings.y;
    return new Runner(machine);
  });
  const trace = [];
  for (let clock = 0; clock < test.clocks; clock++) {
    for (const [when, levels] of test.inputs) if (when === clock) setInputs(levels);
    const gets = test.gets.filter(([when]) => when === clock)
      .map(([, index]) => pio.machines[index].rxFIFO)
      .filter((fifo) => !fifo.empty);
    for (const runner of runners) if (clock >= runner.due) runner.tick(clock);
    for (const fifo of gets) fifo.pull();
    trace.push([
      pio.pinValues >>> 0, pio.pinDirections >>> 0, pio.irq, pio.fdebug >>> 0,
      ...runners.map((runner) => state(runner.machine)),
    ]);
    for (const [when, index, word] of test.puts) {
      if (when === clock) pio.machines[index].txFIFO.push(word);
    }
  }
  return trace;
}

const { cases } = JSON.parse(readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(cases.map(play)));
