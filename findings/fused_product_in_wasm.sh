#!/bin/sh
# What does the fused product a·bᵀ + bias of TensorFlow.js give on its WebAssembly?
# Guessed beforehand: what the backend in plain JavaScript gives, to rounding.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund @tensorflow/tfjs-core@4.22.0 \
    @tensorflow/tfjs-backend-cpu@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0
cat > check.js <<'END_OF_CHECK'
const assert = require("node:assert");
const tf = require("@tensorflow/tfjs-core");
require("@tensorflow/tfjs-backend-cpu");
require("@tensorflow/tfjs-backend-wasm");
tf.enableProdMode(); // it then says nothing of other backends

const bias = () => tf.tensor1d([10, 20, 30]);
const numbers = [...Array(96)].map((_, i) => (i < 48 ? -1 : 2)); // their sum is 48
const products = {
  "one row": () => tf.fused.matMul({ a: tf.ones([1, 4]), b: tf.ones([3, 4]), transposeB: true, bias: bias() }),
  "two rows": () => tf.fused.matMul({ a: tf.ones([2, 4]), b: tf.ones([3, 4]), transposeB: true, bias: bias() }),
  "two in a batch": () => tf.fused.matMul({ a: tf.ones([2, 2, 4]), b: tf.ones([2, 4, 3]), bias: bias() }),
  "100 columns": () => tf.fused.matMul({ a: tf.ones([1, 100]), b: tf.ones([3, 100]), transposeB: true, bias: bias() }),
  "96 columns, relu": () =>
    tf.fused.matMul({ a: tf.tensor2d(numbers, [1, 96]), b: tf.ones([1, 96]), transposeB: true, activation: "relu" }),
  "two rows, in two steps": () => tf.add(tf.matMul(tf.ones([2, 4]), tf.ones([3, 4]), false, true), bias()),
};
const run = async (backend) => {
  await tf.setBackend(backend);
  return Object.values(products).map((product) => [...product().dataSync()]);
};
(async () => {
  console.log("TensorFlow.js", tf.version_core);
  const [right, found] = [await run("cpu"), await run("wasm")];
  Object.keys(products).forEach((name, i) => console.log(`${name}: right ${right[i]}; wasm ${found[i]}`));
  assert.deepStrictEqual(
    found,
    [
      [14, 24, 34],
      [14, 24, 34, 34, 34, 34], // behind the first row, everybody gets the last bias
      [14, 24, 34, 34, 34, 34, 14, 24, 34, 34, 34, 34],
      [130, 160, 190], // the bias three times: with every 48 columns it is added anew
      [96], // relu after 48 columns, too: of a sum that is not finished
      [14, 24, 34, 14, 24, 34],
    ],
    "it behaves otherwise now",
  );
})();
END_OF_CHECK
node check.js
