import { closeSync, openSync, readSync } from 'node:fs'
import { type CheckpointVerifier, readCheckpoint, readVerifier } from '../audit/checkpoint/note.ts'
import { proofProblem } from '../audit/checkpoint/proof.ts'
import { parseStrict } from '../kernel/json.ts'
import { type ProofText, proofShape } from '../wire/audit-proofs.ts'
import { type Command, readArgs, Usage } from './command.ts'

const usage = `usage: gatehouse audit check-proof FILE [--key KEY]

Checks a proof that an event is in a record, and prints the event as it is stored there. It needs no house, and no network. Without KEY,
the public key of the house that the proof is of, it says no more than that the proof fits the key that came with it. Exit 1 where it does not hold.`

export const command: Command = async (args, terminal) => {
  const { values, positionals } = readArgs(args, { key: { type: 'string' }, help: { type: 'boolean' } }, usage)
  if (values.help === true) {
    terminal.out(usage)
    return true
  }
  const [path, ...more] = positionals
  if (path === undefined || more.length > 0) throw new Usage(`expected one file\n\n${usage}`)
  const proof = readProof(path)
  const by = verifierOf(proof, values.key)
  const problem = proofProblem({ ...proof, path: proof.path.map((hash) => Buffer.from(hash, 'base64')) }, by)
  if (problem !== undefined) {
    terminal.err(`the proof does not hold: ${problem}`)
    return false
  }
  terminal.out(proof.body)
  const { at = 0 } = readCheckpoint(proof.checkpoint) ?? {}
  terminal.err(
    `event ${proof.seq} is one of the ${proof.size} in \`${by.origin}\` at ${new Date(at).toISOString()}` +
      (values.key === undefined ? '; whether that is the house it should be, `--key` tells' : ''),
  )
  return true
}

function readProof(path: string): ProofText {
  let text: string
  try {
    text = readUpTo(path, bytesMax)
  } catch (error) {
    throw new Usage(`\`${path}\` cannot be read: ${(error as Error).message}`)
  }
  const json = parseStrict(text)
  if ('error' in json) throw new Usage(`\`${path}\`: ${json.error}`)
  const parsed = proofShape.safeParse(json.value)
  if (parsed.success) return parsed.data
  throw new Usage(
    parsed.error.issues.map(({ path: at, message }) => `\`${path}\`: ${at.join('.')}: ${message}`).join('\n'),
  )
}

const bytesMax = 262_144

/** What some files say of their size is not how much comes: a pipe, a device. */
function readUpTo(path: string, max: number): string {
  const bytes = Buffer.alloc(max + 1)
  const file = openSync(path, 'r')
  try {
    let length = 0
    for (let read = -1; read !== 0 && length <= max; length += read)
      read = readSync(file, bytes, length, max + 1 - length, null)
    if (length > max) throw new Error(`it is longer than ${max} bytes`)
    return bytes.toString('utf8', 0, length)
  } finally {
    closeSync(file)
  }
}

function verifierOf(proof: ProofText, given: string | undefined): CheckpointVerifier {
  const origin = readCheckpoint(proof.checkpoint)?.origin ?? ''
  const by = readVerifier(given ?? proof.key, origin)
  if (by === undefined)
    throw new Usage(`${given === undefined ? 'the proof' : '--key'}: expected a key \`name+id+base64\``)
  return by
}
