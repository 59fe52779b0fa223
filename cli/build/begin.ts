/** What of a build waits for nothing but its files. It is loaded before all else, so that esbuild is at work while the rest is. */
import { type Guess, guessBundle } from './bundle.ts'
import { findProject, type Project } from './project.ts'

export interface Begun {
  readonly project: Project
  readonly guess: Guess | undefined
}

/** What a guess is kept by. @param target as it was given */
export const askedFor = (target: string | undefined): string => target ?? ''

/** @param target as it was given @throws CliError where there is no program */
export const beginBuild = (app: string, target: string | undefined): Begun => begin(findProject(app), target)

/** @param target as it was given */
export const begin = (project: Project, target: string | undefined): Begun => ({ project, guess: guessBundle(project, askedFor(target)) })
