import { z } from 'zod'
import { duration, size } from '../../kernel/shape.ts'

const mediaType = z
  .string()
  .regex(/^[a-z]+\/(?:\*|[a-z0-9][a-z0-9.+-]*)$/, 'expected a media type such as `image/png` or `image/*`')

/** What may be uploaded. A route says only what is different from the house. */
export const uploadOptions = z.strictObject({
  /** Types that are taken, by what the file holds and not by what it says. */
  types: z.array(mediaType).min(1),
  /** The largest file; refused while it is still coming. */
  max: size.optional(),
  /** Files of one request. */
  files: z.int().min(1).max(1000).optional(),
  /** What is done with what runs when it is opened: scripts in SVG and PDF, macros. */
  active: z.enum(['refuse', 'allow']).optional(),
  /** Pixels of an image: what it takes of memory when it is opened, in quarters of bytes. */
  pixels: z.int().min(1).optional(),
  /** How far archives are opened, those inside other archives too. */
  archives: z
    .strictObject({
      /** Archives within each other. */
      depth: z.int().min(1).max(8).optional(),
      files: z.int().min(1).max(100_000).optional(),
      /** What all of it takes once it is unpacked. */
      unpacked: size.optional(),
      /** How many times larger it may become. */
      ratio: z.int().min(2).max(10_000).optional(),
    })
    .optional(),
  /** A ClamAV daemon that is asked about each file. */
  clamd: z
    .strictObject({
      /** `127.0.0.1:3310`, or the path of its socket. */
      address: z.string().regex(/^(?:\/.+|[^\s/]+:\d{1,5})$/, 'expected `127.0.0.1:3310` or the path of a socket'),
      deadline: duration.optional(),
      /** What is done while it does not answer. */
      whenDown: z.enum(['refuse', 'allow']).optional(),
    })
    .optional(),
})

export type UploadOptions = z.output<typeof uploadOptions>
