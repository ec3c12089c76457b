/** Keccak-256 as Ethereum has it, of less than 136 bytes: SHA-3 (FIPS 202) before its padding was changed, which OpenSSL as Node builds it has not. */
export function keccak256(bytes: Uint8Array): Buffer {
  if (bytes.length >= rateBytes) throw new RangeError(`expected less than ${rateBytes} bytes, got ${bytes.length}`)
  const block = Buffer.alloc(200)
  block.set(bytes)
  block[bytes.length] = 0x01
  block[rateBytes - 1] = (block[rateBytes - 1] as number) | 0x80
  const state = Array.from({ length: 25 }, (_, lane) => block.readBigUInt64LE(lane * 8))
  permute(state)
  const digest = Buffer.alloc(32)
  for (let lane = 0; lane < 4; lane++) digest.writeBigUInt64LE(state[lane] as bigint, lane * 8)
  return digest
}

const rateBytes = 136

/** FIPS 202 §3.3: Keccak-f[1600]. */
function permute(state: bigint[]): void {
  const lane = (at: number): bigint => state[at] as bigint
  for (let round = 0, register = 1; round < 24; round++) {
    // θ
    const parity = Array.from(
      { length: 5 },
      (_, x) => lane(x) ^ lane(x + 5) ^ lane(x + 10) ^ lane(x + 15) ^ lane(x + 20),
    )
    for (let x = 0; x < 5; x++) {
      const mix = (parity[(x + 4) % 5] as bigint) ^ rotate(parity[(x + 1) % 5] as bigint, 1)
      for (let y = 0; y < 25; y += 5) state[x + y] = lane(x + y) ^ mix
    }
    // ρ and π
    let [x, y, moved] = [1, 0, lane(1)]
    for (let step = 0; step < 24; step++) {
      ;[x, y] = [y, (2 * x + 3 * y) % 5]
      const kept = lane(x + 5 * y)
      state[x + 5 * y] = rotate(moved, (((step + 1) * (step + 2)) / 2) % 64)
      moved = kept
    }
    // χ
    for (let row = 0; row < 25; row += 5) {
      const old = state.slice(row, row + 5)
      for (let column = 0; column < 5; column++)
        state[row + column] =
          (old[column] as bigint) ^ (~(old[(column + 1) % 5] as bigint) & mask & (old[(column + 2) % 5] as bigint))
    }
    // ι: constants from a shift register (FIPS 202 §3.2.5)
    for (let bit = 0; bit < 7; bit++) {
      if (register & 1) state[0] = lane(0) ^ (1n << BigInt(2 ** bit - 1))
      register = register & 0x80 ? ((register << 1) ^ 0x171) & 0xff : register << 1
    }
  }
}

const mask = (1n << 64n) - 1n

function rotate(value: bigint, by: number): bigint {
  const bits = BigInt(by)
  return ((value << bits) | (value >> (64n - bits))) & mask
}
