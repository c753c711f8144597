#!/bin/sh
# What does a product give on the WebAssembly of TensorFlow.js if its second matrix was in a product before, in another
# shape? Guessed beforehand: the same as if it had not been.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0
cat > check.js <<'END_OF_CHECK'
const assert = require("node:assert");
const tf = require("@tensorflow/tfjs-core");
require("@tensorflow/tfjs-backend-wasm");
tf.enableProdMode(); // it then says nothing of other backends

(async () => {
  await tf.setBackend("wasm");
  console.log("TensorFlow.js", tf.version_core);
  const product = (b) => [...tf.matMul(tf.ones([1, b.shape[0]]), b).dataSync()]; // the sums of its columns
  const wide = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
  const tall = tf.reshape(wide, [3, 2]); // 1 2 / 3 4 / 5 6
  const first = product(wide);
  const [found, right] = [product(tall), product(tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]))];
  console.log("1 2 3 / 4 5 6, summed by a product:", first);
  console.log("the same reshaped to 1 2 / 3 4 / 5 6:", found, "and the same numbers in a new tensor:", right);
  assert.deepStrictEqual([first, right], [[5, 7, 9], [9, 12]], "it behaves otherwise now");
  assert.deepStrictEqual(found, [5, 7], "it behaves otherwise now"); // the beginning of the product before
})();
END_OF_CHECK
node check.js
