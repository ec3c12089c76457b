import type { Database } from '../../store/database.ts'
import type { AuditCheckpointsTable, AuditEventsTable } from '../../store/schema-record.ts'
import { GrowingTree, leafHash, type Subtree } from '../checkpoint/merkle.ts'
import { type CheckpointVerifier, isSigned, readCheckpoint, type SignedCheckpoint } from '../checkpoint/note.ts'
import { checkpointAt, checkpointsAfter, latestCheckpoint } from '../checkpoint/rows.ts'

/** What speaks against the chain, or against what was signed of it. See `Broken` of verify.ts. */
export interface Objection {
  readonly ok: false
  readonly seq: number
  readonly what: 'altered' | 'cut-off' | 'checkpoint' | 'tree'
  readonly detail: string
}

/** Checkpoints that were kept outside. */
export interface Anchored {
  /** As a reader knows it: the path of a file. */
  readonly name: string
  /** From the smallest on. */
  readonly checkpoints: AsyncIterable<SignedCheckpoint>
}

export interface WitnessOptions {
  readonly key?: CheckpointVerifier
  readonly anchors?: readonly Anchored[]
}

/** One checkpoint that is to be compared, and whose it is. */
interface Claim {
  readonly size: number
  /** Undefined where it is none. */
  readonly said: SignedCheckpoint | undefined
  /** Undefined for one that was kept outside. */
  readonly row: AuditCheckpointsTable | undefined
  /** `the checkpoint over 12 events`. */
  readonly name: string
}

/** Compares the events, one by one, with the tree that is stored of them and with every checkpoint. */
export class Witness {
  readonly #db: Database
  readonly #key: CheckpointVerifier | undefined
  readonly #sources: readonly Source[]
  readonly #tree = new GrowingTree()
  /** The checkpoint up to which all is as it was signed, and the one of the store before the next. */
  #agreed = 0
  #previous = 0
  /** Where the next checkpoint is to be compared. */
  #next = Number.POSITIVE_INFINITY
  /** The first stored hash that is not the one of its events, or is missing; it is judged at the next checkpoint. */
  #doubt: { readonly subtree: Subtree; readonly stored: string | undefined } | undefined
  checkpoints = 0

  private constructor(db: Database, { key, anchors = [] }: WitnessOptions) {
    this.#db = db
    this.#key = key
    this.#sources = [new Source(ofStore(db)), ...anchors.map((one) => new Source(ofAnchor(one)))]
  }

  static async of(db: Database, options: WitnessOptions): Promise<Witness> {
    const witness = new Witness(db, options)
    await witness.#look()
    return witness
  }

  /** Takes the next event, whose place in the chain is right. */
  async take({ body, hash }: Pick<AuditEventsTable, 'body' | 'hash'>): Promise<Objection | undefined> {
    let completed: Subtree[] | undefined
    this.#tree.push(leafHash(body), (subtree) => {
      completed ??= []
      completed.push(subtree)
    })
    for (const subtree of completed ?? []) await this.#compareStored(subtree)
    if (this.#tree.size !== this.#next) return undefined
    return this.#compareClaims(hash)
  }

  /** What was signed of events that are not there, and what is missing of what was signed. `headNow` says where the chain ends. */
  async end(headNow: () => Promise<number>): Promise<Objection | undefined> {
    for (const source of this.#sources) {
      for (let claim = await source.peek(); claim !== undefined; claim = await source.peek()) {
        const wrong = this.#unsound(claim)
        if (wrong !== undefined) return wrong
        const head = await headNow()
        if (claim.size > head)
          return objection(head + 1, 'cut-off', `the chain ends after event ${head}, and ${claim.name} was signed`)
        source.pass() // it came while this was looking
      }
    }
    const { position } = (await this.#db
      .selectFrom('audit_tree')
      .select('position')
      .where('level', '=', 8)
      .orderBy('position', 'desc')
      .limit(1)
      .executeTakeFirst()) ?? { position: -1 }
    const covered = (position + 1) * 256
    const latest = (await latestCheckpoint(this.#db))?.size ?? 0 // asked after the tree, which is written with it
    if (covered > latest)
      return objection(covered, 'checkpoint', `the checkpoint that covered ${covered} events or more is gone`)
    return this.#doubt === undefined || this.#doubt.stored === undefined
      ? undefined
      : ofTree(this.#doubt.subtree, 'is another')
  }

  async #compareStored(subtree: Subtree): Promise<void> {
    const row = await this.#db
      .selectFrom('audit_tree')
      .select('hash')
      .where('level', '=', subtree.level)
      .where('position', '=', subtree.position)
      .executeTakeFirst()
    if (row?.hash !== subtree.hash.toString('hex')) this.#doubt ??= { subtree, stored: row?.hash }
  }

  /** Compares all checkpoints over as many events as have come. */
  async #compareClaims(hash: string): Promise<Objection | undefined> {
    const size = this.#tree.size
    const root = this.#tree.root().toString('hex')
    for (const source of this.#sources) {
      for (let claim = await source.peek(); claim?.size === size; claim = await source.peek()) {
        const wrong = this.#unsound(claim) ?? (await this.#outOfPlace(claim))
        if (wrong !== undefined) return wrong
        if (claim.said?.root !== root || claim.said.hash !== hash) {
          const from = this.#agreed + 1
          const events = from === size ? `event ${size} is not the one` : `events ${from} to ${size} are not those`
          return objection(from, 'altered', `${events} that ${claim.name} was signed over`)
        }
        source.pass()
      }
    }
    const doubt = this.#doubt
    if (doubt !== undefined) return ofTree(doubt.subtree, doubt.stored === undefined ? 'is missing' : 'is another')
    this.#agreed = size
    this.checkpoints++
    await this.#look()
    return undefined
  }

  /** What is wrong with a checkpoint itself, whatever the events are. */
  #unsound({ size, said, row, name }: Claim): Objection | undefined {
    if (said === undefined) return objection(size, 'checkpoint', `${name} is no checkpoint`)
    if (this.#key !== undefined && !isSigned(said, this.#key))
      return objection(size, 'checkpoint', `${name} is not signed by this house`)
    if (row === undefined) return undefined
    const same = said.size === size && said.root === row.root && said.hash === row.hash && said.at === row.at
    return same ? undefined : objection(size, 'checkpoint', `${name} says another thing than its row`)
  }

  /** Whether the store has what it has to have beside a checkpoint: the one before it; or one that was kept outside itself. */
  async #outOfPlace({ size, said, row, name }: Claim): Promise<Objection | undefined> {
    if (row === undefined) {
      const kept = await checkpointAt(this.#db, size)
      return kept === undefined ? objection(size, 'checkpoint', `${name} is gone from the store`) : undefined
    }
    const before = said?.previous ?? 0
    if (before !== this.#previous)
      return objection(before, 'checkpoint', `the checkpoint over ${before} events, which ${name} follows, is gone`)
    this.#previous = size
    return undefined
  }

  async #look(): Promise<void> {
    let next = Number.POSITIVE_INFINITY
    for (const source of this.#sources) next = Math.min(next, (await source.peek())?.size ?? next)
    this.#next = next
  }
}

/** Claims in order, of which the next can be looked at. */
class Source {
  readonly #claims: AsyncIterator<Claim>
  #next: Promise<IteratorResult<Claim>> | undefined

  constructor(claims: AsyncIterable<Claim>) {
    this.#claims = claims[Symbol.asyncIterator]()
  }

  async peek(): Promise<Claim | undefined> {
    this.#next ??= this.#claims.next()
    const { done, value } = await this.#next
    return done === true ? undefined : value
  }

  pass(): void {
    this.#next = undefined
  }
}

async function* ofStore(db: Database): AsyncGenerator<Claim> {
  for (let last = -1; ; ) {
    const rows = await checkpointsAfter(db, last)
    for (const row of rows)
      yield { size: row.size, said: readCheckpoint(row.note), row, name: `the checkpoint over ${row.size} events` }
    const end = rows.at(-1)
    if (end === undefined) return
    last = end.size
  }
}

async function* ofAnchor({ name, checkpoints }: Anchored): AsyncGenerator<Claim> {
  let last = 0
  for await (const said of checkpoints) {
    if (said.size < last) continue // a copy that was sent again: it was compared
    last = said.size
    yield { size: said.size, said, row: undefined, name: `the checkpoint over ${said.size} events in \`${name}\`` }
  }
}

function ofTree({ level, position }: Subtree, is: string): Objection {
  const first = position * 2 ** level + 1
  const last = (position + 1) * 2 ** level
  return objection(first, 'tree', `the stored hash of events ${first} to ${last} ${is}`)
}

function objection(seq: number, what: Objection['what'], detail: string): Objection {
  return { ok: false, seq, what, detail }
}
