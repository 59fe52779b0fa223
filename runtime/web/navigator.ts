/** The part of https://html.spec.whatwg.org/#the-navigator-object that servers have: https://common-min-api.proposal.wintertc.org . */
import { makers } from './makers.ts'

export class Navigator {
  get userAgent(): string {
    return 'xen-ts'
  }
  /** A domain has one virtual CPU. */
  get hardwareConcurrency(): number {
    return 1
  }
  get language(): string {
    return 'en'
  }
  get languages(): readonly string[] {
    return LANGUAGES
  }
}

const LANGUAGES = Object.freeze(['en'])

/** A domain that starts from now on has a navigator. */
export const addNavigator = (): void => void makers.push(() => ({ Navigator, navigator: new Navigator() }))
