// Runs test files under genuine MicroPython (its WebAssembly port, from npm).
//
//   node micropython_run.mjs --root DIR [--device PATH]... TEST.py...
//
// Every PATH (a file, or a folder with all *.py below it) appears in MicroPython's file system
// under the place it has below DIR, `/lib` being on sys.path as on a board. Every test file gets
// an interpreter of its own; its functions `test_*` are run in the order they are written.
// One line a test, "PASS file::test" or "FAIL file::test"; what it printed or how it failed
// follows in lines that begin with "  | ". Exit status 1 when a test failed or none was found.

import { readFileSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";

const PACKAGE = "@micropython/micropython-webassembly-pyscript/micropython.mjs";
const HEAP_BYTES = 4 * 1024 * 1024;
const PYSTACK_BYTES = 16 * 1024;

const options = { root: ".", device: [], tests: [] };
const words = process.argv.slice(2);
while (words.length) {
  const word = words.shift();
  if (word === "--root") options.root = words.shift();
  else if (word === "--device") options.device.push(words.shift());
  else options.tests.push(word);
}

function pythonFiles(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).sort().flatMap((name) => {
    const below = join(path, name);
    if (statSync(below).isDirectory()) return pythonFiles(below);
    return name.endsWith(".py") ? [below] : [];
  });
}

function put(mp, path, text) {
  let folder = "";
  for (const part of dirname(path).split("/").filter(Boolean)) {
    folder += "/" + part;
    if (!mp.FS.analyzePath(folder).exists) mp.FS.mkdir(folder);
  }
  mp.FS.writeFile(path, text);
}

const deviceFiles = options.device.flatMap(pythonFiles).map((path) => [
  "/" + relative(options.root, path).split(sep).join("/"),
  readFileSync(path),
]);

// The package is one line of 100 KB, which a stack trace of node would print.
process.on("uncaughtException", (error) => {
  console.log(`FAIL runner\n  | ${error.message}`);
  process.exit(1);
});

const { loadMicroPython } = await import(PACKAGE);

let passed = 0;
let failed = 0;

async function runFile(path) {
  const name = basename(path, ".py");
  const source = readFileSync(path, "utf8");
  const printed = [];
  const mp = await loadMicroPython({
    heapsize: HEAP_BYTES,
    pystack: PYSTACK_BYTES,
    stdout: (line) => printed.push(line),
  });
  for (const [place, text] of deviceFiles) put(mp, place, text);
  put(mp, `/tests/${name}.py`, source);

  function run(label, code) {
    printed.length = 0;
    let verdict = "PASS";
    try {
      mp.runPython(code);
    } catch (error) {
      verdict = "FAIL";
      printed.push(...error.message.trimEnd().split("\n"));
    }
    console.log(`${verdict} ${name}::${label}`);
    for (const line of printed) console.log("  | " + line);
    return verdict === "PASS";
  }

  const tests = [...source.matchAll(/^def (test_\w+)\(/gm)].map((match) => match[1]);
  try {
    mp.runPython(`import sys\nsys.path.append("/tests")\nimport ${name}\nimport gc\ngc.collect()`);
  } catch (error) {
    for (const test of tests.length ? tests : ["import"]) {
      failed += 1;
      console.log(`FAIL ${name}::${test}`);
      for (const line of error.message.trimEnd().split("\n")) console.log("  | " + line);
    }
    return;
  }
  for (const test of tests) {
    if (run(test, `${name}.${test}()`)) passed += 1;
    else failed += 1;
    mp.runPython("gc.collect()");
  }
}

for (const path of options.tests) await runFile(path);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed || !passed ? 1 : 0;
