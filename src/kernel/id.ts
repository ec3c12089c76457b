import { randomFillSync } from 'node:crypto'
import { base64url } from './bytes.ts'

/** Randomness as an argument, so that a test can replay it. */
export interface Random {
  /** A fresh array of `count` unpredictable bytes. */
  bytes(count: number): Uint8Array
}

/** The machine's generator, drawn 8 KiB at a time: one call to the kernel serves hundreds of ids. */
export const systemRandom: Random = pooled()

function pooled(): Random {
  const pool = Buffer.alloc(8192)
  let used = pool.length
  return {
    bytes(count) {
      if (count > 1024) return randomFillSync(new Uint8Array(count))
      if (used + count > pool.length) {
        randomFillSync(pool)
        used = 0
      }
      const drawn = Uint8Array.prototype.slice.call(pool, used, used + count)
      pool.fill(0, used, used + count) // what was handed out is not kept
      used += count
      return drawn
    },
  }
}

/** A UUID of version 7 (RFC 9562 §5.7): sorts by the time it was made. */
export function uuidv7(nowMs: number, random: Random): string {
  const tail = random.bytes(10)
  const time = nowMs.toString(16).padStart(12, '0')
  const a = 0x7000 | ((tail[0] as number) << 4) | ((tail[1] as number) >> 4)
  const b = 0x80 | ((tail[2] as number) & 0x3f)
  return `${time.slice(0, 8)}-${time.slice(8)}-${a.toString(16)}-${hex[b]}${hex[tail[3] as number]}-${
    hex[tail[4] as number]
  }${hex[tail[5] as number]}${hex[tail[6] as number]}${hex[tail[7] as number]}${hex[tail[8] as number]}${
    hex[tail[9] as number]
  }`
}

const hex: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** 256 unpredictable bits as text: the form of every secret that is shown once. */
export function secretText(random: Random): string {
  return base64url(random.bytes(32))
}
