import { isAccess, partsOf } from '../access.ts'
import type { Vocabulary } from '../words.ts'
import { examineAccessPart } from './examine.ts'
import { examineCounted, examineLimit } from './limits.ts'
import { Subject } from './subject.ts'
import type { Violation } from './violation.ts'
import { isReason } from './vocabulary.ts'

/** The rules about a plugin whose routes the application adopts. */
export function examineAdoption(
  adoption: { readonly reason: string; readonly access: unknown; readonly limit: unknown },
  source: string,
  vocabulary: Vocabulary,
): Violation[] {
  const subject = new Subject(`adopt('${adoption.reason}')`, source)
  if (!isReason(adoption.reason)) {
    subject.refuse('plugin.reason-missing', 'adopt() needs a reason', `adopt('what the plugin is for', …)`)
  }
  const limit = examineLimit(adoption, adoption.reason, vocabulary, subject)
  if (!isAccess(adoption.access)) {
    subject.refuse('route.access-missing', 'nothing says who may call its routes', `access: role('admin')`)
    return subject.violations
  }
  if (limit !== undefined) examineCounted(limit, adoption.access.rule, subject)
  for (const part of partsOf(adoption.access.rule)) {
    examineAccessPart(part, vocabulary, subject)
    if (part.kind === 'owns') {
      subject.refuse(
        'access.owns-on-plugin',
        'a plugin does not query through the row rules',
        `access: role('admin')`,
      )
    }
  }
  return subject.violations
}
