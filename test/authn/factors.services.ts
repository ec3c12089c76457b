import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { factorsCases } from './factors-cases.ts'
import { passkeyCases } from './passkey-cases.ts'
import { recoveryCases } from './recovery-cases.ts'
import { totpCases } from './totp-cases.ts'

suite('authenticator codes, on PostgreSQL', () => totpCases(throwAwaySchema))
suite('recovery codes, on PostgreSQL', () => recoveryCases(throwAwaySchema))
suite('passkeys, on PostgreSQL', () => passkeyCases(throwAwaySchema))
suite('factors, on PostgreSQL', () => factorsCases(throwAwaySchema))
