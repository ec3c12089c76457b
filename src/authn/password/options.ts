import { z } from 'zod'

/** What a password has to be (NIST SP 800-63B-4 §3.1.1.2). Long, and not known already; of what letters is nobody's business. */
export const passwordOptions = z
  .strictObject({
    /** The least length of a password that stands alone, in characters. */
    minLength: z.int().min(8).max(128).default(15),
    /** The least length beside a second factor. */
    minLengthWithSecondFactor: z.int().min(8).max(128).default(8),
    /** A file that `gatehouse breach build` made, of passwords that were seen in breaches. It is read where it lies: replace it and the new one counts. */
    breachList: z.string().min(1, 'expected the path of a file, got nothing').optional(),
    /** Words that everybody thinks of here: the name of the site, of the company, of the product. */
    contextWords: z
      .array(z.string().trim().min(3, 'expected at least 3 characters').max(64, 'expected at most 64 characters'))
      .max(100)
      .default([]),
  })
  .refine(({ minLength, minLengthWithSecondFactor }) => minLengthWithSecondFactor <= minLength, {
    path: ['minLengthWithSecondFactor'],
    message: 'expected no more than `minLength`',
  })

export type PasswordOptions = z.output<typeof passwordOptions>
