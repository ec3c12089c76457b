import { reviewCases } from './review-cases.ts'

reviewCases(async () => 'sqlite::memory:')
