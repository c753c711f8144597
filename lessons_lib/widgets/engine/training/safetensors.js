// The file format safetensors: the length of a header in 8 bytes, the header in JSON, the numbers.

/** The parameters under PyTorch's names, and `metadata`, texts by name: an ArrayBuffer. */
export function safetensorsOf(parameters, metadata) {
  const header = { __metadata__: metadata };
  for (const { name, shape, from, size } of parameters.list)
    header[name] = { dtype: "F32", shape, data_offsets: [4 * from, 4 * (from + size)] };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const length = 8 * Math.ceil(text.length / 8);
  const bytes = new Uint8Array(8 + length + 4 * parameters.count);
  bytes.fill(32, 8, 8 + length); // a header ends in spaces
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(text, 8);
  const { buffer, byteOffset, byteLength } = parameters.values;
  bytes.set(new Uint8Array(buffer, byteOffset, byteLength), 8 + length);
  return bytes.buffer;
}
