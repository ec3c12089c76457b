import type { Detector } from './detector.ts'
import { code } from './families/code.ts'
import { command } from './families/command.ts'
import { crlf } from './families/crlf.ts'
import { deserialisation } from './families/deserialisation.ts'
import { fixation } from './families/fixation.ts'
import { inclusion } from './families/inclusion.ts'
import { ldap } from './families/ldap.ts'
import { mail } from './families/mail.ts'
import { nosql } from './families/nosql.ts'
import { prototype } from './families/prototype.ts'
import { ssi } from './families/ssi.ts'
import { ssrf } from './families/ssrf.ts'
import { template } from './families/template.ts'
import { traversal } from './families/traversal.ts'
import { xpath } from './families/xpath.ts'
import { xxe } from './families/xxe.ts'
import { xssDetector } from './markup/detector.ts'
import { sqlDetector } from './sql/detector.ts'

/** Every detector, cheapest first. */
export const detectors: readonly Detector[] = [
  prototype,
  ssi,
  fixation,
  xxe,
  mail,
  crlf,
  ldap,
  xpath,
  inclusion,
  deserialisation,
  traversal,
  template,
  nosql,
  ssrf,
  code,
  command,
  xssDetector,
  sqlDetector,
]
