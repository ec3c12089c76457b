import { abreast } from './abreast.ts'
import { answer } from './answer.ts'
import { arrive } from './arrive.ts'
import { attend } from './attend.ts'
import { decide } from './decide.ts'
import type { RouteDraft } from './draft.ts'
import type { Stage } from './exchange.ts'
import { forward } from './forward.ts'
import { https } from './https.ts'
import { identify } from './identify.ts'
import { inspect } from './inspect.ts'
import { judge } from './judge.ts'
import { owned } from './owner/owned.ts'
import { recheck } from './recheck.ts'
import { remembered } from './remembered.ts'
import type { Rooms } from './rooms.ts'
import { A, E, M, P } from './route.ts'
import { screen } from './screen.ts'
import { shed } from './shed.ts'
import { shield } from './shield.ts'
import { signed } from './signed.ts'
import { throttle } from './throttle.ts'
import { counted } from './turned-away.ts'

/** Makes a route's stage at load, or says that the route has no need of it. */
export type StageMaker = (route: RouteDraft, rooms: Rooms) => Stage | undefined

/** The way of a request: proxy, mcp, api, embedded. Read it downwards. A stage is made once per route, at load. */
const way: readonly (readonly [kinds: number, make: StageMaker])[] = [
  [ P | M | A | E, arrive   ],   // framing, canonical path, sizes: refuse what is malformed before spending anything on it
  [ P | M | A | E, https    ],   // who came without TLS is sent to come again with it, before anything is asked or told
  [ P | M | A | E, shield   ],   // address rules, load, limits per address: an attacker never reaches a signature check
  [ P | M | A | E, remembered ], // what nobody would know of does not happen, where that was chosen: before it costs anything
  [ P | M | A | E, shed     ],   // what is too much, for us or for the upstream: after the limits, since who asks too often alone is told so
  [ P | M | A | E, abreast  ],   // what another thread has committed holds here: before anybody is asked who they are
  [ P | M | A | E, counted(identify) ],   // credential → principal, proof of possession included
  [ P | M | A | E, counted(signed)   ],   // reads the body, where a signature over it is demanded: after all that needs no body
  [ P | M | A | E, throttle ],   // all limits at once, those of the address and those of the caller
  [ P | M | A | E, decide   ],   // by permission; before inspect: no body is read for someone who may not
  [ P | M     | E, owned    ],   // by the owner: what is somebody else's is not there
  [ P | M     | E, judge    ],   // by the policies of the route
  [ P | M | A | E, attend   ],   // in person, and lately proven, where the route wants that
  [ P | M | A | E, inspect  ],
  [ P | M | A | E, recheck  ],   // reading a body took as long as the caller liked: are they let in still?
  [ P | M        , forward  ],   // insists on a permit
  [         A    , answer   ],   // insists on a permit
  [ P | M     | E, screen   ],   // by the owner too, where only the answer says who that is
]

/** The stages that a route needs, in the order of the way. */
export function stagesOf(route: RouteDraft, rooms: Rooms): readonly Stage[] {
  const stages: Stage[] = []
  for (const [kinds, make] of way) {
    if ((kinds & route.kind) === 0) continue
    const stage = make(route, rooms)
    if (stage !== undefined) stages.push(stage)
  }
  return stages
}
