import { AddressAdministration } from './addresses.ts'
import { Administration } from './administration.ts'
import { RecordReading } from './audit.ts'
import { Authorization } from './authorization.ts'
import { ByProvider } from './by-provider.ts'
import { ClientAdministration, type ClientRooms } from './clients.ts'
import { Decisions } from './decisions.ts'
import { Devices } from './devices.ts'
import { Consents } from './grants.ts'
import { Guard } from './guard.ts'
import { IncidentAdministration } from './incidents.ts'
import { Issuing, type IssuingRooms } from './issuing.ts'
import { KeyCounter } from './keys.ts'
import { Letters } from './letters.ts'
import { Own } from './own.ts'
import { PlaybookAdministration } from './playbooks.ts'
import { PolicyAdministration } from './policies.ts'
import { Recovery } from './recovery.ts'
import { Registrar } from './registration.ts'
import { Revocation } from './revocation.ts'
import { RoleAdministration } from './roles.ts'
import type { DeskRooms } from './rooms.ts'
import { ServiceAdministration } from './services.ts'
import { SignIn } from './sign-in.ts'
import { Diary } from './visitor.ts'

/** Where people come in, whether by a page or by JSON: what they may ask, and what comes of it. */
export interface Desk {
  readonly rooms: DeskRooms
  readonly diary: Diary
  readonly signIn: SignIn
  readonly registrar: Registrar
  readonly recovery: Recovery
  readonly own: Own
  readonly byProvider: ByProvider
  readonly administration: Administration
  readonly revocation: Revocation
  readonly consents: Consents
  readonly letters: Letters
  readonly keys: KeyCounter
  readonly services: ServiceAdministration
  readonly roles: RoleAdministration
  readonly decisions: Decisions
  readonly policies: PolicyAdministration
  readonly addresses: AddressAdministration
  readonly record: RecordReading
  readonly incidents: IncidentAdministration
  readonly playbooks: PlaybookAdministration
  /** Undefined where the house gives no tokens to clients of other people. */
  readonly authorization: Authorization | undefined
  readonly devices: Devices | undefined
  readonly clients: ClientAdministration | undefined
}

export function openDesk(rooms: DeskRooms, oauth?: IssuingRooms & ClientRooms): Desk {
  const diary = new Diary(rooms)
  const letters = new Letters(rooms)
  const guard = new Guard(rooms, diary, letters)
  const signIn = new SignIn(rooms, diary, guard, letters)
  const registrar = new Registrar(rooms, diary, guard, letters)
  const recovery = new Recovery(rooms, diary, guard, letters)
  const consents = new Consents(rooms, diary, letters, oauth?.clients)
  return {
    rooms,
    diary,
    signIn,
    registrar,
    recovery,
    own: new Own(rooms, diary, guard, letters, signIn),
    byProvider: new ByProvider(rooms, diary, signIn, registrar),
    administration: new Administration(rooms, diary, letters, recovery),
    revocation: new Revocation(rooms),
    consents,
    letters,
    keys: new KeyCounter(rooms),
    services: new ServiceAdministration(rooms, oauth?.registry.clients),
    roles: new RoleAdministration(rooms),
    decisions: new Decisions(rooms),
    policies: new PolicyAdministration(rooms),
    addresses: new AddressAdministration(rooms),
    record: new RecordReading(rooms),
    incidents: new IncidentAdministration(rooms),
    playbooks: new PlaybookAdministration(rooms),
    authorization: oauth && new Authorization(rooms, oauth.resources, new Issuing(rooms, oauth, diary), diary),
    devices: oauth && new Devices(rooms, oauth, guard, consents),
    clients: oauth && new ClientAdministration(rooms, oauth),
  }
}
