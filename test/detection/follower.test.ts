import { suite } from 'node:test'
import { followerCases } from './follower-cases.ts'

suite('detection on SQLite in memory', () => followerCases(async () => 'sqlite::memory:', 20))
