import { Administration } from './administration.ts'
import { ByProvider } from './by-provider.ts'
import { Guard } from './guard.ts'
import { Letters } from './letters.ts'
import { Own } from './own.ts'
import { Recovery } from './recovery.ts'
import { Registrar } from './registration.ts'
import type { DeskRooms } from './rooms.ts'
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
}

export function openDesk(rooms: DeskRooms): Desk {
  const diary = new Diary(rooms)
  const letters = new Letters(rooms)
  const guard = new Guard(rooms, diary, letters)
  const signIn = new SignIn(rooms, diary, guard, letters)
  const registrar = new Registrar(rooms, diary, guard, letters)
  const recovery = new Recovery(rooms, diary, guard, letters)
  return {
    rooms,
    diary,
    signIn,
    registrar,
    recovery,
    own: new Own(rooms, diary, guard, letters, signIn),
    byProvider: new ByProvider(rooms, diary, signIn, registrar),
    administration: new Administration(rooms, diary, letters, recovery),
  }
}
