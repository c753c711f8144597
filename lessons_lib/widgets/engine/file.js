// Reads the file of `lessons export-web` (lessons_lib/translation/deployment/web.py says what is in it).

const MAGIC = "lessons\0";
const VERSION = 1;
const SIZES = ["vocab_size", "d_model", "n_heads", "d_ff", "max_length"]; // of the configuration
const START = MAGIC.length + 8;

/** {config, name, pieces, merges, words, parameters, tensors}: weights as in the file; an Error says what is wrong. */
export function readModel(buffer) {
  const bytes = new Uint8Array(buffer);
  const view = new DataView(buffer);
  if (bytes.length < START || [...MAGIC].some((sign, i) => bytes[i] !== sign.charCodeAt(0)))
    throw new Error("This is not a file that `lessons export-web` wrote. Choose one of those.");
  const version = view.getUint32(MAGIC.length, true);
  if (version !== VERSION)
    throw new Error(
      `This file is of version ${version}, and this page reads version ${VERSION}. ` +
        (version > VERSION ? "Read it with a newer edition of the course." : "Export the model again."),
    );
  const length = view.getUint32(MAGIC.length + 4, true);
  const cutOff = (missing) => new Error(`This file is cut off: ${missing} bytes are missing. Copy it again.`);
  if (START + length > bytes.length) throw cutOff(START + length - bytes.length);
  let header;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(START, START + length)));
  } catch {
    throw new Error("This file is damaged: its header cannot be read. Copy it again.");
  }
  const missing = START + length + header.bytes - bytes.length;
  if (missing > 0) throw cutOff(missing);
  try {
    if (missing) throw new Error("its length is not the one that it says");
    const unsaid = SIZES.find((name) => !(header.config[name] > 0));
    if (unsaid) throw new Error(`it does not say its ${unsaid}`);
    const tensors = new Map(
      Object.entries(header.tensors).map(([name, entry]) => [name, tensorOf(entry, buffer, START + length)]),
    );
    return { ...header, tensors };
  } catch (error) {
    throw new Error(`This file is damaged (${error.message}). Export the model again.`);
  }
}

/** A matrix {rows, columns, scales, whole} of numbers scale · whole; anything else is a vector. */
function tensorOf({ shape, floats, whole }, buffer, data) {
  const [rows, columns] = shape;
  const vector = new Float32Array(buffer, data + floats, rows);
  if (whole === undefined) return vector;
  return { rows, columns, scales: vector, whole: new Int8Array(buffer, data + whole, rows * columns) };
}

/** A row of a matrix, as numbers. */
export function rowOf({ columns, scales, whole }, row) {
  return Float32Array.from(whole.subarray(row * columns, (row + 1) * columns), (number) => scales[row] * number);
}
