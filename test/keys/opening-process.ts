// Opens the keys of a data folder when told to, and prints what it got: `opening-process.ts FOLDER ALGORITHM`.
import { once } from 'node:events'
import { systemClock } from '../../src/kernel/clock.ts'
import { systemRandom } from '../../src/kernel/id.ts'
import { openKeyring } from '../../src/keys/keyring.ts'
import { rotationOptions } from '../../src/keys/options.ts'
import { openRootKey } from '../../src/keys/root.ts'
import type { SigningAlgorithm } from '../../src/keys/signing-key.ts'
import { openStore } from '../../src/store/database.ts'

const [dataDir, algorithm] = process.argv.slice(2) as [string, SigningAlgorithm]
process.stdout.write('ready\n')
await once(process.stdin, 'data')
const { db, close } = await openStore(`sqlite:${dataDir}/gatehouse.db`)
const root = await openRootKey({ environment: {}, dataDir, random: systemRandom, db })
const machine = { clock: systemClock, random: systemRandom, rotation: rotationOptions.parse({}), tokenTtlMs: 900_000 }
const { kid } = (await openKeyring({ db, root, ...machine, algorithm, secret: undefined })).signing()
await close()
process.stdout.write(`${root.derive('test').toString('hex')} ${kid}\n`)
process.stdin.destroy()
