import { suite } from 'node:test'
import { throwAwaySchema } from '../support/postgres.ts'
import { reviewCases } from './review-cases.ts'

suite('reviews, on PostgreSQL', () => reviewCases(throwAwaySchema))
