// What becomes of findings, on every store.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evidenceOf } from '../../src/incident/evidence.ts'
import { incidentMetrics } from '../../src/incident/metrics.ts'
import { type FreshStore, finding, nodes, startMs } from './scene.ts'

export function incidentCases(fresh: FreshStore): void {
  test('IN1: a finding opens an incident with all that is known, and the record has it', async (context) => {
    const {
      nodes: [node],
    } = await nodes(context, await fresh(context), 1)
    await node.found()
    const [incident] = await node.all()
    assert.ok(incident)
    const { id, ...rest } = incident
    assert.deepEqual(rest, {
      type: 'brute-force',
      severity: 'high',
      status: 'active',
      cause: finding.cause,
      title: finding.title,
      description: finding.description,
      details: { rule: 'brute-force' },
      targets: finding.targets,
      occurrences: 1,
      beganAt: startMs - 60_000,
      lastAt: startMs - 1_000,
      detectedAt: startMs,
      acknowledgedAt: undefined,
      containedAt: undefined,
      resolvedAt: undefined,
      assignee: undefined,
      version: 1,
    })
    const details = {
      count: 5,
      incident_type: 'brute-force',
      outcome: 'opened',
      severity: 'high',
      title: finding.title,
    }
    assert.deepEqual(node.noted, [{ action: 'detected', details }])
    const [entry, ...none] = await node.book.timeline.page(node.store.db, id, 0, 10)
    assert.deepEqual([entry?.position, entry?.kind, entry?.actor, none.length], [1, 'opened', 'gatehouse', 0])
  })

  test('IN1: the same cause joins the open incident, and a flood of it does not grow its timeline', async (context) => {
    const {
      nodes: [node],
    } = await nodes(context, await fresh(context), 1)
    await node.found()
    const [first] = await node.all()
    assert.ok(first)
    await node.change(first.id, { deed: 'acknowledge', version: 1 })
    for (let n = 0; n < 30; n++)
      await node.found({
        severity: 'low',
        targets: [{ type: 'user', id: `user-${n}` }],
        events: [10 + n],
        lastAt: startMs + n,
        beganAt: startMs,
      })
    const [joined, ...others] = await node.all()
    assert.ok(joined)
    assert.equal(others.length, 0)
    assert.deepEqual(
      [joined.id, joined.occurrences, joined.status, joined.severity, joined.version],
      [first.id, 31, 'acknowledged', 'high', 2],
      'it never becomes less severe, and whoever has it in hand keeps it',
    )
    assert.deepEqual([joined.beganAt, joined.lastAt], [startMs - 60_000, startMs + 29])
    assert.equal(joined.targets.length, 31)
    const timeline = await node.book.timeline.page(node.store.db, first.id, 0, 100)
    assert.deepEqual(
      timeline.map(({ kind, text }) => [kind, text]),
      [
        ['opened', finding.title],
        ['acknowledged', ''],
        ['joined', 'the same was found again 30 times'],
      ],
    )
  })

  test('IN1: what is found to be worse is worse, and whoever saw the milder one is told', async (context) => {
    const {
      nodes: [node],
    } = await nodes(context, await fresh(context), 1)
    await node.found({ severity: 'low' })
    await node.found({ severity: 'critical' })
    const [incident] = await node.all()
    assert.ok(incident)
    assert.deepEqual([incident.severity, incident.version], ['critical', 2])
    const late = await node.change(incident.id, { deed: 'resolve', version: 1, text: 'harmless' })
    assert.ok('code' in late && late.code === 'conflict')
    assert.match(late.detail, /at version 2/)
  })

  test('IN1: many who find the same at one moment, on two nodes: one incident, and nothing lost', async (context) => {
    const { nodes: two } = await nodes(context, await fresh(context), 2)
    for (const cause of ['a', 'b', 'c']) {
      const found = two.flatMap((node, at) =>
        [0, 1, 2].map((n) =>
          node.found({ cause, targets: [{ type: 'user', id: `${at}-${n}` }], events: [100 + at * 10 + n] }),
        ),
      )
      await Promise.all(found)
    }
    const all = await two[0].all()
    assert.equal(all.length, 3)
    for (const { id, occurrences, targets } of all) {
      assert.equal(occurrences, 6)
      assert.equal(targets.length, 6)
      assert.equal((await evidenceOf(two[0].store.db, id)).length, 6)
    }
    const outcomes = two.flatMap(({ noted }) => noted.map(({ details }) => details['outcome']))
    assert.equal(outcomes.filter((outcome) => outcome === 'opened').length, 3)
    assert.equal(outcomes.length, 18)
  })

  test('IN1: what is reported in a transaction that is undone was never there', async (context) => {
    const {
      nodes: [node],
    } = await nodes(context, await fresh(context), 1, { alerts: { here: { kind: 'console' } } })
    const undone = node.store.transaction(async (trx) => {
      await node.report(trx, finding)
      throw new Error('undone')
    })
    await assert.rejects(undone, /undone/)
    assert.deepEqual(await node.all(), [])
    await node.alerts.drain()
    assert.deepEqual(node.printed, [], 'nobody is told of what is not there')
  })

  test('IN1: a cause that comes again after it was resolved opens another incident, which names the one before', async (context) => {
    const {
      nodes: [node],
      clock,
    } = await nodes(context, await fresh(context), 1)
    await node.found()
    const [old] = await node.all()
    assert.ok(old)
    await node.change(old.id, { deed: 'resolve', version: 1, text: 'blocked' })
    clock.advance(60_000)
    await node.found()
    const [again, before] = await node.all()
    assert.deepEqual([again?.details['previous'], again?.status, before?.status], [old.id, 'active', 'resolved'])
    const reopened = await node.change(old.id, { deed: 'reopen', version: 2 })
    assert.ok('code' in reopened && reopened.code === 'conflict')
    assert.ok(again && reopened.detail.includes(again.id), reopened.detail)
  })

  test('IN1: of two who change it at one moment, on two nodes, one does, and the other is told', async (context) => {
    const { nodes: two } = await nodes(context, await fresh(context), 2)
    await two[0].found()
    const [incident] = await two[0].all()
    assert.ok(incident)
    const outcomes = await Promise.all(two.map((node) => node.change(incident.id, { deed: 'acknowledge', version: 1 })))
    assert.deepEqual(outcomes.map((outcome) => ('code' in outcome ? outcome.code : outcome.status)).toSorted(), [
      'acknowledged',
      'conflict',
    ])
    const timeline = await two[0].book.timeline.page(two[0].store.db, incident.id, 0, 10)
    assert.deepEqual(
      timeline.map(({ position, kind }) => [position, kind]),
      [
        [1, 'opened'],
        [2, 'acknowledged'],
      ],
    )
  })

  test('IN1: it goes from state to state as its life has it, and no other way', async (context) => {
    const {
      nodes: [node],
      clock,
    } = await nodes(context, await fresh(context), 1)
    await node.found()
    const [incident] = await node.all()
    const id = incident?.id ?? ''
    const refused = async (deed: 'acknowledge' | 'contain' | 'reopen' | 'resolve' | 'assign'): Promise<void> => {
      const outcome = await node.change(id, { deed, assignee: null })
      assert.ok('code' in outcome && outcome.code === 'conflict', deed)
    }
    await refused('reopen')
    clock.advance(10_000)
    const contained = await node.change(id, { deed: 'contain', text: 'blocked' })
    assert.ok('status' in contained)
    assert.deepEqual(
      [contained.status, contained.acknowledgedAt, contained.containedAt],
      ['acknowledged', startMs + 10_000, startMs + 10_000],
      'whoever contains it has seen it',
    )
    await refused('contain')
    await refused('acknowledge')
    clock.advance(10_000)
    const resolved = await node.change(id, { deed: 'resolve', text: 'over' })
    assert.ok('status' in resolved && resolved.resolvedAt === startMs + 20_000)
    for (const deed of ['acknowledge', 'contain', 'resolve', 'assign'] as const) await refused(deed)
    assert.ok('status' in (await node.change(id, { deed: 'note', text: 'still, I wonder' })))
    const reopened = await node.change(id, { deed: 'reopen' })
    assert.ok('status' in reopened)
    assert.deepEqual([reopened.status, reopened.resolvedAt], ['acknowledged', undefined])
    const nobody = await node.change(id, { deed: 'assign', assignee: 'no such account' })
    assert.ok('code' in nobody && nobody.code === 'body-invalid')
  })

  test('IN1: of its events the first fifty and the last fifty stay; targets and facts are bounded', async (context) => {
    const {
      nodes: [node],
    } = await nodes(context, await fresh(context), 1)
    const events = (from: number): number[] => Array.from({ length: 90 }, (_, n) => from + n)
    const targets = (from: number) => events(from).map((n) => ({ type: 'user' as const, id: `${n}` }))
    await node.found({ events: events(1), targets: targets(1) })
    await node.found({ events: events(1_001), targets: targets(1_001) })
    const details = Object.fromEntries(events(1).map((n) => [`fact ${n}`, 'x'.repeat(2_000)]))
    await node.found({ events: events(501), details: { ...details, previous: 'forged', report_due: 'never' } })
    const [incident] = await node.all()
    assert.ok(incident)
    const seqs = (await evidenceOf(node.store.db, incident.id)).map(({ seq }) => seq)
    assert.equal(seqs.length, 100)
    assert.deepEqual([seqs[0], seqs[49], seqs[50], seqs[99]], [1, 50, 1_041, 1_090])
    assert.equal(incident.targets.length, 100)
    assert.deepEqual(incident.targets[0], { type: 'user', id: '1' }, 'those that were known stay')
    assert.ok(JSON.stringify(incident.details).length < 20_000)
  })

  test('IN1: hostile text is kept as text: no line break in a title, no U+0000 anywhere', async (context) => {
    const {
      nodes: [node],
    } = await nodes(context, await fresh(context), 1)
    const hostile = 'a\u0000b\r\nc\u202ed\ud800'
    await node.found({
      cause: hostile.repeat(500),
      title: hostile.repeat(100),
      description: hostile,
      details: { [hostile]: hostile },
      targets: [{ type: 'user', id: hostile }],
    })
    await node.found({ cause: hostile.repeat(500) })
    const [incident, ...none] = await node.all()
    assert.ok(incident)
    assert.equal(none.length, 0)
    assert.equal(incident.occurrences, 2)
    assert.match(incident.title, /^[^\p{Cc}\u202e]{1,200}$/u)
    assert.ok(!JSON.stringify(incident).includes('\\u0000'))
  })

  test('IN1: a breach of personal data has the clock of 72 hours', async (context) => {
    const {
      nodes: [node],
    } = await nodes(context, await fresh(context), 1)
    await node.found({ type: 'data-breach' })
    await node.found({ type: 'data-breach', details: { report_due: 'never' } })
    const [incident] = await node.all()
    assert.equal(incident?.details['report_due'], new Date(startMs + 72 * 3_600_000).toISOString())
  })

  test('IN1: metrics say how long it took to detect, acknowledge, contain and resolve', async (context) => {
    const {
      nodes: [node],
      clock,
    } = await nodes(context, await fresh(context), 1)
    for (let n = 1; n <= 10; n++) {
      await node.found({ cause: `cause ${n}`, beganAt: clock.now() - n * 1_000, severity: n > 8 ? 'low' : 'high' })
      const [incident] = await node.all()
      const id = incident?.id ?? ''
      clock.advance(n * 1_000)
      await node.change(id, { deed: 'acknowledge' })
      if (n > 5) continue
      clock.advance(n * 1_000)
      await node.change(id, { deed: 'contain' })
      clock.advance(n * 1_000)
      await node.change(id, { deed: 'resolve', text: 'over' })
    }
    const metrics = await incidentMetrics(node.store.db, startMs, clock.now() + 1)
    assert.deepEqual(metrics, {
      count: 10,
      byType: { 'brute-force': 10 },
      bySeverity: { high: 8, low: 2 },
      byStatus: { resolved: 5, acknowledged: 5 },
      toDetect: { count: 10, medianMs: 5_000, p90Ms: 9_000 },
      toAcknowledge: { count: 10, medianMs: 5_000, p90Ms: 9_000 },
      toContain: { count: 5, medianMs: 6_000, p90Ms: 10_000 },
      toResolve: { count: 5, medianMs: 9_000, p90Ms: 15_000 },
    })
    assert.deepEqual(await incidentMetrics(node.store.db, 0, startMs), {
      count: 0,
      byType: {},
      bySeverity: {},
      byStatus: {},
      toDetect: undefined,
      toAcknowledge: undefined,
      toContain: undefined,
      toResolve: undefined,
    })
  })

  test('IN1: incidents are listed by pages, the newest first, also those of one moment', async (context) => {
    const {
      nodes: [node],
      clock,
    } = await nodes(context, await fresh(context), 1)
    for (let n = 0; n < 5; n++) {
      if (n > 2) clock.advance(1_000)
      await node.found({ cause: `cause ${n}`, severity: n === 1 ? 'critical' : 'high' })
    }
    const seen: string[] = []
    let after: Parameters<typeof node.book.page>[1]['after']
    do {
      const { incidents, next } = await node.book.page(node.store.db, { limit: 2, after })
      seen.push(...incidents.map(({ cause }) => cause))
      after = next
    } while (after !== undefined)
    assert.equal(seen.length, 5)
    assert.deepEqual(seen.slice(0, 2), ['cause 4', 'cause 3'])
    assert.deepEqual(seen.slice(2).toSorted(), ['cause 0', 'cause 1', 'cause 2'])
    const critical = await node.book.page(node.store.db, { limit: 9, severity: 'critical', status: 'open' })
    assert.deepEqual(
      critical.incidents.map(({ cause }) => cause),
      ['cause 1'],
    )
  })
}
