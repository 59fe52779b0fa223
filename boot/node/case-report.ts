/** What the engine's side of suite.ts tells the other: one line of JSON a case, behind a mark. */

/** Stands before a report, to tell it from what a case writes itself. */
export const reportMark = '\u0001'

export interface CaseReport {
  readonly name: string
  readonly failure?: { readonly name: string; readonly message: string; readonly stack: string }
}
