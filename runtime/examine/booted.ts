/**
 * The entry of a script that examines a program whose image has been booted as far as a snapshot goes, in the same engine: the bundle is not
 * evaluated again. It shares no module with the bundle; descriptions are data. Leaves what was found, as JSON, in `__examined`.
 */
import { type ExamineOptions, examine } from './examine.ts'

interface Scope {
  /** What `boot` was called with. */
  readonly __booted: Pick<ExamineOptions, 'target' | 'name' | 'program'> & Partial<Pick<ExamineOptions, 'elsewhere'>>
  readonly __words: ExamineOptions['words']
  __examined?: string
}

const scope = globalThis as unknown as Scope
const { target, elsewhere = {}, name, program } = scope.__booted
void examine({ target, elsewhere, name, program, words: scope.__words }).then(found => {
  scope.__examined = JSON.stringify(found)
})
