import { createHmac } from 'node:crypto'
import type { AuditEvent, AuditType, Details } from '../../audit/event.ts'
import { GenerationCache } from '../../kernel/cache.ts'
import { markUnshowable } from '../../kernel/one-line.ts'
import type { Finding, Target } from '../finding.ts'
import type { Geolocation } from './geolocation.ts'
import type { NamedRule } from './options.ts'
import { compileRule, type Rule } from './rule.ts'
import type { Memory, Seen } from './unseen.ts'
import type { Grounds } from './watch.ts'

export interface DetectorParts {
  readonly rules: readonly NamedRule[]
  readonly geolocation: Geolocation | undefined
  /** 32 bytes. Whom and what it remembers stands in the store by hashes under it. */
  readonly hashKey: Uint8Array
}

/** What came of one event. */
export interface Outcome {
  readonly seq: number
  readonly findings: readonly Finding[]
  readonly memories: readonly Memory[]
}

/** What has to be recalled before an event is taken: what a rule has seen of a key. */
export interface Question {
  readonly rule: string
  readonly key: string
}

/**
 * Rules over the events of the chain, one after the other. What it finds follows from the events, from what it remembers,
 * and from nothing else: no clock, no chance. Its memory is bounded.
 */
export class Detector {
  readonly #rules: readonly Armed[]
  readonly #byType = new Map<AuditType, Armed[]>()
  readonly #hashKey: Uint8Array

  constructor({ rules, geolocation, hashKey }: DetectorParts) {
    this.#hashKey = hashKey
    this.#rules = rules.map((named) => ({
      ...compileRule(named, geolocation),
      found: new GenerationCache<string, number>(10_000),
      lately: [],
    }))
    for (const rule of this.#rules)
      for (const type of rule.types) this.#byType.set(type, [...(this.#byType.get(type) ?? []), rule])
  }

  /** How much of the past it needs of each type of event to know what it would know had it been there. */
  get past(): ReadonlyMap<AuditType, number> {
    const past = new Map<AuditType, number>()
    for (const { types, watch } of this.#rules) {
      if ('unseen' in watch) continue
      for (const type of types) past.set(type, Math.max(past.get(type) ?? 0, watch.pastMs))
    }
    return past
  }

  /** The longest that anything it remembers is good for. */
  get memoryMs(): number {
    return Math.max(hour, ...this.#rules.map(({ rule }) => Math.max(rule.cooldown, 'memory' in rule ? rule.memory : 0)))
  }

  get cooldownMs(): number {
    return Math.max(hour, ...this.#rules.map(({ rule }) => rule.cooldown))
  }

  questions(event: AuditEvent): readonly Question[] {
    const questions: Question[] = []
    for (const { name, watch, takes, keyOf } of this.#byType.get(event.type) ?? []) {
      if (!('unseen' in watch) || !takes(event)) continue
      const key = keyOf(event)
      if (key === '') continue
      const hashed = this.#hash(name, key)
      if (!watch.unseen.knows(hashed)) questions.push({ rule: name, key: hashed })
    }
    return questions
  }

  recall({ rule, key }: Question, seen: Seen): void {
    const watch = this.#rules.find(({ name }) => name === rule)?.watch
    if (watch !== undefined && 'unseen' in watch) watch.unseen.recall(key, seen)
  }

  /** Says that a rule found something before. Called from the oldest to the newest. */
  recallFinding({ rule: name, key }: Question, at: number): void {
    const rule = this.#rules.find((rule) => rule.name === name)
    if (rule === undefined) return
    rule.found.set(key, at)
    if (key !== this.#hash(name, many)) remember(rule.lately, at)
  }

  /** Takes an event of which everything was found already that there was. */
  rebuild(event: AuditEvent, seq: number): void {
    for (const rule of this.#byType.get(event.type) ?? []) {
      const { watch } = rule
      if (!('unseen' in watch)) this.#see(rule, event, seq)
    }
  }

  observe(event: AuditEvent, seq: number): Outcome | undefined {
    if (isOwn(event)) return undefined
    const findings: Finding[] = []
    const memories: Memory[] = []
    for (const rule of this.#byType.get(event.type) ?? []) {
      const seen = this.#see(rule, event, seq, memories)
      if (seen === undefined) continue
      const finding = this.#find(rule, event, seen.key, seen.grounds, memories)
      if (finding !== undefined) findings.push(finding)
    }
    return findings.length === 0 && memories.length === 0 ? undefined : { seq, findings, memories }
  }

  clear(): void {
    for (const { watch, found, lately } of this.#rules) {
      if ('unseen' in watch) watch.unseen.clear()
      else watch.clear()
      found.clear()
      lately.length = 0
    }
  }

  #see(
    { name, watch, takes, forgives, keyOf }: Armed,
    event: AuditEvent,
    seq: number,
    memories: Memory[] = [],
  ): { readonly key: string; readonly grounds: Grounds } | undefined {
    const isTaken = takes(event)
    const isForgiving = forgives?.(event) === true
    if (!isTaken && !isForgiving) return undefined
    const key = keyOf(event)
    if (key === '') return undefined
    if ('unseen' in watch) {
      const value = watch.valueOf(event)
      if (value === '') return undefined
      const grounds = watch.unseen.see(this.#hash(name, key), this.#hash(name, value), event.at, seq, memories)
      return grounds && { key, grounds }
    }
    if (isForgiving) watch.forgive(key, event)
    if (!isTaken) return undefined
    const grounds = watch.see(event, seq, key)
    return grounds && { key, grounds }
  }

  /** Nothing of the same cause twice within the cool-down, and of one rule no more than a hundred causes an hour. */
  #find(
    { name, rule, found, lately }: Armed,
    event: AuditEvent,
    key: string,
    grounds: Grounds,
    memories: Memory[],
  ): Finding | undefined {
    const { at } = event
    const hashed = this.#hash(name, key)
    if (isCooling(found.get(hashed), at, rule.cooldown)) return undefined
    const [first] = lately
    if (lately.length === findingsPerHour && first !== undefined && Math.abs(at - first) < hour) {
      const together = this.#hash(name, many)
      if (isCooling(found.get(together), at, hour)) return undefined
      found.set(together, at)
      memories.push({ rule: name, key: together, value: '', at })
      return { ...findingOf(name, rule, event, 'many', grounds), ...manyAtOnce, targets: [] }
    }
    found.set(hashed, at)
    remember(lately, at)
    memories.push({ rule: name, key: hashed, value: '', at })
    return findingOf(name, rule, event, key.length <= keyMax ? shown(key) : hashed, grounds)
  }

  #hash(rule: string, text: string): string {
    return createHmac('sha256', this.#hashKey).update(`${rule}\n${text}`).digest('base64url').slice(0, 22)
  }
}

interface Armed extends Rule {
  /** When it found something last, by the hash of the key. */
  readonly found: GenerationCache<string, number>
  /** When it found its last hundred, from the oldest. */
  readonly lately: number[]
}

const hour = 3_600_000
const findingsPerHour = 100
const evidenceMax = 100
const keyMax = 160
/** No key of an event: those are never empty, and have no line feed in front. */
const many = '\nmany'
const manyAtOnce = {
  description: `It found ${findingsPerHour} of these within an hour: further ones are not told one by one`,
}

/** What detection itself found is no sign of anything more. */
function isOwn({ type, action }: AuditEvent): boolean {
  return type === 'security_incident' && action === 'detected'
}

function isCooling(before: number | undefined, at: number, cooldownMs: number): boolean {
  return before !== undefined && Math.abs(at - before) < cooldownMs
}

function remember(lately: number[], at: number): void {
  lately.push(at)
  if (lately.length > findingsPerHour) lately.shift()
}

function findingOf(
  name: string,
  rule: Rule['rule'],
  event: AuditEvent,
  key: string,
  { sightings, count, text }: Grounds,
): Finding {
  const by = rule.by.join(' ')
  const times = sightings.map(({ at }) => at)
  const details: Details = {
    by,
    key,
    ...(rule.playbooks ? {} : { playbooks: 'none' }),
    rule: name,
  }
  return {
    type: rule.type,
    ...(rule.incident ? {} : { incident: false }),
    severity: rule.severity,
    cause: `${name}: ${key}`,
    title: rule.title,
    description: `${text}, by ${by}: ${key}`,
    details,
    targets: targetsOf(rule, event),
    events: sightings
      .map(({ seq }) => seq)
      .toSorted((a, b) => a - b)
      .slice(-evidenceMax),
    beganAt: Math.min(...times),
    lastAt: Math.max(...times),
    count,
  }
}

/** What a caller chose stands here as it is, but for what breaks a line or turns its order around. */
function shown(key: string): string {
  return markUnshowable(key, '�').toWellFormed()
}

/** Whom and what the event that was one too many is about. Of what a client reports nobody is a target. */
function targetsOf({ targets, by }: Rule['rule'], event: AuditEvent): readonly Target[] {
  const { actor, resource, address, details, type } = event
  if (type === 'client_report') return []
  const wanted: ReadonlySet<string> = new Set(targets ?? by.map((field) => (field === 'caller' ? 'actor' : field)))
  const found: Target[] = []
  if (wanted.has('actor') && (actor.type === 'user' || actor.type === 'service'))
    found.push({ type: actor.type, id: actor.id })
  if (wanted.has('resource') && isTarget(resource.type) && resource.id !== '')
    found.push({ type: resource.type, id: resource.id })
  if (wanted.has('address') && address !== '') found.push({ type: 'address', id: address })
  const credential = details['credential']
  if (wanted.has('api-key') && typeof credential === 'string' && credential.startsWith('api-key '))
    found.push({ type: 'api-key', id: credential.slice('api-key '.length) })
  const session = details['session']
  if (wanted.has('session') && typeof session === 'string') found.push({ type: 'session', id: session })
  return found.filter(({ type, id }, at) => found.findIndex((other) => other.type === type && other.id === id) === at)
}

function isTarget(type: string): type is Target['type'] {
  return ['user', 'address', 'api-key', 'client', 'service', 'session'].includes(type)
}
