import { hash } from 'node:crypto'
import { keccak256 } from './keccak.ts'
import { isWord, type RunFinder } from './rule.ts'

/** Addresses of cryptocurrencies, by their checksums: Bitcoin's base58 and bech32, Ethereum's capitals. */
export const walletFinder: RunFinder = {
  kinds: ['wallet'],
  find({ text }, { start, end }) {
    const length = end - start
    if (length < 26 || length > 74 || (start > 0 && isWord(text.charCodeAt(start - 1))) || isWord(text.charCodeAt(end)))
      return undefined
    const written = text.slice(start, end)
    const rule = ruleOf(written)
    return rule === undefined ? undefined : { kind: 'wallet', rule, start, end, confidence: 0.95 }
  },
}

function ruleOf(written: string): string | undefined {
  if (/^0x[0-9a-fA-F]{40}$/.test(written)) return isEthereum(written.slice(2)) ? 'wallet/ethereum' : undefined
  if (/^[13][1-9A-HJ-NP-Za-km-z]{25,34}$/.test(written)) return isBase58Check(written) ? 'wallet/bitcoin' : undefined
  if (/^(?:bc1|BC1)[0-9A-Za-z]{11,71}$/.test(written)) return isBech32(written) ? 'wallet/bitcoin' : undefined
  return undefined
}

/** ERC-55: a letter is a capital where the hash has a nibble of eight or more. All of one case carries no checksum, and is passed over. */
function isEthereum(hex: string): boolean {
  const lower = hex.toLowerCase()
  if (hex === lower || hex === hex.toUpperCase()) return false
  const digest = keccak256(Buffer.from(lower)).toString('hex')
  for (let at = 0; at < 40; at++) {
    const raised = Number.parseInt(digest.charAt(at), 16) >= 8
    if (hex.charAt(at) !== (raised ? lower.charAt(at).toUpperCase() : lower.charAt(at))) return false
  }
  return true
}

const base58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

function isBase58Check(written: string): boolean {
  let value = 0n
  for (const character of written) value = value * 58n + BigInt(base58.indexOf(character))
  const hex = value.toString(16).padStart(50, '0')
  if (hex.length !== 50) return false
  const bytes = Buffer.from(hex, 'hex')
  const digest = hash('sha256', hash('sha256', bytes.subarray(0, 21), 'buffer'), 'buffer')
  return digest.subarray(0, 4).equals(bytes.subarray(21))
}

/** BIP 173, and BIP 350 for later versions. */
function isBech32(written: string): boolean {
  const text = written.toLowerCase()
  if (written !== text && written !== written.toUpperCase()) return false
  let check = 1
  const step = (value: number): void => {
    const top = check >>> 25
    check = ((check & 0x1ffffff) << 5) ^ value
    for (let at = 0; at < 5; at++) if ((top >>> at) & 1) check ^= generators[at] as number
  }
  const separator = text.lastIndexOf('1')
  for (let at = 0; at < separator; at++) step(text.charCodeAt(at) >> 5)
  step(0)
  for (let at = 0; at < separator; at++) step(text.charCodeAt(at) & 31)
  for (let at = separator + 1; at < text.length; at++) {
    const value = bech32.indexOf(text.charAt(at))
    if (value < 0) return false
    step(value)
  }
  return check === 1 || check === 0x2bc830a3
}

const bech32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const generators = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]
