import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { surveyWalls } from '../sandbox/walls/walls.ts'
import type { CertificateFacts, Configuration, MachineFacts } from './facts.ts'

/** Where a house keeps its things. */
export interface MachinePlace {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly dataDir: string
}

/** What the machine says of those who could read along, and of what runs there. It reads modes, and public certificates. */
export async function lookAtMachine(
  { environment, dataDir }: MachinePlace,
  { store, listen, sandbox }: Pick<Configuration, 'store' | 'listen' | 'sandbox'>,
): Promise<MachineFacts> {
  const rootFile = join(dataDir, 'root.key')
  return {
    nodeVersion: process.versions.node,
    isRoot: process.getuid === undefined ? undefined : process.getuid() === 0,
    rootSecret: {
      from: environment['GATEHOUSE_SECRET'] !== undefined ? 'environment' : existsSync(rootFile) ? 'file' : 'nowhere',
      mode: modeOf(rootFile),
    },
    dataMode: modeOf(dataDir),
    storeMode: modeOf(store?.startsWith('sqlite:') ? store.slice('sqlite:'.length) : join(dataDir, 'gatehouse.db')),
    trustsEveryCertificate: environment['NODE_TLS_REJECT_UNAUTHORIZED'] === '0',
    certificates: listen.tls === undefined ? [] : [certificateAt(listen.tls.cert)],
    walls: sandbox.enabled ? (await surveyWalls()).states : undefined,
  }
}

/** Permission bits; undefined where there is nothing, or where permissions are kept in another way. */
function modeOf(path: string): number | undefined {
  if (process.platform === 'win32') return undefined
  return statSync(path, { throwIfNoEntry: false })?.mode
}

function certificateAt(path: string): CertificateFacts {
  try {
    const certificate = new X509Certificate(readFileSync(path))
    return { path, subject: certificate.subject.replaceAll('\n', ', '), validTo: Date.parse(certificate.validTo) }
  } catch {
    return { path, subject: '', validTo: undefined } // what cannot be read is a finding of its own
  }
}
