import { areas, type Check } from '../check.ts'
import { authorisationChecks } from './authorisation.ts'
import { builtInChecks } from './built-in.ts'
import { contentChecks } from './content.ts'
import { credentialChecks } from './credentials.ts'
import { headerChecks } from './headers.ts'
import { limitChecks } from './limits.ts'
import { monitoringChecks } from './monitoring.ts'
import { notYetChecks } from './not-yet.ts'
import { passwordChecks } from './passwords.ts'
import { protectionChecks } from './protection.ts'
import { sandboxChecks } from './sandbox.ts'
import { sessionChecks } from './sessions.ts'
import { surroundingChecks } from './surroundings.ts'
import { validationChecks } from './validation.ts'

/** Every line of the checklist, by area. */
export const checks: readonly Check[] = [
  ...passwordChecks,
  ...sessionChecks,
  ...credentialChecks,
  ...authorisationChecks,
  ...validationChecks,
  ...contentChecks,
  ...sandboxChecks,
  ...limitChecks,
  ...protectionChecks,
  ...headerChecks,
  ...monitoringChecks,
  ...surroundingChecks,
  ...builtInChecks,
  ...notYetChecks,
].toSorted((a, b) => areas.indexOf(a.area) - areas.indexOf(b.area))
