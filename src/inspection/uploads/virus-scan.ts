import { type Refusal, refuse } from '../../kernel/error.ts'
import type { Log } from '../../kernel/log.ts'
import type { Finding } from '../finding.ts'
import { refuseFor } from '../told.ts'
import { openClamd } from './clamd.ts'
import type { UploadOptions } from './options.ts'
import type { WrongFile } from './part-meter.ts'
import type { UploadedFile } from './uploaded.ts'
import { errorsOf, findingOf } from './uploads.ts'

/** Asks a ClamAV daemon about the files of a request. */
export interface VirusScan {
  /** One after another, all of them within the deadline; it never rejects. */
  scan(files: readonly UploadedFile[]): Promise<Scanned>
}

export interface Scanned {
  readonly findings: readonly Finding[]
  readonly refusal: Refusal | undefined
}

/** One request's files: what was found among them so far, and whether anybody still waits. */
interface Turn {
  readonly found: WrongFile[]
  over: boolean
}

const usualDeadlineMs = 10_000

export function openVirusScan(options: NonNullable<UploadOptions['clamd']>, log: Log): VirusScan {
  const { address, deadline = usualDeadlineMs, whenDown = 'refuse' } = options
  const clamd = openClamd(address, deadline)
  return {
    async scan(files) {
      if (files.length === 0) return clean
      const turn: Turn = { found: [], over: false }
      try {
        await withinDeadline(scanned(files, turn))
      } catch (error) {
        // one that was found is found, whatever became of the others
        if (turn.found.length === 0) return unscanned(error)
      } finally {
        turn.over = true
      }
      return turn.found.length === 0 ? clean : refusedFor(turn.found)
    },
  }

  async function scanned(files: readonly UploadedFile[], turn: Turn): Promise<void> {
    for (const file of files) {
      if (turn.over) return // nobody waits for the others any more
      const virus = await clamd.scan(file.bytes)
      if (virus === undefined) continue
      log.warn({ virus }, 'a virus was found in a file')
      turn.found.push({ file, fault: { rule: 'upload/virus', message: 'expected a file that does no harm' } })
    }
  }

  function withinDeadline<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`not all files were scanned within ${deadline} ms`)), deadline)
      work.then(resolve, reject).finally(() => clearTimeout(late))
    })
  }

  function unscanned(error: unknown): Scanned {
    const refused = whenDown === 'refuse'
    log.error({ err: error, refused }, 'files could not be scanned for viruses')
    const refusal = refuse('unavailable', { detail: 'files cannot be scanned at the moment', retryAfterMs: 5_000 })
    return { findings: [notScanned], refusal: refused ? refusal : undefined }
  }
}

const clean: Scanned = { findings: [], refusal: undefined }

function refusedFor(found: readonly WrongFile[]): Scanned {
  const findings = found.map(findingOf)
  const detail = 'a file is not accepted: it is known to do harm'
  return {
    findings,
    refusal: { ...refuseFor('upload-refused', findings), detail, errors: errorsOf(found), extensions: {} },
  }
}

/** The record says so of each request whose files went on, or did not, because nobody could look at them. */
const notScanned: Finding = {
  kind: 'upload',
  what: 'unscanned',
  rule: 'upload/unscanned',
  place: { in: 'body', at: '' },
  confidence: 1,
  start: 0,
  end: 0,
  decoded: [],
}
