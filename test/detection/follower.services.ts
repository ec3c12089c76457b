import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { followerCases } from './follower-cases.ts'

suite('detection on PostgreSQL', () => followerCases(throwAwaySchema, 4))
