import { setTimeout as pause } from 'node:timers/promises'
import { anchorsOf } from './audit/checkpoint/anchors.ts'
import { openCheckpointer } from './audit/checkpoint/checkpointer.ts'
import { openCheckpointKey } from './audit/checkpoint/key.ts'
import type { AuditEvent } from './audit/event.ts'
import { openFollowers } from './audit/follow/followers.ts'
import { troubleEvent } from './audit/follow/trouble.ts'
import { putInOutbox } from './audit/outbox.ts'
import { type OwnAct, ownEvent } from './audit/own-event.ts'
import { ocsfOf } from './audit/reading/ocsf.ts'
import type { EventSealer } from './audit/sealer.ts'
import { openSinks } from './audit/sinks/open.ts'
import { openScrubber } from './audit/verify/scrubber.ts'
import type { Environment, Settings } from './config/settings.ts'
import { detectionFollower } from './incident/detection/follower.ts'
import { openGeolocation } from './incident/detection/geolocation.ts'
import { openIncidents } from './incident/open.ts'
import { automaticRuns } from './incident/playbook/automatic.ts'
import { RunBook } from './incident/playbook/run-book.ts'
import { reporter } from './incident/report.ts'
import { Timeline } from './incident/timeline.ts'
import type { Clock } from './kernel/clock.ts'
import type { Random } from './kernel/id.ts'
import type { Log } from './kernel/log.ts'
import { repeat } from './kernel/task.ts'
import type { RootKey } from './keys/root.ts'
import type { Database, Store } from './store/database.ts'

/** What is done with the record once it is written: it is vouched for, sent on, and watched. */
export interface RecordKeeper {
  /** Looks for new events now, and not within the next moment. */
  turn(): void
  /** Signs what has come since the last checkpoint, and leaves the rest to other nodes. */
  stop(): Promise<void>
}

export interface RecordKeeperParts {
  readonly store: Store
  readonly sealer: EventSealer
  /** Called when something waits to be chained. */
  readonly wake: () => void
  readonly root: RootKey
  readonly audit: Settings['audit']
  readonly incidents: Settings['incidents']
  readonly environment: Environment
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly version: string
}

/** Throws a Fault where a secret, a certificate or a file that the configuration names cannot be had. */
export async function openRecordKeeper(parts: RecordKeeperParts): Promise<RecordKeeper> {
  const { store, sealer, root, audit, incidents, environment, clock, random, log, version } = parts
  const { detection } = incidents
  const geolocation = detection.geolocation === undefined ? undefined : openGeolocation(detection.geolocation)
  const sinks = openSinks(audit.sinks, { environment, clock, ocsf: (chained) => ocsfOf(chained, version) })
  const anchors = anchorsOf(audit.anchors, { store, clock, random, log, environment })
  const key = await openCheckpointKey({ root, db: store.db, random })
  const checkpointer = openCheckpointer({
    store,
    key,
    clock,
    log,
    every: audit.checkpoint,
    onBroken: broken,
  })
  const scrubber = openScrubber({ store, sealer, key, clock, log, onBroken: broken })
  const report = reporter({ book: incidentBook(), note })
  const watch = detectionFollower({
    rules: detection.rules,
    geolocation,
    hashKey: root.derive('detection'),
    store,
    sealer,
    report,
  })
  const followers = openFollowers({
    store,
    sealer,
    clock,
    random,
    log,
    followers: [watch, ...sinks],
    onTrouble: (trx, trouble) => enroll(trx, troubleEvent(trouble, { clock, random })),
  })
  const tasks = [
    repeat('sign the record', Math.min(audit.checkpoint, checkpointLookMs), log, () => checkpointer.turn()),
    ...anchors.map((anchor) => repeat(`send checkpoints to ${anchor.name}`, anchorPauseMs, log, () => anchor.turn())),
    repeat('look through the record', scrubPauseMs, log, () => scrubber.turn()),
  ]

  return {
    turn: () => followers.turn(),
    async stop() {
      scrubber.close()
      const ended = tasks.map((task) => task.stop())
      await followers.stop()
      await ended[0] // the one that signs; those that send may wait for somebody who does not answer
      await checkpointer
        .make()
        .catch((error: unknown) => log.warn({ err: error }, 'the end of the record is not signed'))
      const sent = anchors.map(async (anchor) => {
        await anchor.turn()
        await anchor.close()
      })
      await Promise.race([Promise.all(sent), pause(anchorStopMs)])
    },
  }

  /** Incidents as they are opened here; whoever serves carries out what begins with them. */
  function incidentBook() {
    const begin = automaticRuns({
      playbooks: () => incidents.playbooks,
      book: new RunBook({ clock, random }),
      timeline: new Timeline({ clock }),
      note,
    })
    return openIncidents({ options: incidents, clock, random, onOpened: [begin] }).incidentBook
  }

  async function broken(reason: string): Promise<void> {
    const resource = { id: 'audit', type: 'audit' } as const
    const act = { type: 'security_incident', action: 'record-broken', resource, details: { reason } } as const
    const at = clock.now()
    await store.transaction(async (trx) => {
      await note(trx, act, 'error')
      await report(trx, {
        type: 'record-broken',
        severity: 'critical',
        cause: 'record-broken',
        title: 'The record is not what was written or signed',
        description: `${reason}; \`gatehouse audit verify\` tells more`,
        details: { reason },
        targets: [],
        events: [],
        beganAt: at,
        lastAt: at,
        count: 1,
      })
    })
  }

  function note(trx: Database, act: OwnAct, result?: AuditEvent['result']): Promise<void> {
    return enroll(trx, ownEvent(act, { clock, random }, result))
  }

  /** What waits is looked for a moment later: the transaction has to end first. */
  async function enroll(trx: Database, event: AuditEvent): Promise<void> {
    await putInOutbox(trx, sealer, event)
    setTimeout(parts.wake, wakeMs).unref()
  }
}

/** How often it is asked whether a checkpoint is due: others may have made one. */
const checkpointLookMs = 5_000
const anchorPauseMs = 1_000
const scrubPauseMs = 60_000
/** What an anchor does not take at the end by then, the next who keeps the record sends. */
const anchorStopMs = 2_000
const wakeMs = 50
