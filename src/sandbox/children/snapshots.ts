import { createHash, randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../kernel/clock.ts'
import type { Log } from '../../kernel/log.ts'

export interface SnapshotPremises {
  /** Where they outlive the house. Without one they lie in a folder of its own, for as long as it runs. */
  readonly folder: string | undefined
  /** What a snapshot depends on, as one word: another one belongs to other versions. */
  readonly key: string
  readonly make: () => Promise<Uint8Array>
  readonly clock: Clock
  readonly log: Log
}

/**
 * The interpreter as it was once it had started, kept in a file that says by its name what has to be in it. Houses that make it at once
 * do each other no harm: each writes a file of its own and then gives it its name.
 */
export class Snapshots {
  readonly #premises: SnapshotPremises
  #folder: Promise<string> | undefined
  #own: string | undefined
  #closed = false
  #found: Promise<string | undefined> | undefined

  constructor(premises: SnapshotPremises) {
    this.#premises = premises
  }

  /** Its file, made where there is none; `undefined` where it cannot be made. */
  get(): Promise<string | undefined> {
    this.#found ??= this.#find().catch((error: unknown) => {
      if (this.#closed) return undefined
      this.#premises.log.warn(
        { err: error },
        'no snapshot can be kept: each child starts by itself, which takes longer',
      )
      return undefined
    })
    return this.#found
  }

  /** A child did not start with it: whether it is still what it was is looked at again, and it is made anew where it is not. */
  distrust(): void {
    this.#found = undefined
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#found
    if (this.#own !== undefined) await rm(this.#own, { recursive: true, force: true })
  }

  async #find(): Promise<string> {
    this.#folder ??= this.#open()
    const folder = await this.#folder
    const { key, make, clock } = this.#premises
    const prefix = `python-${key}-`
    for (const name of (await readdir(folder)).filter((one) => one.startsWith(prefix)).sort()) {
      const path = join(folder, name)
      const text = await readFile(path).catch(() => undefined)
      if (text !== undefined && name === `${prefix}${digest(text)}${extension}`) {
        const now = clock.now() / 1000
        await utimes(path, now, now).catch(() => {}) // it is in use: others go first
        return path
      }
      this.#premises.log.warn({ path }, 'a snapshot is not what it was, and is made anew')
      await rm(path, { force: true })
    }
    const bytes = await make()
    const path = join(folder, `${prefix}${digest(bytes)}${extension}`)
    const draft = join(folder, `.${randomUUID()}${draftExtension}`)
    try {
      await writeFile(draft, bytes, { mode: 0o600, flag: 'wx', flush: true })
      await rename(draft, path)
    } catch (error) {
      await rm(draft, { force: true })
      throw error
    }
    await this.#tidy(folder)
    return path
  }

  async #open(): Promise<string> {
    const { folder } = this.#premises
    if (folder === undefined) {
      this.#own = await mkdtemp(join(tmpdir(), 'gatehouse-sandbox-')) // its owner's alone
      return this.#own
    }
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return folder
  }

  /** Versions come and go, and some die while they write. */
  async #tidy(folder: string): Promise<void> {
    const { clock } = this.#premises
    const files = await Promise.all(
      (await readdir(folder)).map(async (name) => {
        const path = join(folder, name)
        return { path, name, at: (await stat(path).catch(() => undefined))?.mtimeMs ?? clock.now() }
      }),
    )
    const snapshots = files.filter(({ name }) => name.startsWith('python-') && name.endsWith(extension))
    const old = snapshots.sort((a, b) => b.at - a.at).slice(keptMost)
    const broken = files.filter(({ name, at }) => name.endsWith(draftExtension) && at < clock.now() - draftMs)
    for (const { path } of [...old, ...broken]) await rm(path, { force: true })
  }
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

const extension = '.snapshot'
const draftExtension = '.draft'
const keptMost = 4
const draftMs = 3_600_000
