// The Merkle tree over the events, against vectors from outside and against the RFC's own words.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { GrowingTree, leafHash, verifyConsistency, verifyInclusion } from '../../src/audit/checkpoint/merkle.ts'
import { consistencyProof, inclusionProof, rootAt } from '../../src/audit/checkpoint/tree.ts'
import { type Database, openStore } from '../../src/store/database.ts'
import * as reference from './merkle-reference.ts'
import * as vectors from './merkle-vectors.ts'
import { numbers } from './sample.ts'

const hex = (hashes: readonly Buffer[]): string[] => hashes.map((hash) => hash.toString('hex'))
const bytes = (hashes: readonly string[]): Buffer[] => hashes.map((hash) => Buffer.from(hash, 'hex'))

test('A60: roots, paths and proofs are those of the published vectors', () => {
  const tree = new GrowingTree()
  assert.equal(tree.root().toString('hex'), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  for (const [index, data] of vectors.leaves.entries()) {
    tree.push(reference.leaf(data), () => assert.fail('no subtree is stored so early'))
    assert.equal(tree.root().toString('hex'), vectors.roots[index])
  }
  for (const [index, size, path] of vectors.inclusions) {
    const leaf = reference.leaf(vectors.leaves[index] as Buffer)
    const root = Buffer.from(vectors.roots[size - 1] as string, 'hex')
    assert.ok(verifyInclusion({ leaf, index, size, path: bytes(path), root }), `${index} in ${size}`)
  }
  for (const [from, to, path] of vectors.consistencies) {
    const [fromRoot, toRoot] = bytes([vectors.roots[from - 1] as string, vectors.roots[to - 1] as string])
    assert.ok(
      verifyConsistency({ from, to, fromRoot: fromRoot as Buffer, toRoot: toRoot as Buffer, path: bytes(path) }),
      `${from} to ${to}`,
    )
  }
})

test('A60: a leaf is the UTF-8 of the body behind a zero byte, however long', () => {
  for (const body of ['', '{"é":"€"}', '\u{1f600}'.repeat(3000), 'x'.repeat(100_000)])
    assert.deepEqual(leafHash(body), reference.leaf(body))
})

test('A60: of every size to 600, root, paths and consistency are what the RFC says, from events and from stored hashes', async (context) => {
  const { db, leaves } = await storeOf(context, 600)
  const roots = numbers(601, 0).map((size) => reference.root(leaves.slice(0, size)))
  for (const size of numbers(600)) {
    const some = leaves.slice(0, size)
    const root = roots[size] as Buffer
    assert.deepEqual(await rootAt(db, size), root)
    for (const at of new Set([1 + (7919 % size), size])) {
      const path = await inclusionProof(db, at, size)
      if (size < 40 || size % 37 === 0 || size > 590) assert.deepEqual(hex(path), hex(reference.path(at - 1, some)))
      assert.ok(
        verifyInclusion({ leaf: leaves[at - 1] as Buffer, index: at - 1, size, path, root }),
        `${at} of ${size}`,
      )
    }
    const from = 1 + (104_729 % size)
    const path = await consistencyProof(db, from, size)
    if (size < 40 || size % 37 === 0) assert.deepEqual(hex(path), hex(reference.proof(from, some)))
    const fromRoot = roots[from] as Buffer
    assert.ok(verifyConsistency({ from, to: size, fromRoot, toRoot: root, path }), `${from} to ${size}`)
  }
})

test('A60: beyond 65,536 events the same holds', async (context) => {
  const { db, leaves } = await storeOf(context, 65_900)
  for (const size of [65_535, 65_536, 65_900]) {
    const root = reference.root(leaves.slice(0, size))
    assert.deepEqual(await rootAt(db, size), root)
    for (const seq of [1, 65_000, size]) {
      const path = await inclusionProof(db, seq, size)
      assert.ok(verifyInclusion({ leaf: leaves[seq - 1] as Buffer, index: seq - 1, size, path, root }))
    }
    for (const from of [1, 40_000, 65_535]) {
      const path = await consistencyProof(db, from, size)
      const fromRoot = reference.root(leaves.slice(0, from))
      assert.ok(verifyConsistency({ from, to: size, fromRoot, toRoot: root, path }), `${from} to ${size}`)
    }
  }
})

test('A60: a proof that was changed in any part of it does not hold', () => {
  const leaves = numbers(13).map((number) => reference.leaf(`event ${number}`))
  const other = reference.leaf('another')
  for (const size of numbers(13)) {
    const root = reference.root(leaves.slice(0, size))
    for (const index of numbers(size, 0)) {
      const leaf = leaves[index] as Buffer
      const path = reference.path(index, leaves.slice(0, size))
      const right = { leaf, index, size, path, root }
      assert.ok(verifyInclusion(right))
      for (const wrong of [
        { leaf: other },
        { root: other },
        ...(size === 1 ? [] : [{ index: (index + 1) % size }, { path: path.slice(1) }]),
        { index: size },
        { index: -1 },
        { index: 0.5 },
        { size: size * 2 },
        { path: [...path, other] },
        { path: [other, ...path] },
        ...path.map((_, at) => ({ path: path.with(at, other) })),
        ...path.map((hash, at) => ({ path: path.with(at, hash.subarray(1)) })),
      ])
        assert.equal(verifyInclusion({ ...right, ...wrong }), false, JSON.stringify({ size, index, ...wrong }))
    }
    for (const from of numbers(size)) {
      const path = reference.proof(from, leaves.slice(0, size))
      const right = { from, to: size, fromRoot: reference.root(leaves.slice(0, from)), toRoot: root, path }
      assert.ok(verifyConsistency(right))
      for (const wrong of [
        { fromRoot: other },
        { toRoot: other },
        { from: 0 },
        { from: size + 1 },
        { path: [...path, other] },
        ...(path.length === 0 ? [] : [{ path: path.slice(1) }, { path: [] }]),
        ...path.map((_, at) => ({ path: path.with(at, other) })),
      ])
        assert.equal(verifyConsistency({ ...right, ...wrong }), false, JSON.stringify({ size, from, ...wrong }))
    }
  }
})

/** Events with these leaves, and what is stored of the tree over them. */
async function storeOf(context: TestContext, count: number): Promise<{ db: Database; leaves: readonly Buffer[] }> {
  const store = await openStore('sqlite::memory:')
  context.after(() => store.close())
  const bodies = numbers(count).map((number) => `event ${number}`)
  const leaves = bodies.map((body) => reference.leaf(body))
  const tree = new GrowingTree()
  const rows: { level: number; position: number; hash: string }[] = []
  for (const leaf of leaves) tree.push(leaf, (one) => rows.push({ ...one, hash: one.hash.toString('hex') }))
  await store.transaction(async (trx) => {
    const empty = { at: 0, type: '', action: '', actor: '', result: '', address: '', request_id: '' }
    for (let from = 0; from < count; from += 1_000)
      await trx
        .insertInto('audit_events')
        .values(
          bodies.slice(from, from + 1_000).map((body, index) => ({
            ...empty,
            seq: from + index + 1,
            id: body,
            resource_type: '',
            resource: '',
            body,
            hash: '',
          })),
        )
        .execute()
    if (rows.length > 0)
      await trx
        .insertInto('audit_tree')
        .values(rows.filter(({ position }) => position !== 1))
        .execute()
  })
  return { db: store.db, leaves }
}
